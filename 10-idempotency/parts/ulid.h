// ulid.h: names that sort by the time at which they were given (the ULID specification).
//
//     01KAJ5V8C0  8M4ZQ2E0W7T9H3RX        26 characters of Crockford's base32, 128 bits:
//     48 bits of  80 random bits          milliseconds since 1970, then what makes it unique
//
// Within a millisecond each one is its predecessor plus 1, so that the names of one source
// never go back, whatever the clock does. Text and bytes sort alike.
//
// A source belongs to one thread: nothing here locks. Two sources give different names, but
// only those of different milliseconds are in order.
#ifndef ULID_H
#define ULID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ULID_BYTES  16
#define ULID_LENGTH 26               // of its text, without '\0'
#define ULID_MS_MAX 281474976710655u // 2^48 - 1: in the year 10889

struct ulid {
    uint8_t bytes[ULID_BYTES]; // most significant first
};

struct ulid_source {
    struct ulid last; // all zero at first
};

// Gives the next name. False if the kernel has no random bits, now_ms is past ULID_MS_MAX, or
// a millisecond's 2^80 names are used up (the specification: fail, rather than go back): then
// *ulid is as it was.
bool ulid_next(struct ulid_source *source, uint64_t now_ms, struct ulid *ulid);

// Milliseconds since 1970, of the clock on the wall: it can go back.
uint64_t ulid_now_ms(void);

// The time in a name.
uint64_t ulid_ms(const struct ulid *ulid);

// Writes the 26 characters and '\0'; returns text.
char *ulid_write(const struct ulid *ulid, char text[ULID_LENGTH + 1]);

// Reads a name, in capitals or not. False, and *ulid is as it was, if it is none: another
// length, one of I, L, O, U or another character, or more than 128 bits (a first character
// above 7).
bool ulid_read(const char *text, size_t length, struct ulid *ulid);

#endif
