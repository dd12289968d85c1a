// tls_filter.h: TLS as a filter on the loop of ../common/loop.h. The loop reads and sends; this
// turns the bytes that it brings into plaintext, and plaintext into bytes that it sends.
//
//     struct connection { struct tls_filter tls; ... };      // which begins with a struct conn
//     received():  return tls_received(&c->tls, bytes, length);
//     produce():   return tls_produce(&c->tls);
//
// OpenSSL never sees a socket. It reads and writes through a BIO that this file makes: it reads
// the bytes that the loop has just given to received(), and it writes to the place where the
// loop collects output. So no call waits, and many records leave in one send(). The rules of
// loop.h about memory, and about clients that take nothing, are kept here as well.
#ifndef TLS_FILTER_H
#define TLS_FILTER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

#define TLS_PLAIN_BYTES   65536 // plaintext that may wait to be used: the longest message
#define TLS_HALF_OPEN_MAX 2048  // handshakes at once: if there are more, the oldest is ended

struct tls_filter;

// What all connections of a server share. The caller sets the members down to begun(), and
// zeroes the others.
struct tls_server {
    SSL_CTX *ctx;
    int handshake_ms; // a handshake may take so long
    bool early_data;  // accept early data, if the context offers it
    bool connects;    // these connections are the program's own: it is the client of TLS
    // Called when `length` bytes of plaintext are here; bytes that were not used before are the
    // first of them. Returns how many it has used. It is called again when more bytes have
    // come, or when its output is sent.
    size_t (*take)(struct tls_filter *, const char *bytes, size_t length);
    // Called when the handshake is done. NULL: nothing to do.
    void (*established)(struct tls_filter *);
    // Called with a new SSL, before its handshake. NULL: nothing to do.
    void (*begun)(struct tls_filter *);
    struct tls_filter *oldest, *newest; // the list of handshakes that are not done
    int half_open;                      // how many are in this list
    BIO_METHOD *method;
    long handshakes, resumed, refused;
    long abandoned;              // clients that left before the handshake was done
    char plain[TLS_PLAIN_BYTES]; // plaintext of one connection at a time
};

struct tls_filter {
    struct conn conn;
    struct tls_server *server;
    SSL *ssl; // NULL until the first bytes are here: a client that only connects costs little
    enum { TLS_EARLY, TLS_HANDSHAKE, TLS_ESTABLISHED, TLS_OVER } state;
    bool paused;        // while it is true, take() is not called: the lesson is busy
    bool ended;         // the client has sent a close_notify: no more bytes will come
    bool again;         // there may be more to take as soon as there is room for an answer
    const char *in;     // bytes that OpenSSL may read now; they belong to the loop
    size_t in_length;   // how many of them are left
    char *kept;         // plaintext that is not used yet; NULL: none
    size_t kept_length; // bytes of it
    int alert;          // the last alert that was sent or received; -1: none
    struct tls_filter *older, *newer; // neighbours in the list of handshakes that are not done
};

// Call one before the loop runs, the other one after it.
void tls_server_begin(struct tls_server *server);
void tls_server_end(struct tls_server *server);

// The loop's opened(), received(), produce() and closed(), for a connection that begins with a
// struct tls_filter.
void tls_opened(struct tls_filter *s, struct tls_server *server);
size_t tls_received(struct tls_filter *s, const char *bytes, size_t length);
bool tls_produce(struct tls_filter *s);
void tls_closed(struct tls_filter *s);

// For the loop's timeout(). False: the handshake is done, and the connection is busy, so it is
// for the caller to end it. Otherwise it is closed now.
bool tls_timed_out(struct tls_filter *s, bool busy);

// tls_room() says how many bytes of plaintext find room now; tls_write() writes at most so
// many.
size_t tls_room(const struct tls_filter *s);
void tls_write(struct tls_filter *s, const char *bytes, size_t length);

// Sends a close_notify, and closes the connection when all output is sent. From the
// close_notify the client knows that nothing was cut off (RFC 8446 §6.1).
void tls_close(struct tls_filter *s);

// The answer, in plain text, to a client that sends HTTP without TLS to this port.
const char *tls_not_https(void);

#endif
