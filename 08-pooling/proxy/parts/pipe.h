// pipe.h: bytes on their way from one connection to another one. They have a limit: while a
// pipe is full, the proxy does not read from the side that fills it, and TCP makes that side
// wait.
#ifndef PIPE_H
#define PIPE_H

#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "loop.h"
#include "smaller.h"

#define PIPE_BYTES 32768 // room for one head, or for some content

struct pipe {
    char *bytes; // allocated while there is something in it
    size_t at, end;
};

static inline size_t pipe_left(const struct pipe *pipe)
{
    return pipe->end - pipe->at;
}

static inline void pipe_free(struct pipe *pipe)
{
    free(pipe->bytes);
    *pipe = (struct pipe){0};
}

// Where further bytes go. Without memory there is no room.
static inline struct http_out pipe_space(struct pipe *pipe)
{
    if (!pipe->bytes)
        pipe->bytes = malloc(PIPE_BYTES);
    if (!pipe->bytes)
        return (struct http_out){0};
    if (pipe->at) {
        memmove(pipe->bytes, pipe->bytes + pipe->at, pipe_left(pipe));
        pipe->end -= pipe->at;
        pipe->at = 0;
    }
    return (struct http_out){pipe->bytes + pipe->end, PIPE_BYTES - pipe->end, 0, false};
}

// Moves what is in the pipe to a connection's output. Returns how many bytes.
static inline size_t pipe_give(struct pipe *pipe, struct conn *to)
{
    size_t part = smaller(conn_room(to), pipe_left(pipe));
    if (!part)
        return 0;
    memcpy(conn_space(to), pipe->bytes + pipe->at, part);
    conn_wrote(to, part);
    pipe->at += part;
    if (!pipe_left(pipe))
        pipe_free(pipe);
    return part;
}

#endif
