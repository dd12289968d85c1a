// exchange.h: the client's half of HTTP on one connection: the text of a GET, and its answer,
// read as the bytes come. It knows no socket: the load generators (client.c, load.c) read and
// write.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

#define EXCHANGE_READ_BYTES 65536 // one read() brings at most so many
#define EXCHANGE_KEPT_MAX   (HTTP_LINE_BYTES + HTTP_HEAD_BYTES) // of an answer's head
#define EXCHANGE_BYTES      (EXCHANGE_KEPT_MAX + EXCHANGE_READ_BYTES)
#define PATTERN_BYTES       512

enum exchange_result {
    EXCHANGE_MORE,     // more of the answer has to come
    EXCHANGE_ANSWERED, // it is whole: see `status` and `last`
    EXCHANGE_CLOSED, // the server closed the connection before the answer was whole: see `why`
    EXCHANGE_MALFORMED, // what has come is no answer to a GET: see `why`
};

// How the last answer looked that came in one piece. The next one as a rule looks the same, as
// long as its date does: then its head need not be read again, because it ends in the same
// place.
struct pattern {
    char head[PATTERN_BYTES];
    size_t head_length, whole_length; // 0: not known
};

// The answer that a connection waits for. All zero: nothing has come yet.
struct exchange {
    int status;
    bool last;    // the connection cannot be used again
    bool in_body; // the head has been read
    struct http_body body;
    uint64_t content;    // bytes of it that have come
    int64_t content_all; // that were promised; -1: no length was said
    char *kept;          // the beginning of the head, until the rest comes; NULL: nothing
    size_t kept_length;
};

// The text of a request for this path. The caller frees it. NULL: there is no memory.
char *exchange_request(const char *host, int port, const char *path);

// True if a path can stand in a request: it begins with a '/', and has only visible characters.
bool exchange_is_path(const char *path);

// Copies what was kept of the answer to the beginning of `buffer` (EXCHANGE_BYTES of room), and
// returns its length. What is read next belongs behind it.
size_t exchange_restore(const struct exchange *e, char *buffer);

// Reads the answer as far as its bytes have come: `length` bytes, those that were kept among
// them. No more than those: the server has closed the connection. *why says what is wrong, also
// if the answer is whole and has another status than 2xx; NULL: nothing is wrong. The text is
// valid until the next call.
enum exchange_result exchange_take(struct exchange *e, const char *bytes, size_t length,
                                   struct pattern *pattern, const char **why);

// Frees what was kept, and forgets the answer.
void exchange_reset(struct exchange *e);

#endif
