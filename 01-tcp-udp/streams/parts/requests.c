// requests.c: see requests.h.
#include "requests.h"

#include <string.h>

#include "log.h"
#include "net.h"
#include "smaller.h"
#include "timers.h"

static void fill(struct connection *c, struct stream *s, uint64_t offset, uint8_t *out,
                 size_t length)
{
    resource_fill(&((struct peer *)c)->requests[s->place].resource, offset, out, length);
}

static void answer(struct peer *peer, struct stream *s, struct request *request)
{
    request->path[request->length] = '\0';
    log_line("stream %llu: %s", (unsigned long long)s->id, request->path);
    request->found = resource_find(request->path, now_ns(), &request->resource);
    if (request->found)
        peer->more_ns = 0; // look at once what there is
    else
        connection_reset_stream(s, NOT_FOUND);
}

// A part of a request has come; when it is whole, it is answered.
static void arrived(struct connection *c, struct stream *s, const uint8_t *bytes, size_t length,
                    bool end)
{
    struct peer *peer = (struct peer *)c;
    struct request *request = &peer->requests[s->place];
    if (request->length + length > PATH_MAX_BYTES) {
        connection_reset_stream(s, NOT_FOUND);
        return;
    }
    if (length)
        memcpy(request->path + request->length, bytes, length);
    request->length += length;
    if (end && !s->reset)
        answer(peer, s, request);
}

static void told(struct connection *c, const char *text)
{
    (void)c;
    log_line("%s", text);
}

const struct connection_user requests_user = {.fill = fill, .arrived = arrived, .told = told};

void requests_look(struct peer *peer, int64_t now)
{
    if (now < peer->more_ns)
        return;
    peer->more_ns = NEVER;
    for (int i = 0; i < STREAMS_MAX; i++) {
        struct stream *s = peer->connection.streams[i];
        const struct request *request = &peer->requests[i];
        int64_t more_ns;
        if (!s || !request->found || s->out_whole)
            continue;
        uint64_t here = resource_here(&request->resource, now, &more_ns);
        connection_offer(s, here, here == request->resource.length);
        peer->more_ns = earlier(peer->more_ns, more_ns);
    }
}
