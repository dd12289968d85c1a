// request.h: what a client asks for, once its head is understood. The struct is small enough to
// be handed from one thread to another, and has no pointer into the bytes that it was read
// from.
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#include "disk_file.h"
#include "http_server.h"

#define REQUEST_BYTES     32768   // of input that may wait (pool: LOOP_IN_BYTES)
#define REQUEST_MS_MAX    10000   // of /cpu?ms= and /io?ms=
#define REQUEST_TIMES_MAX 1000000 // of /count?times=

enum route {
    REFUSED, // see `status` and `why`
    CHEAP,   // /cheap, and /: a short text
    CPU,     // /cpu?ms=N: N milliseconds of CPU time are burnt
    IO,      // /io?ms=N: the answer waits so long, as if for a disk or a database
    WRITE,   // /write?kb=N: N KB are written to a file, and have reached the disk
    CRASH,   // /crash: a null pointer, where --allow-crash says so
    COUNT,   // /count?how=plain|mutex|atomic&times=N: N times one more, see counters.h
    WHO,     // /who: who answers
    STATS    // /stats: the numbers of all workers
};

enum counting { PLAIN, MUTEX, ATOMIC };

// The path of a route, for the log; "?" for REFUSED.
const char *route_path(enum route route);

struct request {
    enum route route;
    int status;      // REFUSED: the status of its answer
    const char *why; // REFUSED: the reason in a few words; NULL: none
    int ms;          // of /cpu and /io
    int kb;          // of /write
    int times;       // of /count
    enum counting how;
};

// Reads the request at the start of `bytes`. Returns its length; 0: more bytes have to come. A
// request that cannot be served has the route REFUSED, and is answered like any other. If it is
// so malformed that its end cannot be found, all bytes are used, and http->keep_alive is false:
// its answer is the last one.
size_t request_read(struct http_server *http, const char *bytes, size_t length,
                    struct request *request);

#endif
