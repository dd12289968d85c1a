// tunnel.c: see tunnel.h. Read tunnel_take() first, then tunnel_give(): one of them is the way
// into a pipe, the other one the way out.
#include "tunnel.h"

#include <sys/socket.h>

#include "log.h"
#include "settings.h"

static struct conn *side_of(const struct exchange *x, int side)
{
    if (side == 0 && x->client)
        return &x->client->conn;
    if (side == 1 && x->upstream)
        return &x->upstream->conn;
    return NULL;
}

static void wake(const struct exchange *x, int side)
{
    if (side_of(x, side))
        conn_wake(side_of(x, side));
}

// What this side has sent waits here for the other side.
static struct pipe *pipe_from(struct exchange *x, int side)
{
    if (side == 0)
        return &x->up;
    return &x->down;
}

void tunnel_begin_upgrade(struct exchange *x)
{
    x->is_tunnel = true;
    x->moved_ns = conn_now(&x->upstream->conn);
    conn_deadline(&x->upstream->conn, NEVER);
    conn_deadline(&x->client->conn, settings.tunnel_idle_ms);
    wake(x, 0);
    log_line("tunnel: %s", x->line);
}

void tunnel_begin(struct exchange *x)
{
    struct http_out out = pipe_space(&x->down);
    http_put_text(&out, "HTTP/1.1 200 Connection established\r\n\r\n");
    x->down.end += out.length;
    x->answered = true;
    tunnel_begin_upgrade(x);
}

size_t tunnel_take(struct exchange *x, int side, const char *bytes, size_t length)
{
    struct pipe *pipe = pipe_from(x, side);
    struct http_out out = pipe_space(pipe);
    size_t part = smaller(out.size, length);
    http_put(&out, bytes, part);
    pipe->end += part;
    x->left_over[side] = length - part;
    x->moved_ns = conn_now(side_of(x, side));
    if (part)
        wake(x, !side);
    return part;
}

// True if both sides have ended, and all that they have sent has been passed on.
static bool is_over(const struct exchange *x)
{
    return x->is_ended[0] && x->is_ended[1] && !pipe_left(&x->up) && !pipe_left(&x->down);
}

bool tunnel_give(struct exchange *x, int side)
{
    struct conn *c = side_of(x, side);
    struct pipe *pipe = pipe_from(x, !side);
    size_t given = pipe_give(pipe, c);
    if (given && x->left_over[!side])
        wake(x, !side); // there is room again
    // This side has ended, and all that it has sent is in the pipe: the other side is told when
    // that has been passed on. It may still go on sending.
    if (c->ended && !x->left_over[side] && !x->is_ended[side]) {
        x->is_ended[side] = true;
        wake(x, !side);
    }
    if (!given && x->is_ended[!side] && !x->left_over[!side])
        shutdown(c->fd, SHUT_WR);
    bool over = is_over(x);
    if (over)
        wake(x, !side);
    c->paused = !over && (c->ended || x->left_over[side]);
    return given > 0;
}

void tunnel_woken(struct exchange *x, int side)
{
    struct conn *c = side_of(x, side);
    c->paused = false;
    c->broken = x->tunnel_broken;
    if (x->is_idle)
        conn_close(c);
}

void tunnel_timeout(struct exchange *x)
{
    int64_t idle_ms = (conn_now(&x->client->conn) - x->moved_ns) / 1000000;
    if (idle_ms < settings.tunnel_idle_ms) {
        conn_deadline(&x->client->conn, settings.tunnel_idle_ms - idle_ms);
        return;
    }
    log_line("tunnel: closed after %d ms without a byte: %s", settings.tunnel_idle_ms, x->line);
    tunnel_stop(x);
}

void tunnel_stop(struct exchange *x)
{
    x->is_idle = true;
    wake(x, 0);
    wake(x, 1);
}

void tunnel_lost(struct exchange *x, int side)
{
    if (!x->is_idle && !is_over(x))
        x->tunnel_broken = true;
    wake(x, !side);
    exchange_release(x);
}
