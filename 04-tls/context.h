// context.h: the policy of this lesson's server: which versions, ciphers and groups it accepts,
// which certificate it shows for which name, protocols by ALPN, sessions, early data. OpenSSL
// keeps a policy in an SSL_CTX. There is one for each certificate that a client can ask for by
// name.
#ifndef CONTEXT_H
#define CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "certificates.h"

#define GROUPS         "X25519:P-256:P-384"          // for the key exchange
#define CIPHERS_OF_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20" // forward secrecy and AEAD, nothing else
#define EARLY_DATA_MAX 4096                          // bytes of 0-RTT data
#define SESSIONS_MAX   1024                          // sessions in the server's own cache
#define SESSION_S      7200 // seconds for which a session can be resumed
#define TICKETS        2    // tickets for a client of TLS 1.3, after a full handshake

#define PROTOCOL_HTTP "http/1.1" // the names of ALPN (RFC 7301)
#define PROTOCOL_OLD  "http/1.0"
#define PROTOCOL_ECHO "echo/1"

struct context_settings {
    int version_min, version_max; // TLS1_2_VERSION, TLS1_3_VERSION
    const char *ciphers;          // NULL: CIPHERS_OF_1_2; names with TLS_ are those of 1.3
    const char *groups;           // NULL: GROUPS
    bool rsa, ecdsa;              // which of the lesson's certificates the server has
    const char *chain, *key;      // files of another certificate and its key; or NULL
    const char *folder;           // the folder of the lesson's certificates
    bool require_client_cert;     // the client must show a certificate, too
    bool early_data;              // accept 0-RTT data
    bool anti_replay;             // accept the early data of a session only once
    bool echo;                    // offer the protocol echo/1, too
    bool tickets;                 // the client keeps the session, encrypted; false: the server
                                  // keeps it in its cache
    const char *keylog;           // a file for the secrets of all sessions; NULL: none
};

struct context; // the SSL_CTXs, and the key log

// Makes a context. Dies with the reason if a file or a name is wrong.
struct context *context_new(const struct context_settings *settings);
void context_free(struct context *context);

// The SSL_CTX with which a new connection begins. When the client asks for a name, the
// connection moves to the SSL_CTX of that name.
SSL_CTX *context_first(const struct context *context);

// Gives the context of a server one of the lesson's certificates, and its key.
void context_add_own(SSL_CTX *ctx, const char *folder, enum certificate which);

// Opens a file for secrets that no other user may read. -1: it cannot be opened, see errno.
int context_open_keylog(const char *path);

// An error of OpenSSL, in words; NULL: OpenSSL has no words for it. (Some versions, as 3.0.13,
// have no words for some alerts: then it is the alert's name.)
const char *context_reason(unsigned long error);

// True if OpenSSL knows ciphers, or groups, of these names.
bool context_knows_ciphers(const char *ciphers);
bool context_knows_groups(const char *groups);

// The name of the group that a connection has used for its key exchange: "X25519".
const char *context_group_name(SSL *ssl);

#endif
