// record.h: what the server keeps: each record is one line of JSON in the journal, and one
// struct in memory.
//
//     {"charge":"ch_01J...","amount":500,"currency":"eur","source":"tok_visa",
//      "created_ms":1750000000000,"succeeded":true,"key":"order-17"}
//
// The charge, the key that it was made for, and all that its answer says are one line. The line
// is in the journal or it is not, so charge and key cannot disagree. A key whose line is not
// there was never used.
#ifndef RECORD_H
#define RECORD_H

#include "json.h"

#define AMOUNT_MAX   99999999 // cents; of jpy: yen
#define SOURCE_MAX   64       // characters of a source
#define ACCOUNT_MAX  64       // of an account's name in the path
#define OWNER_MAX    100      // bytes of its owner's name
#define RECORD_BYTES 1024     // of any record as a line
#define ID_LENGTH    29       // "ch_" and a ULID

enum record_kind {
    CHARGE,
    MARK,        // of the notes' pattern: this key has been processed
    ACCOUNT,     // an account was put,
    ACCOUNT_GONE // and deleted
};

enum record_state {
    PENDING, // a charge: the bank is at work. Another record: it is not in the journal yet
    WRITTEN, // its line is in the journal's present group: in memory, then perhaps on the disk
    DURABLE  // the record is on the disk: clients may be told what it says
};

struct record {
    uint8_t kind, state;
    bool succeeded;   // a charge: the bank has accepted it
    bool existed;     // an account: there was one of this name before
    uint8_t currency; // a charge: an index of record_currencies
    char id[ID_LENGTH + 1];
    uint16_t name_length; // bytes of a charge's key, or of an account's name
    uint16_t text_length; // bytes of a charge's source, or of an account's owner
    uint16_t line_length; // bytes of the record's line in the journal
    int64_t amount;       // a charge's amount, or an account's limit
    int64_t created_ms;   // since 1970, by the clock on the wall, which may have been wrong
    int64_t key_from_ms;  // the key's age counts from here: see look_at_the_clock() in store.c
    void *waiter;         // the connection that waits until the record is durable; or NULL
    struct record *next;  // the next record of the journal's present group; later the next mark
    char texts[];         // the text, then the name
};

// A new record, PENDING; NULL if there is no memory. free() ends it.
struct record *record_new(enum record_kind kind, struct http_text name, struct http_text text);

struct http_text record_name(const struct record *record); // length 0: a charge without a key
struct http_text record_text(const struct record *record);

// Writes the line, with '\n' at its end, and sets line_length; returns it, 0 if it would be
// longer than RECORD_BYTES.
size_t record_write(struct record *record, char line[RECORD_BYTES]);

// The record that a line says, DURABLE; NULL if it says none. `json` is room to work in.
struct record *record_read(struct json *json, const char *line, size_t length);

// The currencies that there are; the index of one, -1 if it is none of them.
#define CURRENCIES 5
extern const char record_currencies[CURRENCIES][4];
int record_currency(struct http_text text);

// Whether it has the form of a source, a name of an account: letters, digits, '_', '-', '.'.
bool record_is_word(struct http_text text, size_t max);

#endif
