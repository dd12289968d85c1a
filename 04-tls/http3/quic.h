// quic.h: what this folder needs of OpenSSL's QUIC (RFC 9000): a listener for a server, a
// connection for a client, and the wait for the next thing to do.
//
// QUIC is a transport of its own: it numbers and acknowledges packets, sends lost bytes again,
// and slows down where packets are lost, all above UDP and inside the program. OpenSSL reads
// and writes the socket itself, when it is told to (SSL_handle_events). Nothing here waits but
// quic_wait(), so one thread serves all connections.
#ifndef QUIC_H
#define QUIC_H

#include <openssl/quic.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "openssl_3_5.h"

#define PROTOCOL_H3    "h3" // the name of HTTP/3 in ALPN (RFC 9114 §3.1)
#define QUIC_WHY_BYTES 200
#define QUIC_IDLE_MS   30000 // a connection without any packet ends after this time

// The contexts: what is the same for all connections of a server, or of a client. `folder` has
// the lesson's certificates (they are made if they are missing); `ca` is a file with the CAs
// that the client trusts, NULL: any certificate is good. `keylog` is a file for the secrets, or
// NULL. They die with the reason if that is not possible.
SSL_CTX *quic_server_context(const char *folder, const char *keylog);
SSL_CTX *quic_client_context(const char *ca, const char *keylog);

// A UDP socket on host:port, and a listener on it. `validate`: a client whose address is new
// has to show first, by a Retry, that it gets what is sent there (RFC 9000 §8.1).
int quic_bind(const char *host, int port);
SSL *quic_listener(SSL_CTX *ctx, int fd, bool validate);

// A connection to host:port that has sent nothing yet, to a server whose certificate has to
// have this name. The socket belongs to it. Dies if there is no such host.
SSL *quic_connection(SSL_CTX *ctx, const char *host, int port, const char *name);

// Makes a new connection, or a new stream, do nothing by itself: it neither waits nor reads the
// socket. False: OpenSSL refuses.
bool quic_set_passive(SSL *ssl);

// Waits until the socket of `ssl` (a listener or a client's connection) has something, or a
// timer of QUIC is due, or `other_fd` is readable (-1: none), or now_ns() is `until_ns`. The
// caller then calls SSL_handle_events(). Returns true if `other_fd` is readable.
bool quic_wait(SSL *ssl, int other_fd, int64_t until_ns);

// True if the connection has ended, or is about to: then `why` says which side ended it, and
// why.
bool quic_is_closed(SSL *ssl, char why[QUIC_WHY_BYTES], bool *by_peer);

// Ends a connection with an error code of HTTP/3. Returns true when all is done: until then it
// is to be called again, because a peer that sends more is told once more (RFC 9000 §10.2.1).
// With H3_NO_ERROR what was written is sent first.
bool quic_close(SSL *ssl, uint64_t code, const char *why);

#endif
