// protocol.h: what lesson 08's client and server agree on: a small database protocol.
//
// Everything is a frame; numbers are big endian. A payload is a list of fields, and a field is
// its length and so many bytes of text:
//
//     bytes  frame                                              bytes  field
//     4      length of all that is behind these four            2      length of the text
//     4      id: an answer carries the id of its query          ...    text (UTF-8, no zero)
//     1      kind: see below
//     ...    payload: fields
//
//     kind           from    fields               means
//     L  login       client  user, password       the first frame of a connection
//     R  ready       server  session number       logged in: queries may come
//     Q  query       client  text                 several may be sent before the first answer
//     D  row         server  one for each column  a part of an answer, as many as there are
//     C  complete    server  number of rows       the answer ends, and was good
//     E  error       server  code, text           the answer ends; the session goes on
//     F  fatal       server  code, text           the session ends; id 0 if it answers nothing
//     X  terminate   client  none                 the session ends
//
// A session works on one query at a time and answers in the order of the queries. So a client
// needs no ids, if it waits for one answer before it sends the next query; or keeps the order.
// (PostgreSQL's protocol has no ids at all. MongoDB's and Kafka's have them, under the names of
// requestID and correlation_id.)
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_HEADER_BYTES 9    // length, id, kind
#define FRAME_MAX_BYTES    4096 // that the length may say; it is 5 at least: id and kind
#define FIELDS_MAX         8    // of one frame
#define CODE_BYTES         5    // of an error: a code of SQLSTATE
#define DEFAULT_USER       "app"
#define DEFAULT_PASSWORD   "workbench"

enum kind {
    LOGIN = 'L',
    READY = 'R',
    QUERY = 'Q',
    ROW = 'D',
    COMPLETE = 'C',
    ERROR = 'E',
    FATAL = 'F',
    TERMINATE = 'X',
};

// Codes as SQL and PostgreSQL (appendix A of its manual) use them.
#define CODE_VIOLATION    "08P01" // of this protocol
#define CODE_OUT_OF_RANGE "22003" // a number
#define CODE_PASSWORD     "28P01" // wrong
#define CODE_SYNTAX       "42601" // no such query
#define CODE_TOO_MANY     "53300" // connections
#define CODE_TOO_LONG     "54000" // a query, or a list in it
#define CODE_CANCELED     "57014" // a login that took too long
#define CODE_SHUTDOWN     "57P01" // the server stops
#define CODE_IDLE         "57P05" // a session without queries for too long
// Those that a client finds by itself.
#define CODE_UNREACHABLE "08001" // no connection
#define CODE_BROKEN      "08006" // the connection is gone
#define CODE_TIMEOUT     "HYT00" // no answer in time (a code of ODBC)

struct field {
    const char *at; // not '\0'-terminated
    size_t length;
};

struct frame {
    uint32_t id;
    uint8_t kind;
    int count; // of fields; -1: the payload is no list of fields, or of too many
    struct field fields[FIELDS_MAX];
};

// Reads the frame that begins at `bytes`. Returns how many bytes it takes, 0 if they are not
// all here, -1 if its length is out of bounds: then it is unknown where the next one begins.
ssize_t frame_read(const void *bytes, size_t length, struct frame *frame);

bool field_is(const struct field *field, const char *text);

// Writes a frame. Returns how many bytes it takes, 0 if `size` or a limit is too small.
size_t frame_write(void *room, size_t size, enum kind kind, uint32_t id,
                   const char *const fields[], int count);

#endif
