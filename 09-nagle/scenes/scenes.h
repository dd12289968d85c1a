// scenes.h: the scenes of lesson 09, each in the file of its name, and what they share.
#ifndef SCENES_H
#define SCENES_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

void scene_stall(void);
void scene_distance(void);
void scene_remainder(void);
void scene_small(void);
void scene_telnet(void);
void scene_quickack(void);
void scene_bulk(void);

// Options of ./play: the server, and the bytes of the second write().
extern const char *host;
extern int port, body_bytes;

// ---- many requests (series.c) --------------------------------------------------------------

struct series {
    double mean_ms, median_ms, longest_ms, shortest_ms;
    double segments; // segments with data that the client sent for each request
};

// Sends `count` requests, at most SERIES_MAX, on a new connection.
#define SERIES_MAX 20
struct series run_series(enum way way, int count, uint32_t flags);

// Shows one series for each way: a table, and the medians as bars.
void show_series(const struct series series[WAYS]);

// True if a request waits for a delayed ACK: `with_ms`, its time with Nagle, is longer than
// `without_ms` by most of a delayed ACK. It must also be much longer, so that other work of
// this machine cannot explain the difference.
bool stalls(double with_ms, double without_ms);

// ---- segments on the wire (segments.c) -----------------------------------------------------

struct segments {
    int sent;         // segments with new data from the client
    int before_reply; // how many of these set out before any packet came from the server
};

// Counts the segments since `mark`, a value of packet_log_mark(). A segment that is sent again
// does not count: it says nothing about Nagle.
struct segments count_segments(uint32_t mark);

#endif
