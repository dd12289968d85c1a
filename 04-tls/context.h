// context.h: what this lesson's server agrees to: versions, ciphers, groups, certificates by
// name, protocols by ALPN, sessions, early data. OpenSSL keeps it in an SSL_CTX, one for each
// certificate that a client can ask for by name.
#ifndef CONTEXT_H
#define CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#define GROUPS         "X25519:P-256:P-384"          // for the key exchange
#define CIPHERS_OF_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20" // forward secrecy and AEAD, nothing else
#define EARLY_DATA_MAX 4096                          // bytes of 0-RTT data
#define SESSIONS_MAX   1024                          // that the server's own cache remembers
#define SESSION_S      7200 // seconds for which a session can be resumed
#define TICKETS        2    // that a client of 1.3 gets after a full handshake

#define PROTOCOL_HTTP "http/1.1" // the names of ALPN (RFC 7301)
#define PROTOCOL_OLD  "http/1.0"
#define PROTOCOL_ECHO "echo/1"

struct context_settings {
    int version_min, version_max; // TLS1_2_VERSION, TLS1_3_VERSION
    const char *ciphers;          // NULL: as above; names with TLS_ are those of 1.3
    const char *groups;           // NULL: as above
    bool rsa, ecdsa;              // which of its own certificates the server has
    const char *chain, *key;      // a certificate from elsewhere, in place of its own; or NULL
    const char *folder;           // of its own
    bool require_client_cert;
    bool early_data, anti_replay;
    bool echo;          // the protocol echo/1 is spoken here, too
    bool tickets;       // the client keeps the session, encrypted; else the server remembers it
    const char *keylog; // a file for the secrets of all sessions, for Wireshark; NULL: none
};

struct context; // what belongs together: the SSL_CTXs, the key log

// Makes them. Dies with the reason if a file or a name is not as it should be.
struct context *context_new(const struct context_settings *settings);
void context_free(struct context *context);

// What a new connection begins with: by the name that it asks for it moves to another one.
SSL_CTX *context_first(const struct context *context);

// Opens a file for secrets, which no other user may read. -1: that is not possible, see errno.
int context_open_keylog(const char *path);

// An error of OpenSSL's, in words. NULL: there are none. Of an alert for which this OpenSSL has
// no words (3.0.13 lacks some) it is the alert's name.
const char *context_reason(unsigned long error);

// True if there are such ciphers; such groups.
bool context_knows_ciphers(const char *ciphers);
bool context_knows_groups(const char *groups);

// The name of the group whose key exchange a connection has used ("X25519"), for people.
const char *context_group_name(SSL *ssl);

#endif
