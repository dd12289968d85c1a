// call.h: one HTTP call with a deadline, and what became of it. A call never ends the program.
// If no answer has come, the outcome is not known: the server may have done its work or not.
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "fetch.h"

#define CALL_BYTES       FETCH_BYTES // of a request; of an answer's head and content
#define CALL_FIELD_BYTES 64          // that are kept of an answer's field
#define CALL_TEXT_BYTES  300         // of a description
#define CALL_KEY_BYTES   255         // of an Idempotency-Key, at most
#define CALL_HOST_BYTES  300

enum call_outcome {
    CALL_ANSWERED, // status says how
    CALL_REFUSED,  // there was no connection: the server has not seen the request
    CALL_LOST,     // the connection ended before the answer was whole: the outcome is not known
    CALL_TIMEOUT,  // the deadline came before the whole answer: the outcome is not known
    CALL_GARBLED,  // the answer is not HTTP/1.1, or longer than CALL_BYTES
};

// Where the server is.
struct service {
    struct sockaddr_storage address;
    char host[CALL_HOST_BYTES]; // as the Host field has it: "[::1]:8010"
};

struct call_request {
    const char *method, *target;
    const char *key;     // Idempotency-Key, which call_key_is_good(); NULL: none
    const char *content; // JSON; NULL: none
    int timeout_ms;
};

struct call {
    enum call_outcome outcome;
    char why[FETCH_WHY_BYTES]; // there is no answer, for this reason; empty: nothing is known
    int status;                // of an answer, else 0
    bool replayed;             // Idempotent-Replayed: true
    char retry_after[CALL_FIELD_BYTES];
    int64_t began_ns, ended_ns; // on now_ns()'s clock
    size_t content_length;
    char content[CALL_BYTES + 1]; // '\0'-terminated
};

// Resolves the address once, for all calls. Dies if there is no such host.
void service_at(struct service *service, const char *host, int port);

// Makes the call, on a connection of its own, and fills in *call. An answer that is here one
// moment after timeout_ms counts as none; and in silence it waits FETCH_PATIENCE_MS at most.
void call_make(const struct service *service, const struct call_request *request,
               struct call *call);

// "201 Created, replayed", "timed out: no answer": for a line of the story. The text is
// constant, or *text.
const char *call_text(const struct call *call, char text[CALL_FIELD_BYTES]);

// The same with the reason why there is no answer: "connection lost: the answer ended after 4
// of 100 bytes".
const char *call_describe(const struct call *call, char text[CALL_TEXT_BYTES]);

// Whether a key can be sent: 1 to CALL_KEY_BYTES printable ASCII characters (RFC 9651 §3.3.3).
bool call_key_is_good(const char *key);

// The value of a member of the answer's JSON: a text without its quotes, or a number. Copies at
// most size - 1 bytes and '\0'; returns text, empty if there is no such member.
char *call_member(const struct call *call, const char *name, char *text, size_t size);

#endif
