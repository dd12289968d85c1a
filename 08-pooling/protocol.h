// protocol.h: what lesson 08's client and server agree on: a small database protocol.
//
// Both sides send frames; numbers are big endian. A payload is a list of fields. A field is a
// length and that many bytes of text:
//
//     bytes  frame                                              bytes  field
//     4      length of the rest of the frame                    2      length of the text
//     4      id: an answer carries the id of its query          ...    text (UTF-8, no zero)
//     1      kind: see below
//     ...    payload: fields
//
//     kind           from    fields               means
//     L  login       client  user, password       the first frame of a connection
//     R  ready       server  session number       logged in: queries may come
//     Q  query       client  text                 several may be sent before the first answer
//     D  row         server  one for each column  one row of an answer
//     C  complete    server  number of rows       the answer ends; the query has succeeded
//     E  error       server  code, text           the answer ends; the session goes on
//     F  fatal       server  code, text           the session ends; id 0: it answers no query
//     X  terminate   client  none                 the session ends
//
// A session works on one query at a time and answers in the order of the queries. So a client
// can do without the ids: it waits for each answer before it sends the next query, or it
// remembers the order of its queries. (PostgreSQL's protocol has no ids. MongoDB's has a
// requestID, and Kafka's a correlation_id.)
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_HEADER_BYTES 9    // length, id, kind
#define FRAME_MAX_BYTES    4096 // the largest legal length; the smallest is 5: id and kind
#define FIELDS_MAX         8    // in one frame
#define CODE_BYTES         5    // an error code is a SQLSTATE
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
#define CODE_VIOLATION    "08P01" // the peer breaks this protocol
#define CODE_OUT_OF_RANGE "22003" // a number is too large
#define CODE_PASSWORD     "28P01" // the password is wrong
#define CODE_SYNTAX       "42601" // there is no such query
#define CODE_TOO_MANY     "53300" // the server has no place for another session
#define CODE_TOO_LONG     "54000" // a query, or a list in it, is too long
#define CODE_CANCELED     "57014" // the login did not come in time
#define CODE_SHUTDOWN     "57P01" // the server stops
#define CODE_IDLE         "57P05" // the session had no query for too long
// Codes that the client gives to its own errors.
#define CODE_UNREACHABLE "08001" // the client cannot connect
#define CODE_BROKEN      "08006" // the connection is gone
#define CODE_TIMEOUT     "HYT00" // no answer came in time (a code of ODBC)

struct field {
    const char *at; // not '\0'-terminated
    size_t length;
};

struct frame {
    uint32_t id;
    uint8_t kind;
    int count; // of fields; -1: the payload is no list of at most FIELDS_MAX fields
    struct field fields[FIELDS_MAX];
};

// Reads the frame that begins at `bytes`. Returns how many bytes the frame has; 0: some of them
// are still missing; -1: its length is out of bounds, so the next frame cannot be found either.
ssize_t frame_read(const void *bytes, size_t length, struct frame *frame);

bool field_is(const struct field *field, const char *text);

// Writes a frame. Returns how many bytes it has; 0: `size` or a limit is too small.
size_t frame_write(void *room, size_t size, enum kind kind, uint32_t id,
                   const char *const fields[], int count);

#endif
