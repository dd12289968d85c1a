// fetch.h: the client's end of an HTTP/1.1 connection: it sends what it is told to, byte for
// byte, and reads answers as they come. One struct is one connection, and nothing is shared
// between them: each thread may have its own. What goes wrong is a result; only
// fetch_or_die(), for scenes, ends the program.
#ifndef FETCH_H
#define FETCH_H

#include "http.h"
#include "net.h"

#define FETCH_BYTES       32768 // a request; an answer, with what has come behind it
#define FETCH_PATIENCE_MS 10000 // without a deadline: as long as nothing at all may happen
#define FETCH_INTERIM     100   // answers 1xx before the answer that counts
#define FETCH_WHY_BYTES   200   // of the text that fetch_why() makes
#define FETCH_HOST        "Host: workbench\r\n"

enum fetch_result {
    FETCH_OK,
    FETCH_MORE,      // not all of it has come
    FETCH_REFUSED,   // there is no connection, errno says why: the server has seen nothing
    FETCH_CLOSED,    // the server closed the connection before the first byte of the answer
    FETCH_CUT,       // the same in the middle of the answer
    FETCH_RESET,     // the connection is broken, errno says how
    FETCH_TIMEOUT,   // the deadline has passed, or our patience is at its end
    FETCH_MALFORMED, // what has come is refused: fetch_why() gives the reason
    FETCH_TOO_LONG,  // there is no room for what is to be sent, or for what comes
};

struct fetch {
    int fd;               // -1: there is no connection
    int64_t deadline_ns;  // of now_ns(), for all that is done here; 0: none. Change it at will
    uint64_t up, down;    // bytes that were sent, and that have come
    size_t read_max;      // bytes that one read may take; 0: as many as there is room for
    bool head_only;       // the answer to come ends with its head: to HEAD, or one reads on
    char about[NET_NAME]; // the last request's first line; the server's name before that
    // The answer, valid until the next read, also when the connection is closed; its head
    // stands in bytes[]. If it is whole, and head.keep_alive, the connection may be used again.
    struct http_head head;
    struct http_text content;           // not '\0'-terminated
    uint64_t content_bytes, wire_bytes; // its length; with its head and what frames it
    // Called with each part of the content as it comes, which is then not kept; may be NULL.
    void (*piece)(struct fetch *f, struct http_text part);
    bool in_answer; // its head is read, the rest is not
    int interim;    // answers 1xx that came before it
    struct http_body body;
    struct http_text rest; // what has come and is not used yet
    char bytes[FETCH_BYTES];
};

// A connected socket: it waits no longer than FETCH_PATIENCE_MS, and sends at once what it is
// given. -1, and errno, if there is none by the deadline. net_address() finds the server.
int fetch_connect(const struct sockaddr_storage *server, int64_t deadline_ns);

// Connects: all in *f is new, whatever it was.
enum fetch_result fetch_open(struct fetch *f, const struct sockaddr_storage *server,
                             int64_t deadline_ns);
void fetch_close(struct fetch *f);

// Sends text, or bytes.
enum fetch_result fetch_send(struct fetch *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum fetch_result fetch_send_bytes(struct fetch *f, const void *bytes, size_t length);

// Waits for bytes, and reads once.
enum fetch_result fetch_read(struct fetch *f);

// Goes on with the answer as far as it has come: FETCH_OK if it is whole, else FETCH_MORE. A
// 1xx is skipped, but for 101, behind which it is no longer HTTP.
enum fetch_result fetch_take(struct fetch *f);

// Both, until it is whole.
enum fetch_result fetch_answer(struct fetch *f);

// The caller has used the first bytes of the rest, because it reads on by itself.
void fetch_use(struct fetch *f, size_t length);

// Asks, with further fields ("Name: value\r\n", or "") and content (or NULL), and reads the
// answer.
enum fetch_result fetch_ask(struct fetch *f, const char *method, const char *target,
                            const char *fields, const char *content);

// What each result means, in a few words.
extern const char *const fetch_text[];

// Says what went wrong, and how much had come: "cut after 4 of 100 bytes of content",
// "malformed: two Content-Length fields". Call it before anything else changes f or errno.
// Returns text.
char *fetch_why(const struct fetch *f, enum fetch_result result, char text[FETCH_WHY_BYTES]);

// True for FETCH_OK, false for FETCH_MORE; dies of all others, and says what was asked.
bool fetch_or_die(const struct fetch *f, enum fetch_result result);

#endif
