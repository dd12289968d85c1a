// play.c: what HTTP/1.1 looks like, what a request costs, and where it goes wrong.
//
// Run:    ./play               against ./server in another terminal, or, with packets to see:
//         make run             or one scene: make run SCENE=pipeline ARGS="--rtt 100"
// Watch:  the bytes. Everything here is text that you could have typed into nc.
//
// The scenes about time are in loading.c, the other long ones in smuggle.c and resume.c;
// common/fetch.c is the client's half of the protocol.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "loading.h"
#include "net.h"
#include "options.h"
#include "resume.h"
#include "smuggle.h"
#include "story.h"
#include "text.h"

#define PIECES      5
#define PIECE_MS    200
#define REPEATS     30
#define LINE_TEXT   56 // columns of a line of a message
#define PACKETS_MAX 400

// ---- raw -----------------------------------------------------------------------------------

// What each line of a head is, by how it begins.
static const char *note_on(const char *line)
{
    static const struct {
        const char *begins, *note;
    } notes[] = {{"GET ", "method, target, version; one space between"},
                 {"HTTP/1.1 ", "version, status, reason"},
                 {"Host:", "which site: the one field that must be"},
                 {"User-Agent:", "who asks"},
                 {"Accept:", "what it would like"},
                 {"Server:", "who answers"},
                 {"Date:", "when"},
                 {"Content-Type:", "what the content is"},
                 {"Content-Length:", "where it ends"},
                 {"Connection:", "what becomes of the connection"},
                 {"\r\n", "an empty line: the head ends here"}};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (!strncmp(line, notes[i].begins, strlen(notes[i].begins)))
            return notes[i].note;
    return "a header field";
}

// Prints a message line by line: its place, its bytes with \r and \n visible, what it is.
static void show_message(const char *message)
{
    bool content = false;
    for (const char *line = message; *line;) {
        char text[LINE_BYTES] = "";
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end + 1 - line) : strlen(line), put = 0;
        for (size_t i = 0; i < length && put < sizeof text - 8; i++)
            put += (size_t)snprintf(text + put, sizeof text - put,
                                    line[i] == '\r'   ? "\\r"
                                    : line[i] == '\n' ? "\\n"
                                                      : "%c",
                                    line[i]);
        printf("  %s%4zu%s  ", paint(DIM), (size_t)(line - message), paint(PLAIN));
        cell(text, LINE_TEXT - 8, false);
        printf(" %s%s%s\n", paint(CYAN), content ? "content: just bytes" : note_on(line),
               paint(PLAIN));
        content = content || *line == '\r';
        line += length;
    }
}

static void show_hex(const char *bytes, size_t length)
{
    printf("        %s", paint(DIM));
    for (size_t i = 0; i < length; i++)
        printf("%s%02x", i ? " " : "", (uint8_t)bytes[i]);
    printf("%s\n", paint(PLAIN));
}

static const struct claim structure = {
    "2.12", "guide §3.1", "a message is a line, headers as key-value pairs, and a body", HOLDS,
    NULL};

static void scene_raw(void)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: workbench\r\nUser-Agent: lesson-02\r\n"
        "Accept: text/plain\r\n\r\n";
    char message[FETCH_BYTES];
    struct fetch f;
    ask_open(&f);
    ask(&f, request);
    story_say("%sthe request%s, %zu bytes; the first line in hexadecimal as well", paint(BOLD),
              paint(PLAIN), sizeof request - 1);
    show_hex(request, strcspn(request, "\n") + 1);
    show_message(request);
    story_say("");
    story_say("%sthe response%s, %zu bytes", paint(BOLD), paint(PLAIN), f.wire_bytes);
    snprintf(message, sizeof message, "%.*s%.*s", (int)f.head.length, f.bytes,
             (int)f.content.length, f.content.at);
    show_message(message);
    size_t promised = f.head.content_length > 0 ? (size_t)f.head.content_length : 0;
    bool whole = promised == f.content_bytes && !f.rest.length &&
                 f.wire_bytes == f.head.length + promised;
    claim_report(
        &structure, whole && f.head.status == 200 ? HOLDS : UNCLEAR,
        "%zu bytes of head and %zu of content, as Content-Length says, and no byte more",
        f.head.length, f.content_bytes);
    fetch_close(&f);
}

// ---- hosts ---------------------------------------------------------------------------------

static const struct claim mandatory = {"2.3", "guide §3.1", "the Host header is mandatory",
                                       HOLDS, NULL};

static void scene_hosts(void)
{
    static const struct {
        const char *name, *request, *content;
        int status;
    } cases[] = {
        {"Host: cats.example", "GET / HTTP/1.1\r\nHost: cats.example\r\n\r\n", "meow\n", 200},
        {"Host: dogs.example", "GET / HTTP/1.1\r\nHost: dogs.example\r\n\r\n", "woof\n", 200},
        {"Host: CATS.example:8002", "GET / HTTP/1.1\r\nHost: CATS.example:8002\r\n\r\n",
         "meow\n", 200},
        {"none, HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", NULL, 400},
        {"none, HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "hello, world\n", 200},
        {"two", "GET / HTTP/1.1\r\nHost: cats.example\r\nHost: dogs.example\r\n\r\n", NULL,
         400},
        {"cats, but dogs in the target",
         "GET http://dogs.example/ HTTP/1.1\r\nHost: cats.example\r\n\r\n", "woof\n", 200}};
    const size_t count = sizeof cases / sizeof *cases;
    size_t right = 0;
    story_say("Two sites on one address and port. Only the Host field tells them apart.");
    story_head("Host|status|answer");
    for (size_t i = 0; i < count; i++) {
        struct fetch f;
        ask_open(&f);
        ask(&f, cases[i].request);
        fetch_close(&f);
        right += f.head.status == cases[i].status &&
                 (!cases[i].content || http_is(f.content, cases[i].content));
        story_row("%s|%d|%.*s", cases[i].name, f.head.status,
                  f.head.status == 200 ? ask_first_line(&f) : 0, f.content.at);
    }
    claim_report(&mandatory, right == count ? HOLDS : UNCLEAR, "%zu of %zu as expected%s",
                 right, count,
                 right == count ? ": 400 without it and with two, in HTTP/1.1" : "");
}

// ---- stream --------------------------------------------------------------------------------

static struct {
    int count;
    int64_t first_ns, last_ns;
} pieces;

static void note_piece(struct fetch *f, struct http_text content)
{
    (void)f;
    pieces.last_ns = now_ns();
    if (!pieces.count++)
        pieces.first_ns = pieces.last_ns;
    story_event("%.*s", (int)content.length - 1, content.at);
}

static const struct claim whole_first = {
    "2.4", "guide §3.1", "HTTP/1.1 requires the entire response before sending: no streaming",
    NOT_HERE,
    "Transfer-Encoding: chunked sends each piece with its size in front, and the last has size "
    "0 "
    "(RFC 9112 §7.1): no one has to know the length before."};

static void scene_stream(void)
{
    struct fetch f;
    char target[40];
    snprintf(target, sizeof target, "/stream?n=%d&ms=%d", PIECES, PIECE_MS);
    ask_open(&f);
    f.piece = note_piece;
    story_say("The server makes %d pieces, %d ms apart, and sends each when it is there.",
              PIECES, PIECE_MS);
    story_timeline();
    int64_t start = now_ns();
    story_event("GET %s", target);
    ask_get(&f, target);
    story_event("the chunk of size 0: the end");
    story_quiet(true);
    fetch_close(&f);
    double first_ms = (double)(pieces.first_ns - start) / 1e6;
    double last_ms = (double)(pieces.last_ns - start) / 1e6;
    bool chunked = f.head.chunked && !http_field(&f.head, "content-length").at;
    if (first_ms > PIECES * PIECE_MS / 4)
        claim_report(&whole_first, SKIPPED, "on this link the first byte takes %.0f ms",
                     first_ms);
    else
        claim_report(&whole_first,
                     chunked && pieces.count == PIECES && last_ms > 2 * first_ms ? NOT_HERE
                                                                                 : HOLDS,
                     "the first of %d pieces after %.0f ms, the last after %.0f", pieces.count,
                     first_ms, last_ms);
}

// ---- cache ---------------------------------------------------------------------------------

static const struct claim saves_body = {
    "2.10", "guide §9.3", "ETag and conditional requests save the body", HOLDS, NULL};

// The bytes of all packets since `mark`, both ways.
static long wire_bytes(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    long sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += packets[i].length;
    return sum;
}

static void scene_cache(void)
{
    char tag[80] = "", fields[120] = "";
    struct fetch f;
    size_t content[2];
    int status[2];
    long bytes[2];
    ask_open(&f);
    story_say("One image, asked for twice. The second time we say which one we have.");
    story_timeline();
    for (int i = 0; i < 2; i++) {
        uint32_t mark = packet_log_mark();
        story_event(i ? "GET /cached, If-None-Match: %s" : "GET /cached", tag);
        fetch_or_die(&f, fetch_ask(&f, "GET", "/cached", fields, NULL));
        struct http_text field = http_field(&f.head, "etag");
        if (field.at)
            snprintf(tag, sizeof tag, "%.*s", (int)field.length, field.at);
        snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
        story_event("%d, ETag: %s, %zu bytes of content", f.head.status, tag, f.content_bytes);
        status[i] = f.head.status;
        content[i] = f.content_bytes;
        bytes[i] = packet_log()->tunnel ? wire_bytes(mark) : (long)f.wire_bytes;
    }
    story_quiet(true);
    fetch_close(&f);
    story_say("");
    story_bar("the first time", (double)bytes[0], (double)bytes[0], "%ld bytes", bytes[0]);
    story_bar("asking whether it changed", (double)bytes[1], (double)bytes[0], "%ld bytes",
              bytes[1]);
    claim_report(&saves_body,
                 status[0] == 200 && status[1] == 304 && content[0] > 0 && !content[1] &&
                         bytes[1] < bytes[0] / 10
                     ? HOLDS
                     : UNCLEAR,
                 "%d with %zu bytes of content, then %d with %zu: %ld bytes%s instead of %ld",
                 status[0], content[0], status[1], content[1], bytes[1],
                 packet_log()->tunnel ? " on the wire" : "", bytes[0]);
}

// ---- overhead ------------------------------------------------------------------------------

static const struct claim repeated = {
    "2.11", "guide §3.1", "headers are plain text, sent again with every request", HOLDS, NULL};

static void scene_overhead(void)
{
    // What a browser sends along: about this much (RFC 7541 has such examples).
    static const char fields[] =
        "Host: www.example.com\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        "Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n"
        "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
        "Referer: http://www.example.com/gallery/index.html\r\n"
        "Cookie: session=9f2c4e7a1b8d4c6f8e3a5b7d9c1f2e4a; theme=dark; consent=yes; "
        "visitor=6d1e0f7c-3b2a-4958-8c7d-0e1f2a3b4c5d\r\n\r\n";
    size_t sent = 0, heads = 0, content = 0;
    struct fetch f;
    ask_open(&f);
    for (int i = 0; i < REPEATS; i++) {
        char line[60];
        snprintf(line, sizeof line, "GET /img/%d?size=200 HTTP/1.1\r\n", i + 1);
        fetch_or_die(&f, fetch_send(&f, "%s%s", line, fields));
        fetch_or_die(&f, fetch_answer(&f));
        sent += strlen(line) + sizeof fields - 1;
        heads += f.head.length;
        content += f.content_bytes;
    }
    fetch_close(&f);
    size_t same = REPEATS * (sizeof fields - 1);
    double full = (double)sent;
    story_say("%d small images, with the fields that a browser sends along:", REPEATS);
    story_say("");
    story_bar("heads of requests", (double)sent, full, "%zu bytes", sent);
    story_bar("of that, always the same", (double)same, full, "%zu", same);
    story_bar("heads of responses", (double)heads, full, "%zu", heads);
    story_bar("content", (double)content, full, "%zu", content);
    claim_report(
        &repeated, sent + heads > 2 * content && content > 0 ? HOLDS : UNCLEAR,
        "%zu bytes of heads for %zu of content; %.0f %% of what we sent, again and again",
        sent + heads, content, 100.0 * (double)(same - same / REPEATS) / full);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8002;
    static const struct scene scenes[] = {
        {"raw", "one request and its response, line by line", scene_raw},
        {"reuse", "a handshake each, or one for all", scene_reuse},
        {"pipeline", "all requests at once, answers in order", scene_pipeline},
        {"six", "30 images, one connection or six", scene_six},
        {"hosts", "several sites on one address", scene_hosts},
        {"stream", "a response that is not finished when it begins", scene_stream},
        {"smuggle", "where does a request end?", scene_smuggle},
        {"upload", "a broken upload goes on", scene_upload},
        {"cache", "has it changed?", scene_cache},
        {"overhead", "what the heads cost", scene_overhead},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){
            "[SCENE]",
            "Lesson 02: HTTP/1.1. Without SCENE all of them: raw, reuse, pipeline, six, "
            "hosts,\nstream, smuggle, upload, cache, overhead.",
            options});
    story_begin();
    ask_server(host, port);
    return story_tell(scenes, argv[first]);
}
