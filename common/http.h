// http.h: HTTP/1.1 messages (RFC 9110, RFC 9112): reading a head and its content from bytes,
// and writing a head. The client's half, which has a socket, is fetch.h.
//
//     http_framing.c   where a message ends: read this first, it is what smugglers attack
//     http_head.c      a head, line by line
//     http_out.c       writing a head
//     http_text.c, http_date.c   texts, lists, numbers, dates
//     http_pseudo.c    what HTTP/2 and HTTP/3 have in place of a request line
//
// Reading copies nothing and allocates nothing: the texts of a head point into the bytes that
// it was read from. Where an RFC leaves a choice between refusing and guessing, these functions
// refuse: two programs that guess differently are a security hole (RFC 9112 §11.2).
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <time.h>

#define HTTP_LINE_BYTES  8192  // of a request line
#define HTTP_HEAD_BYTES  16384 // of all header fields together
#define HTTP_FIELDS      100
#define HTTP_CHUNK_BYTES 256 // of the line with a chunk's size and extensions
#define HTTP_HOST_BYTES  300 // of the text that http_authority() makes

// ---- texts ---------------------------------------------------------------------------------

struct http_text {
    const char *at; // not '\0'-terminated
    size_t length;
};

// Compares a text with a word: http_is() exactly; http_is_token() ignores the case of letters,
// as field names and tokens want it. Inline: the compiler knows how long a literal word is.
static inline bool http_is(struct http_text text, const char *word)
{
    return text.length == strlen(word) && !memcmp(text.at, word, text.length);
}

static inline bool http_is_token(struct http_text text, const char *word)
{
    return text.length == strlen(word) && !strncasecmp(text.at, word, text.length);
}

// The text between two places, without the spaces and tabs around it.
struct http_text http_trim(const char *at, const char *end);

// Takes the next item off a list "a, b,, c" (RFC 9110 §5.6.1). A comma inside quotes belongs to
// its item. False: the list has no further item.
bool http_next_item(struct http_text *list, struct http_text *item);

// Reads a whole number up to `max`: digits and nothing else. False: the text is not one.
bool http_number(struct http_text text, uint64_t max, uint64_t *value);

// The methods that a server with content knows (RFC 9110 §9.3, RFC 5789): first those that
// change nothing. Any other text, also CONNECT and TRACE, is HTTP_OTHER_METHOD.
enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OTHER_METHOD
};
enum http_method http_method(struct http_text method);

// Splits a target into its path, which is the part before the '?' ("/" if that part is empty),
// and its query, which is the part behind it.
void http_split_target(struct http_text target, struct http_text *path,
                       struct http_text *query);

// The value of the parameter `name` in a query "a=1&b=2"; at NULL if there is none.
struct http_text http_parameter(struct http_text query, const char *name);

// True for what may stand in a Host field: a name or an address, perhaps with a port, or
// nothing at all (RFC 9110 §7.2, RFC 3986 §3.2).
bool http_is_host(struct http_text host);

// Writes what a client puts into its Host field: "example.org:8002", "[::1]:8002"; without the
// port where that is the scheme's default port (RFC 9110 §7.2), and without an address's zone.
// Returns text.
char *http_authority(const char *host, int port, int default_port, char text[HTTP_HOST_BYTES]);

// ---- pseudo-header fields: what HTTP/2 and HTTP/3 have in place of a request line ----------

// Keeps the value of one, of which kept->at is NULL as long as it has not come. Returns NULL,
// or why the request is malformed.
const char *http_take_pseudo(struct http_text *kept, struct http_text value);

// The rules of path, authority and host, for all requests but CONNECT (RFC 9113 §8.3.1, RFC
// 9114 §4.3.1). `at` is NULL in what is missing; host is the value of the field of that name.
// Returns NULL, or why the request is malformed.
const char *http_check_target(struct http_text method, struct http_text path,
                              struct http_text authority, struct http_text host);

// ---- dates ---------------------------------------------------------------------------------

// The time as HTTP writes it (RFC 9110 §5.6.7); the text is valid until this thread's next
// call.
const char *http_date(time_t seconds);

// Reads a date in any of the three forms of RFC 9110 §5.6.7. Returns the seconds since 1970, or
// -1 if the text is no date, such as one in the 31st of February.
time_t http_read_date(struct http_text text);

// ---- reading a head ------------------------------------------------------------------------

struct http_field {
    struct http_text name, value;
};

struct http_head {
    size_t length;                   // of the head in bytes, with the empty line that ends it
    const char *why;                 // after a refusal: half a sentence that gives its reason
    int minor;                       // HTTP/1.minor
    struct http_text method, target; // of a request
    int status;                      // of a response
    struct http_text host;           // what the request is for: example.org or example.org:8002
    int64_t content_length;          // -1: no such field
    bool chunked;                    // the content comes in chunks
    bool keep_alive;                 // the connection stays open after this message
    bool expects_continue;           // the client waits for a 100 before it sends the content
    size_t field_count;
    struct http_field fields[HTTP_FIELDS];
};

// Reads the head of a request, or of a response, at the start of bytes. Returns 1 if the head
// is whole, 0 if more bytes have to come, and a negated status if the head is refused: it is
// not HTTP/1 (-400), too long (-414, -431), of another version (-505), or asks for what these
// programs do not have (-417, -501). Then head->why gives the reason, and nothing is known
// about where the next message begins.
//
// A target may be a whole URI. On a connection without TLS an https URI is refused (-421), on
// one with TLS (http_read_secure_request) an http URI (RFC 9110 §7.4).
int http_read_request(const char *bytes, size_t length, struct http_head *head);
int http_read_secure_request(const char *bytes, size_t length, struct http_head *head);
int http_read_response(const char *bytes, size_t length, struct http_head *head);

// Reads one "name: value" line of a head or a trailer, and its CRLF, at `at`. Returns where the
// next line begins. NULL: the line is wrong, and *why gives the reason, or, where *why is NULL,
// the line is not whole yet.
const char *http_read_field(const char *at, const char *end, struct http_field *field,
                            const char **why);

// What the fields of a head say about the end of its message: sets content_length, chunked,
// keep_alive, expects_continue and host. http_read_request() and its sisters call this last.
// Returns 1, or a negated status.
int http_read_framing(struct http_head *head, bool request);

// Sets head->why, and returns the negated status.
int http_refuse(struct http_head *head, int status, const char *why);

// ---- the fields of a head ------------------------------------------------------------------

// The value of a field (name in lower case), the first one if there are more; length 0 and at
// NULL if there is none. For a list, or a field that must not come twice, see below.
struct http_text http_field(const struct http_head *head, const char *name);

// The value of a field that may come once, such as Content-Range or If-Modified-Since. Returns
// how often the field comes: with 2 or more the value is the first one, and not to be trusted.
int http_single_field(const struct http_head *head, const char *name, struct http_text *value);

// The items of a list field, whether they stand in one line or in several (RFC 9110 §5.3):
//
//     struct http_list list = {head, "connection"};
//     while (http_list_next(&list, &item)) ...
struct http_list {
    const struct http_head *head;
    const char *name;
    size_t line;           // the next field to look at
    struct http_text rest; // of the current line
};

bool http_list_next(struct http_list *list, struct http_text *item);

// True if a list field names this token, whatever the case of its letters.
bool http_list_has(const struct http_head *head, const char *name, const char *token);

// ---- reading content -----------------------------------------------------------------------

// Content comes as its head says: so many bytes, or in chunks, each with its size in front, or
// until the connection closes (RFC 9112 §6, §7.1).
struct http_body {
    enum {
        BODY_LENGTH,    // next: content, `left` bytes of it
        BODY_SIZE_LINE, // next: the line with a chunk's size
        BODY_CHUNK,     // next: content, `left` bytes of this chunk
        BODY_CHUNK_END, // next: the CRLF behind a chunk
        BODY_TRAILER,   // next: fields, or the empty line at the end
        BODY_TO_CLOSE   // next: content, until the connection closes
    } state;
    uint64_t left;        // bytes of the content, or of this chunk, to come
    size_t trailer_bytes; // that have come
    bool done;
    const char *why; // after a refusal: half a sentence that gives its reason
};

// Begins the content of a request. Without a length and without chunks it has none.
void http_body_of_request(struct http_body *body, const struct http_head *head);

// Begins the content of a response. A response to a HEAD request, a 1xx, a 204 and a 304 have
// none, whatever their fields say.
void http_body_of_response(struct http_body *body, const struct http_head *head, bool to_head);

// Reads the next part of the content at the start of bytes. Returns how many of them it has
// used (0 if more have to come), and sets *content to what is content among them. Returns -400
// or -431 if the bytes are wrong, with the reason in body->why. Call it until done is set, or
// nothing is used.
ssize_t http_body_take(struct http_body *body, const char *bytes, size_t length,
                       struct http_text *content);

// ---- writing a head ------------------------------------------------------------------------

// Appends to `bytes`, and marks `overflow` instead where there is no room.
struct http_out {
    char *bytes;
    size_t size, length;
    bool overflow;
};

void http_put(struct http_out *out, const void *bytes, size_t length);
void http_put_text(struct http_out *out, const char *text);
void http_put_number(struct http_out *out, uint64_t number, unsigned base);

// "HTTP/1.1 200 OK", Server and Date: how every response here begins. Then fields, then "\r\n".
void http_put_status(struct http_out *out, int status);
void http_put_field(struct http_out *out, const char *name, const char *value);
void http_put_length(struct http_out *out, uint64_t content_length);

const char *http_reason(int status); // "Not Found"

#endif
