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

#define PATIENCE_MS 10000 // for what the server owes us
#define WHY_BYTES   160
#define PIN_BYTES   32 // SHA-256

// All may be left out: 0, NULL, false.
struct connect_settings {
    const char *name;     // the server's: sent as SNI, and the certificate has to be for it;
                          // an IP address is only checked
    const char *ca;       // FILE with the CAs to trust; NULL: none
    bool insecure;        // take any certificate
    const char *pin;      // SHA-256, in hex, that the server's public key must have
    const char *cert;     // FILE with a certificate of our own, and
    const char *key_file; // FILE with its key
    int version;          // TLS1_2_VERSION, TLS1_3_VERSION: this one only
    const char *ciphers;  // of TLS 1.2, as OpenSSL writes them
    const char *groups;   // of the key exchange, in the order of preference
    const char *alpn;     // protocols, with ',' between them
    SSL_SESSION *session; // to be resumed
    const char *early;    // data that goes before the handshake is done, if the session allows
    bool nagle;           // leave Nagle's algorithm on
    bool one_by_one;      // write() for each record
    // Told of each message of the handshake, both ways: see SSL_set_msg_callback(3).
    void (*message)(int to_server, int version, int type, const void *bytes, size_t length,
                    SSL *ssl, void *argument);
};

struct connection {
    SSL_CTX *ctx;
    SSL *ssl;
    bool up;              // the handshake is done, and the server is the right one
    bool early_taken;     // the server has taken the early data
    bool truncated;       // the connection has ended, and the server had not said that it would
    char why[WHY_BYTES];  // it is not up, or not any more
    SSL_SESSION *session; // the last that the server has given; NULL: none yet
    int64_t started_ns, connected_ns, established_ns;
    struct recording recording;
};

// Says where the server is; and a file for the secrets of all connections, for Wireshark.
void connect_to(const char *host, int port);
void connect_keylog(const char *path);

// A TCP connection to it that loses its patience; dies if there is no server.
int connect_tcp(void);

// Opens a connection; it is not up if one side has refused the other, and c->why says why. Dies
// if there is no server, or a file is not as it should be.
struct connection *connection_open(const struct connect_settings *settings);

// The same in two steps: all that can be done before, and then what takes its time.
struct connection *connection_prepare(const struct connect_settings *settings);
bool connection_start(struct connection *c, const struct connect_settings *settings);

// Says close_notify, and frees it.
void connection_close(struct connection *c);

// False: it has broken, see c->why.
bool connection_send(struct connection *c, const void *bytes, size_t length);

// Reads some bytes: 1 there are some, 0 the server has said that this was all, -1 it has
// broken.
int connection_read(struct connection *c, void *bytes, size_t size, size_t *length);

// The SHA-256 of a certificate's public key (its SubjectPublicKeyInfo, as RFC 7469 §2.4 says).
bool connect_fingerprint(const X509 *certificate, uint8_t hash[PIN_BYTES]);

// Reads 64 digits. False: they are something else.
bool connect_read_pin(const char *hex, uint8_t pin[PIN_BYTES]);

#endif
