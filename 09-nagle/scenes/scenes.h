// scenes.h: the scenes of lesson 09, each in the file that has its name, and what they share.
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

// The server, and the bytes in the second write(): options of ./play.
extern const char *host;
extern int port, body_bytes;

// ---- many requests (series.c) --------------------------------------------------------------

struct series {
    double mean_ms, median_ms, longest_ms, shortest_ms;
    double segments; // with data, sent by the client for each request
};

// Sends `count` requests, at most SERIES_MAX, on a connection of their own.
#define SERIES_MAX 20
struct series run_series(enum way way, int count, uint32_t flags);

// Shows one series for each way: a table, and the medians as bars.
void show_series(const struct series series[WAYS]);

// True if `with_ms` contains the cost of Nagle: it is longer than `without_ms` by most of a
// delayed ACK, and by far longer, whatever else this machine is doing.
bool stalls(double with_ms, double without_ms);

// ---- segments on the wire (segments.c) -----------------------------------------------------

struct segments {
    int sent;         // with new data, from the client
    int before_reply; // of these, how many set out before any packet came from the server
};

// Counts the segments since `mark`, a value of packet_log_mark(). A segment that is sent again
// is not counted: it says nothing about Nagle.
struct segments count_segments(uint32_t mark);

#endif
