// tls_filter.c: see tls_filter.h. Read go_on() first, then pull(), then the BIO.
#include "tls_filter.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "log.h"
#include "smaller.h"

// A record is longer than its plaintext: it has a header, and bytes for padding and
// authentication (RFC 5246 §6.2.3), at most RECORD_OVERHEAD together. Today's ciphers need
// less: 17 bytes in 1.3, 24 in 1.2 with AES-GCM.
#define RECORD_BYTES    SSL3_RT_MAX_PLAIN_LENGTH
#define RECORD_OVERHEAD (SSL3_RT_HEADER_LENGTH + SSL3_RT_MAX_ENCRYPTED_OVERHEAD)
#define ANSWER_ROOM     8192 // bytes of output that must be free before more is read

const char *tls_not_https(void)
{
    return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 57\r\n"
           "Connection: close\r\n\r\nThis port speaks HTTPS, and you spoke HTTP. Try "
           "https://\n";
}

// ---- the BIO: OpenSSL's idea of a socket ---------------------------------------------------

static int bio_read(BIO *bio, char *to, size_t size, size_t *got)
{
    struct tls_filter *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got = smaller(s->in_length, size);
    if (!*got) {
        BIO_set_retry_read(bio); // it means "not now"; 0 without it means "the end"
        return 0;
    }
    memcpy(to, s->in, *got);
    s->in += *got;
    s->in_length -= *got;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
    struct tls_filter *s = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = smaller(length, conn_room(&s->conn));
    if (!*written) {
        BIO_set_retry_write(bio);
        return 0;
    }
    memcpy(conn_space(&s->conn), bytes, *written);
    conn_wrote(&s->conn, *written);
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH; // the loop sends the bytes
}

// ---- what is shared ------------------------------------------------------------------------

// Keeps an alert's number for the log: refuse() prints it beside OpenSSL's reason.
static void note_alert(const SSL *ssl, int where, int value)
{
    struct tls_filter *s = SSL_get_app_data(ssl);
    if (where & SSL_CB_ALERT && s && (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
        s->alert = value & 0xff;
}

// An alert in words. The log has its number, too, because the words differ between versions.
static const char *alert_words(int alert)
{
    if (alert == TLS13_AD_CERTIFICATE_REQUIRED)
        return "certificate required"; // too new for OpenSSL 3.0's own list
    return SSL_alert_desc_string_long(alert);
}

void tls_server_begin(struct tls_server *server)
{
    server->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loop");
    if (!server->method || !BIO_meth_set_read_ex(server->method, bio_read) ||
        !BIO_meth_set_write_ex(server->method, bio_write) ||
        !BIO_meth_set_ctrl(server->method, bio_control))
        abort(); // out of memory before the first client
}

void tls_server_end(struct tls_server *server)
{
    BIO_meth_free(server->method);
}

static void leave_half_open(struct tls_filter *s)
{
    struct tls_server *server = s->server;
    if (server->oldest != s && !s->older)
        return; // it is not in the list
    if (s->older)
        s->older->newer = s->newer;
    else
        server->oldest = s->newer;
    if (s->newer)
        s->newer->older = s->older;
    else
        server->newest = s->older;
    s->older = s->newer = NULL;
    server->half_open--;
}

static void join_half_open(struct tls_filter *s)
{
    struct tls_server *server = s->server;
    s->older = server->newest;
    if (s->older)
        s->older->newer = s;
    else
        server->oldest = s;
    server->newest = s;
    if (++server->half_open > TLS_HALF_OPEN_MAX) {
        conn_deadline(&server->oldest->conn, 0);
        leave_half_open(server->oldest);
    }
}

// ---- a connection --------------------------------------------------------------------------

void tls_opened(struct tls_filter *s, struct tls_server *server)
{
    s->server = server;
    s->state = TLS_HANDSHAKE;
    if (server->early_data)
        s->state = TLS_EARLY;
    s->again = server->connects; // the client speaks first
    join_half_open(s);
    conn_deadline(&s->conn, server->handshake_ms);
}

static void end(struct tls_filter *s)
{
    s->state = TLS_OVER;
    leave_half_open(s);
    conn_close(&s->conn);
}

// Called with the first bytes of a client, or to begin as a client. False: they are not TLS, or
// there is no memory.
static bool begin(struct tls_filter *s)
{
    BIO *bio = NULL;
    bool connects = s->server->connects;
    // A handshake record begins with 0x16 (RFC 8446 §5.1), a request line with a letter.
    if (!connects && s->in[0] >= 'A' && s->in[0] <= 'Z') {
        log_line("refused: plain HTTP");
        size_t length = strlen(tls_not_https());
        memcpy(conn_space(&s->conn), tls_not_https(), length);
        conn_wrote(&s->conn, length);
    } else if ((s->ssl = SSL_new(s->server->ctx)) && (bio = BIO_new(s->server->method))) {
        BIO_set_data(bio, s);
        BIO_set_init(bio, 1);
        SSL_set_bio(s->ssl, bio, bio);
        SSL_set_app_data(s->ssl, s);
        s->alert = -1;
        SSL_set_info_callback(s->ssl, note_alert);
        SSL_set_read_ahead(s->ssl, 1); // one read for all bytes, not one for a header first
        if (connects)
            SSL_set_connect_state(s->ssl);
        else
            SSL_set_accept_state(s->ssl);
        if (s->server->begun)
            s->server->begun(s);
        return true;
    }
    s->server->refused++;
    end(s);
    return false;
}

static void handshake_done(struct tls_filter *s)
{
    const char *name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    const char *what = "handshake", *alpn = "";
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(s->ssl, &protocol, &length);
    if (!name)
        name = "no name";
    if (length)
        alpn = ", ALPN ";
    s->state = TLS_ESTABLISHED;
    leave_half_open(s);
    s->server->handshakes++;
    if (SSL_session_reused(s->ssl)) {
        s->server->resumed++;
        what = "resumed";
    }
    log_line("%s: %s, %s, %s, for %s%s%.*s", what, SSL_get_version(s->ssl),
             SSL_get_cipher_name(s->ssl), context_group_name(s->ssl), name, alpn, (int)length,
             (const char *)protocol);
    if (s->server->established)
        s->server->established(s);
}

static void refuse(struct tls_filter *s)
{
    const char *reason = context_reason(ERR_peek_error());
    long verified = SSL_get_verify_result(s->ssl);
    char certificate[80] = "", alert[80] = "";
    s->server->refused++;
    if (!reason)
        reason = "connection lost";
    if (verified != X509_V_OK)
        snprintf(certificate, sizeof certificate, ": %s",
                 X509_verify_cert_error_string(verified));
    if (s->alert >= 0)
        snprintf(alert, sizeof alert, "; alert: %s (%d)", alert_words(s->alert), s->alert);
    log_line("refused: %s%s%s", reason, certificate, alert);
    end(s);
}

// Called when a function of OpenSSL has failed: decides whether it only has to wait, or whether
// this is the end of the connection. Always returns false.
static bool stopped(struct tls_filter *s, int result)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_WANT_WRITE:
        s->again = true;
        break;
    case SSL_ERROR_ZERO_RETURN:
        s->ended = true;
        break;
    default: // an error: after it OpenSSL cannot even send a close_notify
        refuse(s);
    }
    return false;
}

// Gets the next bytes of plaintext. Before that it goes on with the handshake, if this is not
// done. Early data (0-RTT) comes before the handshake is done; an attacker may send it again
// (RFC 8446 §8).
static bool pull(struct tls_filter *s, char *to, size_t size, size_t *got)
{
    ERR_clear_error(); // an old error in the queue would mislead SSL_get_error()
    if (s->state == TLS_EARLY) {
        switch (SSL_read_early_data(s->ssl, to, size, got)) {
        case SSL_READ_EARLY_DATA_SUCCESS:
            return true;
        case SSL_READ_EARLY_DATA_ERROR:
            return stopped(s, 0);
        default:
            s->state = TLS_HANDSHAKE;
        }
    }
    if (s->state == TLS_HANDSHAKE) {
        int result = SSL_do_handshake(s->ssl);
        if (result != 1)
            return stopped(s, result);
        handshake_done(s);
        ERR_clear_error(); // handshake_done() may have left an error that does not matter
    }
    return SSL_read_ex(s->ssl, to, size, got) || stopped(s, 0);
}

static bool can_go_on(const struct tls_filter *s)
{
    return !s->paused && !s->conn.closing && conn_room(&s->conn) >= ANSWER_ROOM;
}

// Copies plaintext that has to wait into memory that belongs to the connection.
static void keep(struct tls_filter *s, const char *bytes, size_t length)
{
    free(s->kept);
    s->kept = NULL;
    s->kept_length = 0;
    if (!length)
        return;
    s->kept = malloc(length);
    if (s->kept) {
        memcpy(s->kept, bytes, length);
        s->kept_length = length;
    } else {
        end(s);
    }
}

// Decrypts all bytes that are here, and calls take() with the plaintext, as long as there is
// room for answers.
static void go_on(struct tls_filter *s)
{
    struct tls_server *server = s->server;
    char *plain = server->plain;
    size_t length = s->kept_length, at = 0, got = 0, used = 0;
    if (length)
        memcpy(plain, s->kept, length);
    s->again = false;
    do {
        memmove(plain, plain + at, length -= at);
        while (length < TLS_PLAIN_BYTES && can_go_on(s) && !s->ended && !s->again &&
               pull(s, plain + length, TLS_PLAIN_BYTES - length, &got))
            length += got;
        for (at = 0; at < length && can_go_on(s); at += used)
            if (!(used = server->take(s, plain + at, length - at)))
                break;
    } while (at && can_go_on(s) && !s->ended);
    s->again = s->again || !can_go_on(s);
    if (s->conn.closing) // the rest is thrown away
        length = at;
    keep(s, plain + at, length - at);
}

size_t tls_received(struct tls_filter *s, const char *bytes, size_t length)
{
    if (!can_go_on(s) || s->state == TLS_OVER)
        return 0;
    s->in = bytes;
    s->in_length = length;
    if (s->ssl || begin(s))
        go_on(s);
    length -= s->in_length;
    s->in_length = 0; // the bytes that are left belong to the loop
    return length;
}

bool tls_produce(struct tls_filter *s)
{
    if (!s->again || s->state == TLS_OVER || !can_go_on(s))
        return false;
    if (s->ssl || begin(s))
        go_on(s);
    return s->again;
}

void tls_closed(struct tls_filter *s)
{
    if (s->state == TLS_ESTABLISHED && !s->ended)
        log_line("closed without close_notify: its last bytes may be missing");
    if (s->state < TLS_ESTABLISHED && !s->server->connects) {
        log_line("left before the handshake was done");
        s->server->abandoned++;
    }
    leave_half_open(s);
    // OpenSSL's cache forgets a session whose connection ended without close_notify. This
    // server keeps it: HTTP itself says where a message ends.
    if (s->ssl && s->state == TLS_ESTABLISHED)
        SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(s->ssl);
    free(s->kept);
}

bool tls_timed_out(struct tls_filter *s, bool busy)
{
    bool established = s->state >= TLS_ESTABLISHED;
    if (established && busy)
        return false;
    if (established) {
        tls_close(s);
        return true;
    }
    log_line("refused: the handshake takes too long");
    s->server->refused++;
    end(s);
    return true;
}

// ---- what the lesson writes ----------------------------------------------------------------

size_t tls_room(const struct tls_filter *s)
{
    size_t room = conn_room(&s->conn);
    size_t overhead = (room / RECORD_BYTES + 1) * RECORD_OVERHEAD;
    if (room <= overhead)
        return 0;
    return room - overhead;
}

void tls_write(struct tls_filter *s, const char *bytes, size_t length)
{
    size_t written;
    if (s->state == TLS_OVER || !length)
        return;
    ERR_clear_error();
    // Before the handshake is done, only a client that sent early data gets an answer.
    int good;
    if (s->state == TLS_ESTABLISHED)
        good = SSL_write_ex(s->ssl, bytes, length, &written);
    else
        good = SSL_write_early_data(s->ssl, bytes, length, &written);
    if (!good)
        refuse(s);
}

void tls_close(struct tls_filter *s)
{
    if (s->state == TLS_ESTABLISHED) {
        ERR_clear_error();
        SSL_shutdown(s->ssl); // sends the close_notify, and does not wait for the client's
        s->conn.ended = s->conn.ended || s->ended; // the client's was here: no need to linger
    }
    s->ended = true;
    end(s);
}
