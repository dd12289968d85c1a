// client.c: asks an HTTP/1.1 server for one path after the other, on one connection while the
// server keeps it open.
//
// Run:    ./client                            GETs / and /img/1, and shows both heads
//         ./client --method HEAD /img/1       another method, another path
//         ./client --times /slow /img/1       how long each answer took
// Watch:  both answers come on one connection, and only Content-Length says where one ends.
//
// Read main(), at the end, then send_request() and read_answer(); ../common/http_framing.c
// finds the end of an answer. Heads go to stderr: ./client /img/1 >image stores just the image.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "http.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "print_head.h"

#define BUFFER_BYTES 32768 // any head finds room in it
#define INTERIM_MAX  100   // interim answers (status 1xx) that may come before the final one
#define SILENCE_S    30    // seconds that the server may take between two parts of an answer
#define CAPITALS     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *host = "127.0.0.1", *method = "GET", *content = "", *path;
static int port = 8002, fd = -1;

static char buffer[BUFFER_BYTES]; // what has come and is not used yet
static size_t buffered;
static struct http_head head; // of the answer
static bool head_is_here, is_text;
static uintmax_t content_bytes; // of the answer

// Ends the program with a message: the request, the server, the reason, and how many bytes of
// the answer had come.
static _Noreturn void fail(const char *why)
{
    char came[80];
    if (!head_is_here)
        snprintf(came, sizeof came, "%zu bytes of a head", buffered);
    else if (head.content_length < 0)
        snprintf(came, sizeof came, "%ju bytes of content", content_bytes);
    else
        snprintf(came, sizeof came, "%ju of %jd bytes of content", content_bytes,
                 (intmax_t)head.content_length);
    output_flush();
    die("%s %s of %s:%d: %s, after %s", method, path, host, port, why, came);
}

static void open_connection(void)
{
    struct timeval silence = {SILENCE_S, 0};
    fd = net_connect_or_die(host, port);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence))
        die("cannot limit the wait: %s", strerror(errno));
}

// A request is text: a line, header fields, an empty line, and content.
static void send_request(void)
{
    char request[HTTP_LINE_BYTES], authority[HTTP_HOST_BYTES], fields[60] = "";
    if (*content || !strcmp(method, "POST") || !strcmp(method, "PUT"))
        snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(content));
    int length =
        snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", method,
                 path, http_authority(host, port, 80, authority), fields, content);
    if (length >= (int)sizeof request)
        options_reject("path and content have at most %d bytes", HTTP_LINE_BYTES / 2);
    fprintf(stderr, "> %s %s HTTP/1.1\n> Host: %s\n>\n", method, path, authority);
    if (!write_all(fd, request, (size_t)length))
        fail(strerror(errno));
}

// Removes bytes from the beginning of the buffer.
static void use_bytes(size_t length)
{
    buffered -= length;
    memmove(buffer, buffer + length, buffered);
}

// Reads once, behind the bytes that are here. False: the server has closed the connection.
static bool read_more(void)
{
    if (buffered == sizeof buffer)
        fail("the head is too long");
    ssize_t got = read(fd, buffer + buffered, sizeof buffer - buffered);
    if (got < 0 && errno == EAGAIN)
        fail("the server is silent");
    if (got < 0)
        fail(strerror(errno));
    buffered += (size_t)got;
    return got > 0;
}

// Reads heads until one is that of the final answer (status 200 or more).
static void read_final_head(void)
{
    for (int interim = 0; interim <= INTERIM_MAX; interim++) {
        int result;
        head_is_here = false;
        while ((result = http_read_response(buffer, buffered, &head)) == 0)
            if (!read_more())
                fail(buffered ? "cut" : "closed before the answer");
        if (result < 0)
            fail(head.why);
        print_head(buffer, head.length);
        struct http_text type = http_field(&head, "content-type");
        is_text = type.length >= 5 && !strncasecmp(type.at, "text/", 5);
        use_bytes(head.length); // the texts of the head, such as `type`, were in these bytes
        head_is_here = true;
        if (head.status == 101)
            fail("the server switches protocols without being asked");
        if (head.status >= 200)
            return;
    }
    fail("too many answers 1xx");
}

// Reads an answer and prints it. Returns true if another request may follow on the connection.
static bool read_answer(void)
{
    struct http_body body;
    struct http_text part;
    content_bytes = 0;
    read_final_head();
    bool show = is_text || !isatty(STDOUT_FILENO); // an image would confuse a terminal
    http_body_of_response(&body, &head, !strcmp(method, "HEAD"));
    bool ends_at_close = body.state == BODY_TO_CLOSE;
    while (!body.done) {
        ssize_t used = http_body_take(&body, buffer, buffered, &part);
        if (used < 0)
            fail(body.why);
        content_bytes += part.length;
        if (show)
            output_bytes(part.at, part.length);
        output_flush();
        use_bytes((size_t)used);
        if (used > 0 || body.done || read_more()) // reads only if no byte was of use
            continue;
        if (!ends_at_close)
            fail("cut");
        break; // this content ends when the server closes the connection
    }
    if (!show && content_bytes > 0)
        fprintf(stderr, "(%ju bytes that are no text)\n", content_bytes);
    if (buffered > 0)
        fail("more comes than was asked for");
    return head.keep_alive && !ends_at_close;
}

int main(int argc, char **argv)
{
    static char *default_paths[] = {"/", "/img/1", NULL};
    static bool show_times;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"method", OPTION_TEXT, &method, .help = "of the requests: HEAD, POST, OPTIONS, ..."},
        {"content", OPTION_TEXT, &content, .help = "text that is sent behind each head"},
        {"times", OPTION_FLAG, &show_times, .help = "say how long each answer took"},
        {0}};
    static const struct command command = {
        "[PATH...]", "Lesson 02: asks an HTTP/1.1 server. Without PATH: / and /img/1.",
        options};
    char **paths = argv + options_parse(argc, argv, &command);
    int status = 0;
    if (!*method || strspn(method, CAPITALS "-") != strlen(method) ||
        !strcmp(method, "CONNECT"))
        options_reject("--method takes capital letters (not CONNECT), not '%s'", method);
    output_begin();
    if (!*paths)
        paths = default_paths;
    for (; *paths; paths++) {
        const char *which = "the same";
        int64_t start_ns = now_ns();
        path = *paths;
        if ((*path != '/' && strcmp(path, "*") != 0) || path[strcspn(path, " \t\r\n")])
            options_reject("a path begins with / and has no spaces, unlike '%s'", path);
        if (fd < 0) {
            which = "a new";
            open_connection();
        }
        send_request();
        bool keep_alive = read_answer();
        if (show_times)
            fprintf(stderr, "* %.1f ms, on %s connection\n", ms_since(start_ns), which);
        if (head.status >= 400)
            status = 1;
        if (!keep_alive) {
            close(fd);
            fd = -1;
        }
    }
    return status;
}
