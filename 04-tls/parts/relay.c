// relay.c: see relay.h. Read advance() first.
//
// Here OpenSSL has the socket itself, as in most programs; what a call would have to wait for
// is what poll() is asked for next.
#include "relay.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"
#include "secure.h"
#include "log.h"

#define ROUNDS 16 // buffers full that one connection may move before the others have their turn

static size_t left(const struct buffer *buffer)
{
    return buffer->end - buffer->at;
}

// Moves what is in a buffer to its beginning. Returns how much room there is behind it.
static size_t make_room(struct buffer *buffer)
{
    memmove(buffer->bytes, buffer->bytes + buffer->at, left(buffer));
    buffer->end -= buffer->at;
    buffer->at = 0;
    return RELAY_BUFFER_BYTES - buffer->end;
}

static void moved(struct relay *relay)
{
    relay->deadline_ns = now_ns() + relay->settings->idle_ms * INT64_C(1000000);
}

// ---- the encrypted leg ---------------------------------------------------------------------

static void tell_established(struct relay *relay)
{
    relay->established = true;
    moved(relay);
    log_line("client %s: %s, %s", relay->address, SSL_get_version(relay->ssl),
             SSL_get_cipher_name(relay->ssl));
}

// After our last byte: waits for the client to be done with what it is sending. To close() now
// would make its kernel throw that last byte away.
static void begin_lingering(struct relay *relay)
{
    relay->lingering = !shutdown(relay->client, SHUT_WR);
    relay->broken = !relay->lingering;
    relay->deadline_ns = now_ns() + RELAY_LINGER_MS * INT64_C(1000000);
}

// After a call of OpenSSL's that did not do what it should. Always false.
static bool stopped(struct relay *relay, int result)
{
    int error = SSL_get_error(relay->ssl, result);
    unsigned long reason = ERR_peek_error();
    const char *words = reason ? context_reason(reason) : NULL;
    if (error == SSL_ERROR_WANT_WRITE) {
        relay->send_blocked = true;
    } else if (error == SSL_ERROR_ZERO_RETURN) {
        relay->client_ended = true;
    } else if (error != SSL_ERROR_WANT_READ) { // also an end without close_notify
        log_line("client %s: %s", relay->address, words ? words : "connection lost");
        if (ERR_GET_REASON(reason) == SSL_R_HTTP_REQUEST)
            send(relay->client, secure_not_https(), strlen(secure_not_https()), MSG_NOSIGNAL);
        begin_lingering(relay);
    }
    return false;
}

// While what has come cannot be passed on, nothing more is read: TCP tells the client to wait.
static bool wants_client(const struct relay *relay)
{
    return relay->lingering || !(relay->client_ended || relay->forward.refused ||
                                 relay->forward.last || left(&relay->to_upstream));
}

static bool read_client(struct relay *relay)
{
    struct buffer *in = &relay->from_client;
    size_t got, room = make_room(in);
    if (!room || !wants_client(relay))
        return false;
    ERR_clear_error();
    if (!SSL_read_ex(relay->ssl, in->bytes + in->end, room, &got))
        return stopped(relay, 0);
    in->end += got;
    moved(relay);
    return true;
}

static bool write_client(struct relay *relay)
{
    struct buffer *out = &relay->to_client;
    size_t sent;
    if (!left(out))
        return false;
    ERR_clear_error();
    if (!SSL_write_ex(relay->ssl, out->bytes + out->at, left(out), &sent))
        return stopped(relay, 0);
    out->at += sent;
    moved(relay);
    return true;
}

// ---- the plain leg -------------------------------------------------------------------------

// The upstream will say no more. If it never said anything, the client still gets an answer.
static void end_upstream(struct relay *relay, int status, const char *why)
{
    struct buffer *out = &relay->to_client; // empty, or the upstream would not have been asked
    struct http_out end = {out->bytes, RELAY_BUFFER_BYTES, 0, false};
    if (*relay->forward.line && !relay->answered)
        log_line("upstream %s: %s", relay->settings->upstream, why);
    else
        status = relay->forward.refused;
    if (status)
        forward_refusal(status, &end);
    out->at = 0;
    out->end = end.length;
    relay->upstream_ended = true;
    if (relay->upstream >= 0)
        close(relay->upstream);
    relay->upstream = -1;
}

static void connect_upstream(struct relay *relay)
{
    const struct relay_settings *settings = relay->settings;
    int on = 1;
    relay->upstream =
        socket(settings->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (relay->upstream < 0 || (connect(relay->upstream, (struct sockaddr *)&settings->address,
                                        settings->address_length) &&
                                errno != EINPROGRESS))
        end_upstream(relay, 502, strerror(errno));
    else
        setsockopt(relay->upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Asks, when poll() says that it is decided, whether the upstream has taken the connection.
static void finish_connecting(struct relay *relay)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(relay->upstream, SOL_SOCKET, SO_ERROR, &error, &length) || error)
        end_upstream(relay, 502, strerror(error));
    relay->connected = true;
}

// From the client's bytes to the upstream's.
static bool rewrite(struct relay *relay)
{
    struct buffer *in = &relay->from_client, *out = &relay->to_upstream;
    if (relay->upstream_ended || !left(in))
        return false;
    size_t room = make_room(out);
    struct http_out to = {out->bytes + out->end, room, 0, false};
    long before = relay->forward.requests;
    size_t used = forward_requests(&relay->forward, in->bytes + in->at, left(in), &to);
    in->at += used;
    out->end += to.length;
    if (relay->upstream < 0 && left(out))
        connect_upstream(relay);
    if (relay->forward.requests > before)
        log_line("upstream %s: %s, for %s", relay->settings->upstream, relay->forward.line,
                 relay->address);
    relay->settings->requests += relay->forward.requests - before;
    return used > 0;
}

static bool write_upstream(struct relay *relay)
{
    struct buffer *out = &relay->to_upstream;
    if (!relay->connected || relay->upstream < 0 || !left(out))
        return false;
    ssize_t sent = send(relay->upstream, out->bytes + out->at, left(out), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        out->at = out->end; // it reads no more, but its answer may be there to be read
    if (sent <= 0)
        return false;
    out->at += (size_t)sent;
    moved(relay);
    return true;
}

static bool read_upstream(struct relay *relay)
{
    struct buffer *out = &relay->to_client;
    if (!relay->connected || relay->upstream < 0 || left(out))
        return false;
    out->at = out->end = 0;
    ssize_t got = read(relay->upstream, out->bytes, RELAY_BUFFER_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got < 0 && relay->answered) { // the answer is cut: no close_notify for that
        log_line("upstream %s: %s", relay->settings->upstream, strerror(errno));
        relay->broken = true;
    } else if (got <= 0) {
        end_upstream(relay, 502, got ? strerror(errno) : "closed without an answer");
    } else {
        if (got > 12 && !memcmp(out->bytes, "HTTP/1.", 7))
            log_line("upstream %s: answers %.3s", relay->settings->upstream, out->bytes + 9);
        out->end = (size_t)got;
        relay->answered = true;
        moved(relay);
    }
    return true;
}

// ---- both ----------------------------------------------------------------------------------

// No more requests will come: the upstream is told, and answers those that it has.
static void end_requests(struct relay *relay)
{
    bool no_more = relay->client_ended || relay->forward.refused;
    if (!no_more || left(&relay->to_upstream) || relay->upstream_ended || relay->upstream_told)
        return;
    if (relay->upstream < 0)
        end_upstream(relay, 0, "");
    else if (relay->connected)
        relay->upstream_told = !shutdown(relay->upstream, SHUT_WR);
}

// All is sent, and nothing is missing: that is what a close_notify says (RFC 8446 §6.1).
static void end_answers(struct relay *relay)
{
    if (!relay->upstream_ended || left(&relay->to_client) || relay->lingering)
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

// Does what can be done now without waiting, until it is the others' turn.
static void advance(struct relay *relay)
{
    bool more = true;
    int round = 0;
    if (relay->lingering) {
        linger(relay);
        return;
    }
    relay->send_blocked = false;
    while (more && !relay->broken && !relay->lingering && round++ < ROUNDS) {
        more = read_client(relay);
        if (!relay->established && SSL_is_init_finished(relay->ssl))
            tell_established(relay);
        more = rewrite(relay) || more;
        more = write_upstream(relay) || more;
        more = read_upstream(relay) || more;
        more = write_client(relay) || more;
        end_requests(relay);
        end_answers(relay);
    }
    relay->again = more && !relay->lingering;
}

struct relay *relay_open(int client, struct relay_settings *settings)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct relay *relay = calloc(1, sizeof *relay);
    int on = 1;
    if (!relay || !(relay->ssl = SSL_new(settings->ctx)) || !SSL_set_fd(relay->ssl, client)) {
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
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_set_mode(relay->ssl,
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_accept_state(relay->ssl);
    relay->settings = settings;
    relay->client = client;
    relay->upstream = -1;
    relay->forward.client = relay->address;
    relay->deadline_ns = now_ns() + RELAY_HANDSHAKE_MS * INT64_C(1000000);
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

// What to ask poll() for. A descriptor that nothing is asked for is left out: poll() would go
// on telling that it hangs up.
void relay_watch(const struct relay *relay, struct pollfd polls[2])
{
    short client = wants_client(relay) ? POLLIN : 0, server = 0;
    if (relay->send_blocked)
        client |= POLLOUT;
    if (!left(&relay->to_client))
        server |= POLLIN;
    if (left(&relay->to_upstream))
        server |= POLLOUT;
    polls[0] = (struct pollfd){client ? relay->client : -1, client, 0};
    polls[1] = (struct pollfd){server ? relay->upstream : -1, server, 0};
}

static void expire(struct relay *relay)
{
    relay->broken = relay->lingering || !relay->established || left(&relay->to_client);
    if (!relay->broken) {
        end_upstream(relay, 504, "no answer");
        advance(relay);
    }
}

void relay_serve(struct relay *relay, const struct pollfd polls[2])
{
    if (polls[1].revents && !relay->connected)
        finish_connecting(relay);
    if (polls[0].revents & (POLLERR | POLLNVAL))
        relay->broken = true;
    else if (polls[0].revents || polls[1].revents || relay->again)
        advance(relay);
    if (!relay->broken && now_ns() > relay->deadline_ns)
        expire(relay);
}
