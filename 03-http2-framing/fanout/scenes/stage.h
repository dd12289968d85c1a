// stage.h: what the scenes start: three backends, and what stands in front of them.
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#define STAGE_BACKENDS 3

struct stage {
    pid_t backends[STAGE_BACKENDS], front;
    int ports[STAGE_BACKENDS], port;  // port: of what stands in front; 0: nothing does
    long requests[STAGE_BACKENDS];    // stage_end(): as each backend has counted; -1: killed
    long connections[STAGE_BACKENDS]; // the same
    char files[STAGE_BACKENDS][40];   // what they print
};

// Starts three backends: "../server" or "../grpc/server". And in front of them, where `front`
// is not NULL: "./relay", "./proxy" or "./lookaside", with one more option, or NULL.
void stage_begin(struct stage *stage, const char *backend, const char *front,
                 const char *option);

// kill -9
void stage_kill(struct stage *stage, int backend);

// Stops them all, and reads what the backends have counted.
void stage_end(struct stage *stage);

// "34, 33, 33". Valid until the next call.
const char *stage_shares(const struct stage *stage);

// The largest share is at most one more than the smallest.
bool stage_is_even(const struct stage *stage);

#endif
