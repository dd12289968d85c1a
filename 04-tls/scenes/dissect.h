// dissect.h: reads TLS as it is on the wire, without any key: records, and in them the messages
// of a handshake, as far as they are not encrypted (RFC 8446 §4, §5; RFC 5246 §7).
//
// An attacker may have made the bytes, so each length is checked. The results point into the
// bytes.
#ifndef DISSECT_H
#define DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISSECT_RANDOM    32
#define DISSECT_MESSAGES  32768 // bytes of a direction's unencrypted handshake
#define DISSECT_PROTOCOLS 80

enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA };

enum {
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_SERVER_DONE = 14,
    MESSAGE_CLIENT_KEY_EXCHANGE = 16,
};

struct bytes {
    const uint8_t *at;
    size_t length;
};

struct record {
    uint8_t type;
    uint16_t version;
    struct bytes body;
};

struct message {
    uint8_t type;
    struct bytes body;
    struct bytes whole; // with the four bytes of its header
};

struct hello {
    int version;                       // 0x0303: 1.2, 0x0304: 1.3; of a client the highest
    const uint8_t *random;             // DISSECT_RANDOM bytes
    uint16_t cipher;                   // of a ServerHello
    bool extended_master;              // RFC 7627
    bool resumes, early;               // of a ClientHello: a session of 1.3, early data
    struct bytes name;                 // of a ClientHello: SNI
    char protocols[DISSECT_PROTOCOLS]; // ALPN, with ' ' between them
};

// Takes the next record from the bytes. False: there is no whole record.
bool dissect_record(struct bytes *bytes, struct record *record);

// Collects the messages of one direction's handshake from its records, up to the first
// encrypted one. Returns the bytes in `to`.
struct bytes dissect_handshake(struct bytes direction, uint8_t to[DISSECT_MESSAGES]);

// Takes the next message from such a collection. False: there is no whole message.
bool dissect_message(struct bytes *bytes, struct message *message);

// Finds the first message of a type. False: there is none.
bool dissect_find(struct bytes handshake, uint8_t type, struct message *message);

// Reads a ClientHello or a ServerHello. False: it is not well-formed.
bool dissect_hello(const struct message *message, struct hello *hello);

// The server's own certificate in a Certificate message of TLS 1.2, in DER. False: none.
bool dissect_certificate(const struct message *message, struct bytes *der);

#endif
