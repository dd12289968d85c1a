// stun.h: STUN messages (RFC 8489): reads one, and writes one.
//
//     0                   4                   8                      20
//     | type    | length  | magic cookie      | transaction id       | attributes ...
//
// Each attribute is a type, a length, and a value that is filled up to a multiple of four
// bytes. A message of RFC 3489 has no magic cookie: its transaction id has 16 bytes.
#ifndef STUN_H
#define STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define STUN_HEADER      20
#define STUN_COOKIE      0x2112A442u
#define STUN_TRANSACTION 16     // bytes, with the cookie
#define STUN_OPTIONAL    0x8000 // attributes from here on may be ignored (section 14)
#define STUN_MAX         1500   // bytes of a message that this program reads or writes
#define STUN_SOFTWARE    "backend workbench"

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

// The methods from RELAY_ALLOCATE on are this workbench's own: see relay.h. TURN has others.
enum stun_method {
    STUN_BINDING = 0x001,
    RELAY_ALLOCATE = 0x0f1,
    RELAY_PERMIT = 0x0f2,
    RELAY_SEND = 0x0f3,
    RELAY_DATA = 0x0f4
};

enum stun_attribute {
    MAPPED_ADDRESS = 0x0001,
    CHANGE_REQUEST = 0x0003, // RFC 5780
    SOURCE_ADDRESS = 0x0004, // RFC 3489, as is the next one
    CHANGED_ADDRESS = 0x0005,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    LIFETIME = 0x000d,         // RFC 8656, as are the next three
    XOR_PEER_ADDRESS = 0x0012, //
    DATA = 0x0013,
    REALM = 0x0014,
    NONCE = 0x0015,
    XOR_RELAYED_ADDRESS = 0x0016,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024, // RFC 8445
    USE_CANDIDATE = 0x0025,
    SOFTWARE = 0x8022,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029, // RFC 8445
    ICE_CONTROLLING = 0x802a,
    RESPONSE_ORIGIN = 0x802b, // RFC 5780
    OTHER_ADDRESS = 0x802c
};

// CHANGE-REQUEST's bits: from where the answer shall come.
#define CHANGE_PORT    2u
#define CHANGE_ADDRESS 4u

// A message that was read. It points into the bytes that were given to stun_read().
struct stun_message {
    const uint8_t *bytes;
    size_t length;
    enum stun_class class;
    uint16_t method;
    bool has_cookie;       // false: RFC 3489
    size_t integrity_at;   // where MESSAGE-INTEGRITY begins; 0: there is none
    size_t fingerprint_at; // where FINGERPRINT begins; 0: there is none
};

// Reads a message of exactly `length` bytes. Returns NULL, or why this is no STUN message. A
// FINGERPRINT is checked here; MESSAGE-INTEGRITY needs a key: stun_is_signed().
const char *stun_read(const void *bytes, size_t length, struct stun_message *message);

// How many bytes the message at the beginning of a stream has; 0: its header is not whole yet;
// -1: what comes is no STUN message that this program reads.
long stun_size(const void *bytes, size_t length);

// The next attribute behind `*at` (0: the first one) that counts: those behind
// MESSAGE-INTEGRITY do not. Returns its value, NULL: there is none.
const uint8_t *stun_next(const struct stun_message *message, size_t *at, uint16_t *type,
                         uint16_t *length);

// The value of the first attribute of this type, NULL: the message has none.
const uint8_t *stun_find(const struct stun_message *message, uint16_t type, uint16_t *length);

// The same as a number of 4 or 8 bytes, and as an address. False: there is none, or it is
// malformed. XOR-...-ADDRESS are the types whose address is hidden from NATs that rewrite every
// address that they find (RFC 8489 section 14.2).
bool stun_find_u32(const struct stun_message *message, uint16_t type, uint32_t *value);
bool stun_find_u64(const struct stun_message *message, uint16_t type, uint64_t *value);
bool stun_find_address(const struct stun_message *message, uint16_t type,
                       struct sockaddr_storage *address);

// The code of an error answer, 0: it has none.
int stun_error_code(const struct stun_message *message);

// True if the message has a MESSAGE-INTEGRITY that was made with this key.
bool stun_is_signed(const struct stun_message *message, const char *key);

// Whether two messages belong together: the same transaction id.
bool stun_is_transaction(const struct stun_message *message, const uint8_t *transaction);

// ---- writing -------------------------------------------------------------------------------

// A message that is being written into `bytes`. What finds no room is left out.
struct stun_writer {
    uint8_t *bytes;
    size_t size, length;
};

// Begins a message. `transaction` has STUN_TRANSACTION bytes: the cookie (or what an RFC 3489
// client has in its place) and the id.
void stun_begin(struct stun_writer *writer, void *bytes, size_t size, enum stun_class class,
                uint16_t method, const uint8_t *transaction);

void stun_add(struct stun_writer *writer, uint16_t type, const void *value, size_t length);
void stun_add_text(struct stun_writer *writer, uint16_t type, const char *text);
void stun_add_u32(struct stun_writer *writer, uint16_t type, uint32_t value);
void stun_add_u64(struct stun_writer *writer, uint16_t type, uint64_t value);
void stun_add_address(struct stun_writer *writer, uint16_t type,
                      const struct sockaddr_storage *address);
void stun_add_error(struct stun_writer *writer, int code, const char *reason);

// These two come last, in this order.
void stun_sign(struct stun_writer *writer, const char *key);
void stun_add_fingerprint(struct stun_writer *writer);

// A new transaction: the cookie, and twelve bytes that nobody can guess.
void stun_new_transaction(uint8_t transaction[STUN_TRANSACTION]);

#endif
