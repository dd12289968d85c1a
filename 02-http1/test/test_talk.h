// test_talk.h: how the tests speak with the server: they send bytes, and read the answers with
// a reader that shares nothing with the code under test.
//
// Nothing here sleeps. Where a test has to know that the server has read some bytes, it makes a
// fence: an exchange on another connection. The server is one loop, and serves its connections
// in the order in which they become readable. So when the server has answered the fence, it has
// also read all bytes that were sent before.
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include <errno.h>
#include <stdarg.h>

#include "net.h"
#include "smaller.h"
#include "test_server.h"

#define ANSWERS_BYTES (8 << 20)
#define WHOLE         SIZE_MAX       // do not cut a request
#define EACH          (SIZE_MAX - 1) // cut it behind each byte

// The tests send this behind every request of a table. A server that answers it has kept the
// connection, and knew where the request before it ended. The marker asks for the end of the
// connection, so its answer has to say "Connection: close".
#define MARKER                                                                                 \
    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nConnection: close\r\n\r\nmarker"

static char answers[ANSWERS_BYTES]; // the last ones

static inline int serve(pid_t *pid)
{
    signal(SIGPIPE, SIG_IGN); // a server may close while we are sending
    return test_start(pid, "./server --quiet --port 0");
}

// Reads until `part` has come; false if the connection ends before.
static inline bool read_until(int fd, const char *part)
{
    char bytes[4096];
    size_t length = 0;
    while (!memmem(bytes, length, part, strlen(part)))
        if (length == sizeof bytes || read(fd, bytes + length, 1) != 1)
            return false;
        else
            length++;
    return true;
}

static inline void fence(int fd)
{
    static const char request[] =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfence";
    char bytes[1024];
    size_t length = 0;
    CHECK(write_all(fd, request, sizeof request - 1));
    while (length < 5 || memcmp(bytes + length - 5, "fence", 5)) {
        ssize_t got = read(fd, bytes + length, sizeof bytes - length);
        if (got <= 0) {
            FAIL("the server has closed a good connection");
            return;
        }
        length += (size_t)got;
    }
}

// Sends the bytes in two parts (cut at `cut`), in one part (WHOLE) or each byte alone (EACH),
// with a fence between the parts.
static inline void send_cut(int fd, int fence_fd, const char *bytes, size_t length, size_t cut)
{
    size_t part = smaller(cut, length);
    if (cut == EACH)
        part = 1;
    for (size_t sent = 0; sent < length; sent += part) {
        if (sent > 0) {
            fence(fence_fd);
            if (cut != EACH)
                part = length - sent; // the second of two parts
        }
        if (!write_all(fd, bytes + sent, part))
            return; // refused already: the answer tells it
    }
}

// Opens a connection, sends the bytes and a FIN, and reads the answers. Returns their length.
static inline size_t talk(int port, int fence_fd, const char *bytes, size_t length, size_t cut,
                          char *to)
{
    int fd = net_connect_or_die("127.0.0.1", port);
    send_cut(fd, fence_fd, bytes, length, cut);
    shutdown(fd, SHUT_WR);
    size_t got = read_to_end(fd, to, ANSWERS_BYTES - 1);
    to[got] = '\0';
    close(fd);
    return got;
}

// Sends a request, which is given as to printf(). Returns the answers as one text.
static inline char *ask(int port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline char *ask(int port, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    talk(port, -1, text, (size_t)length, WHOLE, answers);
    return answers;
}

// Dates differ from one answer to the next: replaces each by the same text.
static inline void mask_dates(char *bytes, size_t length)
{
    char *end = bytes + length;
    while ((bytes = memmem(bytes, (size_t)(end - bytes), "\r\nDate: ", 8)))
        for (bytes += 8; bytes < end && *bytes != '\r'; bytes++)
            *bytes = '#';
}

// Reads what the server says before it closes.
static inline const char *last_words(int fd)
{
    answers[read_to_end(fd, answers, sizeof answers - 1)] = '\0';
    close(fd);
    return answers;
}

// ---- answers -------------------------------------------------------------------------------

struct seen {
    int status;
    char head[2048];
    const char *content; // as it came, chunks and all
    size_t length;
};

static inline const char *end_of_chunks(const char *at, const char *end)
{
    for (size_t size = 1; size && at;) {
        char *digits_end;
        size = strtoul(at, &digits_end, 16);
        if (digits_end == at || (size_t)(end - digits_end) < size + 4)
            return NULL;
        at = digits_end + 2 + size + 2;
        if (memcmp(digits_end, "\r\n", 2) || memcmp(at - 2, "\r\n", 2))
            return NULL;
    }
    return at;
}

// The end of the content that begins at `at`. NULL: the content is not as its head says.
static inline const char *content_end(const struct seen *seen, const char *at, const char *end)
{
    const char *length = strstr(seen->head, "\r\nContent-Length: ");
    bool chunked = strstr(seen->head, "\r\nTransfer-Encoding: chunked\r\n");
    bool no_content = seen->status < 200 || seen->status == 204 || seen->status == 304;
    if (no_content && !length && !chunked)
        return at;
    if (no_content || (length && chunked))
        return NULL;
    if (chunked)
        return end_of_chunks(at, end);
    if (!length)
        return end;
    size_t bytes = strtoul(length + 18, NULL, 10);
    if (bytes > (size_t)(end - at))
        return NULL;
    return at + bytes;
}

// Takes the next answer from *at. False: the bytes there are no answer.
static inline bool take_answer(const char **at, const char *end, bool to_head,
                               struct seen *seen)
{
    const char *head_end = memmem(*at, (size_t)(end - *at), "\r\n\r\n", 4);
    if (!head_end || (size_t)(head_end - *at) > sizeof seen->head - 3)
        return false;
    snprintf(seen->head, sizeof seen->head, "%.*s\r\n", (int)(head_end - *at), *at);
    if (sscanf(seen->head, "HTTP/1.1 %3d ", &seen->status) != 1)
        return false;
    seen->content = head_end + 4;
    *at = seen->content;
    if (!to_head || seen->status < 200)
        *at = content_end(seen, seen->content, end);
    if (!*at)
        return false;
    seen->length = (size_t)(*at - seen->content);
    return (seen->status < 200 || strstr(seen->head, "\r\nDate: "));
}

// Describes the answers to a request with a MARKER behind it: "200", "100 200", "400 close".
// "close" means that the server did not answer the marker. Further words say what is wrong.
static inline void describe(const char *bytes, size_t length, bool to_head, char text[100])
{
    const char *end = bytes + length;
    struct seen seen = {0};
    bool marker = false, close_said = false;
    *text = '\0';
    while (bytes < end && !marker && strlen(text) < 70) {
        if (!take_answer(&bytes, end, to_head, &seen)) {
            strcat(text, " garbage");
            break;
        }
        marker = seen.length == 6 && !memcmp(seen.content, "marker", 6);
        if (!marker)
            sprintf(text + strlen(text), " %d", seen.status);
        if (close_said)
            strcat(text, " after-close");
        close_said = strstr(seen.head, "\r\nConnection: close\r\n");
        to_head = to_head && seen.status < 200;
    }
    if (!marker)
        strcat(text, " close");
    if (!close_said)
        strcat(text, " unsaid");
    if (bytes < end)
        strcat(text, " and-more");
    memmove(text, text + 1, strlen(text));
}

// True if an answer has this status and, as its end, this content.
static inline bool is_answer(const char *answer, int status, const char *content)
{
    char line[20];
    size_t length = strlen(answer), tail = strlen(content);
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    return !strncmp(answer, line, strlen(line)) && length >= tail &&
           !strcmp(answer + length - tail, content);
}

// ---- what is to be seen of a server ---------------------------------------------------------

// A sanitizer keeps memory for a while after free().
#define MORE_MEMORY (SANITIZED ? 65536 : 4096) // kB that a server may need for one client

#endif
