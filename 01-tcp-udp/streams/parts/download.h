// download.h: several resources over one connection at once, and what became of each.
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include "connection.h"
#include "resource.h"

struct download {
    const char *path;
    struct stream *stream; // NULL: over TCP
    uint64_t bytes;        // that have come
    bool over;
    bool wrong;     // one of them is not what it should be
    uint64_t error; // the server's reason to give it up; 0: none
    int64_t begin_ns, first_ns, last_ns;
    int ticks;                 // of a clock: lines that have come,
    double late_ms[TICKS_MAX]; // and how late each was
    char line[TICK_BYTES + 1];
};

// A client's connection calls these.
extern struct connection_user download_user;

// Asks for `count` resources, each on a stream of its own. Dies where there is no memory.
void downloads_begin(struct connection *c, struct download *list, const char *const paths[],
                     int count);

// The same without a connection: see over TCP.
void download_begin(struct download *download, const char *path);

// Bytes of it have come.
void download_take(struct download *download, const uint8_t *bytes, size_t length, bool end);

// True if all are over.
bool downloads_over(const struct download *list, int count);

// True if all are over, and right.
bool downloads_good(const struct download *list, int count);

uint64_t downloads_bytes(const struct download *list, int count);

#endif
