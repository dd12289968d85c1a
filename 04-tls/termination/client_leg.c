// client_leg.c: see client_leg.h. Read stopped() first: it finds out what OpenSSL waits for.
#include "client_leg.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include "context.h"
#include "log.h"
#include "stage.h"
#include "tls_filter.h"

void tell_established(struct relay *relay)
{
    relay->established = true;
    log_line("client %s: %s, %s", relay->address, SSL_get_version(relay->ssl),
             SSL_get_cipher_name(relay->ssl));
}

// Closes the proxy's half, and waits until the client closes, too. If the proxy called close()
// while the client still sends, the client's kernel would throw away the last bytes of the
// answer.
void begin_lingering(struct relay *relay)
{
    if (shutdown(relay->client, SHUT_WR))
        relay->broken = true;
    begin_stage(relay, STAGE_LINGER);
}

// Called when a function of OpenSSL has failed: finds out what it waits for, or that the
// connection is over. Always returns false.
static bool stopped(struct relay *relay, int result)
{
    int error = SSL_get_error(relay->ssl, result);
    unsigned long reason = ERR_peek_error();
    const char *words = NULL;
    if (reason)
        words = context_reason(reason);
    if (error == SSL_ERROR_WANT_WRITE) {
        relay->send_blocked = true;
    } else if (error == SSL_ERROR_ZERO_RETURN) {
        relay->client_ended = true;
    } else if (error != SSL_ERROR_WANT_READ) { // also an end without close_notify
        if (!words)
            words = "connection lost";
        log_line("client %s: %s", relay->address, words);
        if (ERR_GET_REASON(reason) == SSL_R_HTTP_REQUEST)
            send(relay->client, tls_not_https(), strlen(tls_not_https()), MSG_NOSIGNAL);
        begin_lingering(relay);
    }
    return false;
}

// While requests cannot be passed on, the proxy reads nothing more: TCP makes the client wait.
bool wants_client(const struct relay *relay)
{
    if (relay->stage == STAGE_LINGER)
        return true;
    // A last request's head is here, but its content is still to come.
    bool no_more = relay->forward.last && !relay->forward.in_content;
    return !relay->client_ended && !relay->forward.refused && !no_more &&
           !buffer_left(&relay->to_upstream) && relay->forward.waiting < FORWARD_WAITING;
}

bool read_client(struct relay *relay)
{
    struct buffer *in = &relay->from_client;
    size_t got, room = make_room(in);
    if (!room || !wants_client(relay))
        return false;
    ERR_clear_error();
    if (!SSL_read_ex(relay->ssl, in->bytes + in->end, room, &got))
        return stopped(relay, 0);
    in->end += got;
    relay->stage_bytes += got;
    return true;
}

bool write_client(struct relay *relay)
{
    struct buffer *out = &relay->to_client;
    size_t sent;
    if (!buffer_left(out))
        return false;
    ERR_clear_error();
    if (!SSL_write_ex(relay->ssl, out->bytes + out->at, buffer_left(out), &sent))
        return stopped(relay, 0);
    out->at += sent;
    relay->stage_bytes += sent;
    return true;
}
