// tls_filter.h: TLS as a filter on the loop of ../common/loop.h. The loop reads and sends; this
// turns the bytes that it brings into plaintext, and plaintext into bytes that it sends.
//
//     struct connection { struct tls_filter tls; ... };      // which begins with a struct conn
//     received():  return tls_received(&c->tls, bytes, length);
//     produce():   return tls_produce(&c->tls);
//
// OpenSSL never sees a socket. It reads and writes through a BIO of ours, and that is all: what
// it reads are the bytes which the loop has just handed to received(), what it writes goes
// where the loop collects output. So nothing waits, many records leave in one send(), and what
// the rules of loop.h promise about memory and clients that take nothing is true here as well.
#ifndef TLS_FILTER_H
#define TLS_FILTER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

#define TLS_PLAIN_BYTES   65536 // that may wait to be used: the longest message there can be
#define TLS_HALF_OPEN_MAX 2048  // handshakes at once: of more, the oldest is broken off

struct tls_filter;

// What all connections of a server share. Zero it but for the first three.
struct tls_server {
    SSL_CTX *ctx;
    int handshake_ms; // that a handshake may take
    bool early_data;  // take it, if the context offers it
    // `length` bytes of plaintext are here, those left over before among them. Returns how many
    // it has used. Called again when more have come, or when output that it made is gone.
    size_t (*take)(struct tls_filter *, const char *bytes, size_t length);
    // The handshake is done. NULL: nothing to do.
    void (*established)(struct tls_filter *);
    struct tls_filter *oldest, *newest; // of the handshakes that are not done
    int half_open;
    BIO_METHOD *method;
    long handshakes, resumed, refused;
    long abandoned;              // by clients that left before the handshake was done
    char plain[TLS_PLAIN_BYTES]; // where one connection's plaintext is, at a time
};

struct tls_filter {
    struct conn conn;
    struct tls_server *server;
    SSL *ssl; // NULL until the first bytes are here: a client that only connects costs little
    enum { TLS_EARLY, TLS_HANDSHAKE, TLS_ESTABLISHED, TLS_OVER } state;
    bool paused;      // set it to have take() not called: the lesson is busy
    bool ended;       // the client has said, by close_notify, all that it will say
    bool again;       // there may be more to take as soon as there is room for an answer
    const char *in;   // what OpenSSL may read now: belongs to the loop
    size_t in_length; // how much of it is left
    char *kept;       // plaintext that is not used yet; NULL: none
    size_t kept_length;
    int alert;                        // the last one that was sent or received; -1: none
    struct tls_filter *older, *newer; // among the handshakes that are not done
};

// Before the loop runs, and after it.
void tls_server_begin(struct tls_server *server);
void tls_server_end(struct tls_server *server);

// The loop's opened(), received(), produce() and closed(), for a connection that is a struct
// secure.
void tls_opened(struct tls_filter *s, struct tls_server *server);
size_t tls_received(struct tls_filter *s, const char *bytes, size_t length);
bool tls_produce(struct tls_filter *s);
void tls_closed(struct tls_filter *s);

// For the loop's timeout(): true if it was the handshake's, which is then broken off.
bool tls_timed_out(struct tls_filter *s);

// How many bytes of plaintext surely find room now, and writes so many or fewer.
size_t tls_room(const struct tls_filter *s);
void tls_write(struct tls_filter *s, const char *bytes, size_t length);

// Closes the connection when its output is sent, and says so first: from the close_notify the
// client knows that nothing was cut off (RFC 8446 §6.1).
void tls_close(struct tls_filter *s);

// The answer, in plain text, to a client that speaks HTTP on a port of HTTPS.
const char *tls_not_https(void);

#endif
