// relay.c: see relay.h. Read advance() first, then expire().
#include "relay.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_leg.h"
#include "net.h"
#include "stage.h"
#include "log.h"

#define ROUNDS 16 // full buffers that one relay may move before the others have their turn

// ---- the plain leg -------------------------------------------------------------------------

// Called when the upstream will send no more. If a request has no answer yet, the client gets
// `status`. If a part of an answer is here, the client must not take it for a whole one, so
// there is no close_notify (RFC 8446 §6.1).
static void end_upstream(struct relay *relay, int status, const char *why)
{
    struct buffer *out = &relay->to_client;
    bool complete = !relay->forward.in_answer && !relay->forward.waiting;
    if (relay->upstream_closed)
        complete = forward_is_complete(&relay->forward);
    if (!complete || relay->forward.bad_answer)
        log_line("upstream %s: %s", relay->settings->upstream, why);
    if (!complete && relay->forward.in_answer)
        relay->broken = true;
    if (complete && relay->forward.in_content) // the request has its answer already
        status = 0;
    else if (complete)
        status = relay->forward.refused;
    if (complete)
        why = relay->forward.why;
    size_t room = make_room(out);
    struct http_out end = {out->bytes + out->end, room, 0, false};
    if (status && !relay->broken && !relay->forward.answers_end) {
        forward_refusal(status, why, &end);
        out->end += end.length;
        log_line("client %s: answered %d by the proxy: %s", relay->address, status, why);
    }
    relay->upstream_ended = true;
    if (relay->upstream >= 0)
        close(relay->upstream);
    relay->upstream = -1;
}

static void connect_upstream(struct relay *relay)
{
    const struct relay_settings *settings = relay->settings;
    relay->upstream =
        socket(settings->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (relay->upstream < 0 || (connect(relay->upstream, (struct sockaddr *)&settings->address,
                                        settings->address_length) &&
                                errno != EINPROGRESS))
        end_upstream(relay, 502, strerror(errno));
    else
        net_send_at_once(relay->upstream);
}

// Called when poll() reports the end of connect(): has the upstream taken the connection?
static void finish_connecting(struct relay *relay)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(relay->upstream, SOL_SOCKET, SO_ERROR, &error, &length) || error)
        end_upstream(relay, 502, strerror(error));
    relay->connected = true;
}

// From the client's bytes to the upstream's.
static bool rewrite_requests(struct relay *relay)
{
    struct buffer *in = &relay->from_client, *out = &relay->to_upstream;
    if (relay->upstream_ended || !buffer_left(in))
        return false;
    size_t room = make_room(out);
    struct http_out to = {out->bytes + out->end, room, 0, false};
    long before = relay->forward.requests;
    size_t used = forward_requests(&relay->forward, in->bytes + in->at, buffer_left(in), &to);
    in->at += used;
    out->end += to.length;
    if (relay->upstream < 0 && buffer_left(out))
        connect_upstream(relay);
    if (relay->forward.requests > before)
        log_line("upstream %s: %s, for %s", relay->settings->upstream, relay->forward.line,
                 relay->address);
    relay->settings->requests += relay->forward.requests - before;
    return used > 0;
}

// From the upstream's bytes to the client's.
static bool rewrite_answers(struct relay *relay)
{
    struct buffer *in = &relay->from_upstream, *out = &relay->to_client;
    struct forward *forward = &relay->forward;
    unsigned waiting = forward->waiting;
    if (!buffer_left(in) || relay->upstream_ended)
        return false;
    size_t room = make_room(out);
    struct http_out to = {out->bytes + out->end, room, 0, false};
    size_t used = forward_answers(forward, in->bytes + in->at, buffer_left(in), &to);
    in->at += used;
    out->end += to.length;
    if (forward->waiting < waiting)
        log_line("upstream %s: answers %d, %llu bytes", relay->settings->upstream,
                 forward->status, (unsigned long long)forward->answer_bytes);
    if (forward->bad_answer)
        end_upstream(relay, 502, "its answer is no HTTP/1");
    else if (forward->answers_end && !forward->in_answer)
        end_upstream(relay, 0, "");
    return used > 0;
}

static bool write_upstream(struct relay *relay)
{
    struct buffer *out = &relay->to_upstream;
    if (!relay->connected || relay->upstream < 0 || !buffer_left(out))
        return false;
    ssize_t sent = send(relay->upstream, out->bytes + out->at, buffer_left(out), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        out->at = out->end; // the upstream reads no more, but it may have sent an answer
    if (sent <= 0)
        return false;
    out->at += (size_t)sent;
    upstream_moved(relay);
    return true;
}

// While answers cannot be passed on, the proxy reads nothing more: TCP makes the upstream wait.
static bool read_upstream(struct relay *relay)
{
    struct buffer *in = &relay->from_upstream;
    size_t room = make_room(in);
    if (!relay->connected || relay->upstream < 0 || !room || buffer_left(&relay->to_client))
        return false;
    ssize_t got = read(relay->upstream, in->bytes + in->end, room);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    relay->upstream_closed = got == 0;
    if (got < 0)
        end_upstream(relay, 502, strerror(errno));
    else if (got == 0)
        end_upstream(relay, 502, "closed before the end of an answer");
    else
        upstream_moved(relay);
    if (got > 0)
        in->end += (size_t)got;
    return true;
}

// ---- both ----------------------------------------------------------------------------------

// If no more requests will come and all answers have passed, ends the upstream's leg, and
// returns true.
static bool end_requests(struct relay *relay)
{
    const struct forward *forward = &relay->forward;
    int status = forward->refused;
    bool no_more = relay->client_ended || forward->refused;
    if (!no_more || relay->upstream_ended || buffer_left(&relay->to_upstream) ||
        buffer_left(&relay->to_client))
        return false;
    if (!status)
        status = 400;
    if (forward->in_content && forward->waiting == 1 && !forward->in_answer)
        end_upstream(relay, status, "only a part of the request's content has come");
    else if (!forward->waiting)
        end_upstream(relay, 0, "");
    return relay->upstream_ended;
}

// Sends a close_notify when all is sent: it tells the client that nothing is missing (RFC 8446
// §6.1).
static void end_answers(struct relay *relay)
{
    if (!relay->upstream_ended || buffer_left(&relay->to_client) ||
        relay->stage == STAGE_LINGER || relay->broken)
        return;
    ERR_clear_error();
    SSL_shutdown(relay->ssl);
    begin_lingering(relay);
}

static void linger(struct relay *relay)
{
    ssize_t got = read(relay->client, relay->from_client.bytes, RELAY_BUFFER_BYTES);
    relay->broken = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

// Moves bytes as long as nothing has to wait, but at most ROUNDS times.
static void advance(struct relay *relay)
{
    bool more = true;
    relay->send_blocked = false;
    if (relay->stage == STAGE_LINGER) {
        linger(relay);
        return;
    }
    for (int round = 0; more && round < ROUNDS; round++) {
        more = read_client(relay);
        if (!relay->established && SSL_is_init_finished(relay->ssl))
            tell_established(relay);
        more = rewrite_requests(relay) || more;
        more = write_upstream(relay) || more;
        more = rewrite_answers(relay) || more;
        more = write_client(relay) || more;
        more = read_upstream(relay) || more;
        more = end_requests(relay) || more;
        end_answers(relay);
        if (relay->broken || relay->stage == STAGE_LINGER)
            more = false;
    }
    relay->again = more;
    enter_stage(relay);
}

struct relay *relay_open(int client, struct relay_settings *settings)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay)
        relay->ssl = SSL_new(settings->ctx);
    if (!relay || !relay->ssl || !SSL_set_fd(relay->ssl, client)) {
        if (relay)
            SSL_free(relay->ssl);
        free(relay);
        close(client);
        return NULL;
    }
    getpeername(client, (struct sockaddr *)&address, &length);
    if (getnameinfo((struct sockaddr *)&address, length, relay->address, NET_NAME, NULL, 0,
                    NI_NUMERICHOST))
        strcpy(relay->address, "unknown");
    net_send_at_once(client);
    SSL_set_mode(relay->ssl,
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_accept_state(relay->ssl);
    relay->settings = settings;
    relay->client = client;
    relay->upstream = -1;
    relay->forward.by = &settings->proxy;
    relay->forward.client = relay->address;
    begin_stage(relay, STAGE_HANDSHAKE);
    return relay;
}

void relay_close(struct relay *relay)
{
    SSL_free(relay->ssl);
    close(relay->client);
    if (relay->upstream >= 0)
        close(relay->upstream);
    free(relay);
}

// A descriptor without events is left out (-1): else poll() would return at once, again and
// again, after the other side has closed.
void relay_watch(const struct relay *relay, struct pollfd polls[2])
{
    short client = 0, server = 0;
    if (wants_client(relay))
        client |= POLLIN;
    if (relay->send_blocked)
        client |= POLLOUT;
    if (!buffer_left(&relay->to_client))
        server |= POLLIN;
    if (buffer_left(&relay->to_upstream))
        server |= POLLOUT;
    polls[0] = (struct pollfd){relay->client, client, 0};
    polls[1] = (struct pollfd){relay->upstream, server, 0};
    if (!client)
        polls[0].fd = -1;
    if (!server)
        polls[1].fd = -1;
}

// Called when a stage has taken too long.
static void expire(struct relay *relay)
{
    switch (relay->stage) {
    case STAGE_IDLE:
        end_upstream(relay, 0, "");
        break;
    case STAGE_CONTENT:
    case STAGE_TAKE:
        if (stage_is_in_pace(relay))
            begin_stage(relay, relay->stage);
        else
            relay->broken = true;
        return;
    case STAGE_HEAD:
        relay->forward.refused = 408;
        relay->forward.why = "the request's head takes too long";
        break;
    case STAGE_UPSTREAM:
        end_upstream(relay, 504, "no answer in time");
        break;
    case STAGE_HANDSHAKE:
    case STAGE_LINGER:
        relay->broken = true;
    }
    if (!relay->broken)
        advance(relay);
}

void relay_give_up(struct relay *relay)
{
    log_line("client %s: closed, another client needs its place", relay->address);
    relay->broken = true;
}

void relay_serve(struct relay *relay, short client_events, short upstream_events)
{
    if (relay->broken)
        return;
    if (upstream_events && !relay->connected)
        finish_connecting(relay);
    if (client_events & (POLLERR | POLLNVAL))
        relay->broken = true;
    else if (client_events || upstream_events || relay->again)
        advance(relay);
    if (!relay->broken && now_ns() > relay->deadline_ns)
        expire(relay);
}
