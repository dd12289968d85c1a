// connect.h: the client's end of TLS: a connection to a server that has shown, by a
// certificate, that it is the right one.
//
//     connect_to(host, port);
//     struct connection *c = connection_open(&(struct connect_settings){.name = "..."});
//     if (c->up) ... connection_send(c, ...) ... connection_read(c, ...) ...
//     else printf("refused: %s\n", c->why);
//     connection_close(c);
#ifndef CONNECT_H
#define CONNECT_H

#include <openssl/ssl.h>

#include "recording_bio.h"

#define PATIENCE_MS 10000 // the client waits so long for a byte of the server
#define WHY_BYTES   160
#define PIN_BYTES   32 // SHA-256

// All may be left out: 0, NULL, false.
struct connect_settings {
    const char *name;     // the server's name: sent as SNI, and the certificate must have it
                          // (an IP address is not sent as SNI)
    const char *ca;       // FILE with the CAs to trust; NULL: none
    bool insecure;        // accept any certificate
    const char *pin;      // SHA-256, in hex, that the server's public key must have
    const char *cert;     // FILE with a certificate of this client
    const char *key_file; // FILE with the key of that certificate
    int version;          // TLS1_2_VERSION or TLS1_3_VERSION: only this one; 0: both
    const char *ciphers;  // the ciphers of TLS 1.2, as OpenSSL writes them
    const char *groups;   // the groups of the key exchange, the preferred one first
    const char *alpn;     // the protocols to offer, with ',' between them
    SSL_SESSION *session; // the session to resume
    const char *early;    // data to send before the handshake is done, if the session allows it
    bool nagle;           // leave Nagle's algorithm on
    bool one_by_one;      // one write() for each record
    // Called with each message of the handshake, in both directions: SSL_set_msg_callback(3).
    void (*message)(int to_server, int version, int type, const void *bytes, size_t length,
                    SSL *ssl, void *argument);
};

struct connection {
    SSL_CTX *ctx;
    SSL *ssl;
    bool up;                // the handshake is done, and the server is the right one
    bool early_taken;       // the server has taken the early data
    bool truncated;         // the connection has ended, but the server has sent no close_notify
    char why[WHY_BYTES];    // if it is not up: the reason
    SSL_SESSION *session;   // the last session that the server has given; NULL: none yet
    int64_t started_ns;     // when connect() was called
    int64_t connected_ns;   // when connect() returned
    int64_t established_ns; // when the handshake was done
    struct recording recording;
};

// connect_to() sets the server's address. connect_keylog() opens a file, to which the secrets
// of all connections are written, for Wireshark.
void connect_to(const char *host, int port);
void connect_keylog(const char *path);

// Opens a TCP connection to the server, whose reads and writes wait at most PATIENCE_MS. Dies
// if there is no server.
int connect_tcp(void);

// Opens a connection. If one side has refused the other, the connection is not up, and c->why
// has the reason. Dies if there is no server, or if a file of this client is wrong.
struct connection *connection_open(const struct connect_settings *settings);

// The same in two steps: everything before the first packet, and then TCP's connect() and the
// handshake.
struct connection *connection_prepare(const struct connect_settings *settings);
bool connection_start(struct connection *c, const struct connect_settings *settings);

// Sends a close_notify, and frees the connection.
void connection_close(struct connection *c);

// False: the connection is broken, and c->why has the reason.
bool connection_send(struct connection *c, const void *bytes, size_t length);

// Reads some bytes. Returns 1 if there are any, 0 if the server has sent a close_notify, -1 if
// the connection is broken.
int connection_read(struct connection *c, void *bytes, size_t size, size_t *length);

// The SHA-256 of a certificate's public key (its SubjectPublicKeyInfo, as RFC 7469 §2.4 says).
bool connect_fingerprint(const X509 *certificate, uint8_t hash[PIN_BYTES]);

// Reads 64 hexadecimal digits. False: the text is something else.
bool connect_read_pin(const char *hex, uint8_t pin[PIN_BYTES]);

#endif
