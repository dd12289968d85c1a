// frames.c: scene frames: a WebSocket from its first byte to its last, and the bytes of a
// message.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base64.h"
#include "claim.h"
#include "json.h"
#include "websocket.h"
#include "handshake.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define HEX_BYTES   11 // the first bytes of a frame, which are shown
#define MESSAGE     "Hello"
#define LONG_BYTES  200
#define MESSAGE_MAX 65536
#define RAW_BYTES   150 // bytes that are no text

// The example of RFC 6455 §1.3.
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct fetch f;
static struct websocket ws;
static int frames_up, frames_down;
static size_t overhead_up, overhead_down; // bytes of the last frame without its payload
static size_t short_up, short_down;       // the same for the short frame

static const char *opcode_name(int opcode)
{
    static const char *const names[] = {[WS_CONTINUATION] = "continuation",
                                        [WS_TEXT] = "text",
                                        [WS_BINARY] = "binary",
                                        [WS_CLOSE] = "close",
                                        [WS_PING] = "ping",
                                        [WS_PONG] = "pong"};
    if (opcode > WS_PONG || !names[opcode])
        return "reserved";
    return names[opcode];
}

// An arrow to the server or to the client, in its colour.
static void print_arrow(bool up)
{
    if (up)
        printf("  %s──▶%s  ", paint(CYAN), paint(PLAIN));
    else
        printf("  %s◀──%s  ", paint(MAGENTA), paint(PLAIN));
}

// One line: the frame's first bytes in hexadecimal, and their meaning.
static void show_frame(bool up, const char *bytes, size_t header, size_t payload,
                       const char *text)
{
    char hex[HEX_BYTES * 3 + 8] = "", shown[40] = "";
    size_t size = header + payload, put = 0;
    for (size_t i = 0; i < size && i < HEX_BYTES; i++)
        put += (size_t)snprintf(hex + put, sizeof hex - put, "%02x ", (uint8_t)bytes[i]);
    if (size > HEX_BYTES)
        snprintf(hex + put, sizeof hex - put, "...");
    if ((bytes[0] & 0x0f) == WS_CLOSE)
        snprintf(shown, sizeof shown, ": code %d", WS_NORMAL);
    else if (payload > 0 && payload <= 20)
        snprintf(shown, sizeof shown, ": %.*s", (int)payload, text);
    make_printable(shown);
    print_arrow(up);
    cell(hex, HEX_BYTES * 3 + 4, false);
    fputs(opcode_name(bytes[0] & 0x0f), stdout);
    if (!((uint8_t)bytes[0] & 0x80)) // FIN
        fputs(", more follows", stdout);
    if (up)
        fputs(", masked", stdout);
    printf(", %zu%s\n", payload, shown);
}

static void send_frame(enum ws_opcode opcode, bool final, const char *text, size_t length)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d}; // RFC 6455 §5.7; else random
    char bytes[WS_HEADER_BYTES + LONG_BYTES];
    size_t header = websocket_put_header(bytes, opcode, final, length, mask);
    websocket_mask(bytes + header, text, length, mask, 0);
    fetch_or_die(&f, fetch_send_bytes(&f, bytes, header + length));
    show_frame(true, bytes, header, length, text);
    frames_up++;
    overhead_up = header;
}

// Reads one message, and shows its frame: this server sends each message in one frame.
static void read_frame(struct ws_message *got)
{
    ssize_t used;
    got->opcode = -1;
    while (got->opcode < 0) {
        while ((used = websocket_read(&ws, f.rest.at, f.rest.length, got)) == 0)
            fetch_or_die(&f, fetch_read(&f));
        if (used < 0)
            die("the server sends a malformed frame (code %zd)", -used);
        size_t payload = got->length;
        if (got->opcode == WS_CLOSE)
            payload += 2; // the code
        overhead_down = (size_t)used - payload;
        show_frame(false, f.rest.at, overhead_down, payload, got->bytes);
        frames_down++;
        fetch_use(&f, (size_t)used);
    }
}

static bool echoes(const char *text, size_t length)
{
    struct ws_message got;
    read_frame(&got);
    return got.opcode == WS_TEXT && got.length == length && !memcmp(got.bytes, text, length);
}

// ---- the handshake -------------------------------------------------------------------------

static void show_head(const char *head, size_t length, bool up)
{
    for (const char *line = head, *end; line < head + length; line = end + 1) {
        end = memchr(line, '\n', (size_t)(head + length - line));
        if (!end || end - line < 2)
            break;
        print_arrow(up);
        printf("%.*s\n", (int)(end - line - 1), line);
    }
}

// Asks for a WebSocket, with `version` as a further field. Shows both heads, and returns the
// answer's status.
static int ask(const char *version)
{
    char request[300];
    int length = snprintf(request, sizeof request,
                          "GET /ws/echo HTTP/1.1\r\n" FETCH_HOST
                          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: " KEY "\r\n%s\r\n",
                          version);
    ask_open(&f);
    fetch_or_die(&f, fetch_send(&f, "%s", request));
    fetch_or_die(&f, fetch_answer(&f));
    show_head(request, (size_t)length, true);
    show_head(f.bytes, f.head.length, false);
    printf("\n");
    return f.head.status;
}

static const struct claim as_written = {
    "5.12", "guide §4.1", "a request with the example's fields opens a WebSocket", NOT_HERE,
    "A request also needs Sec-WebSocket-Version: 13 (RFC 6455 §4.1). Without this field a "
    "server "
    "refuses the request (§4.2.1), and may name the version that it speaks (§4.4)."};

static const struct claim accept_key = {
    "5.6", "guide §4.1", "the example's key is answered with " ACCEPT, HOLDS, NULL};

static const struct claim text_only = {
    "5.52", "guide §4.2, §15.2, §15.10",
    "SSE is text; binary data is sent efficiently by WebSocket", HOLDS, NULL};

static const struct claim little = {
    "5.7", "guide §4.1", "WebSocket frames cost little next to HTTP headers", HOLDS, NULL};

// ---- the scene -----------------------------------------------------------------------------

static bool speak(void)
{
    char text[LONG_BYTES];
    struct ws_message got;
    memset(text, 'x', sizeof text);
    send_frame(WS_TEXT, true, MESSAGE, sizeof MESSAGE - 1);
    bool good = echoes(MESSAGE, sizeof MESSAGE - 1);
    short_up = overhead_up;
    short_down = overhead_down;
    send_frame(WS_TEXT, false, "Hel", 3); // a message in two frames, with a ping between them
    send_frame(WS_PING, true, "here?", 5);
    send_frame(WS_CONTINUATION, true, "lo", 2);
    read_frame(&got);
    good = good && got.opcode == WS_PONG && echoes(MESSAGE, sizeof MESSAGE - 1);
    send_frame(WS_TEXT, true, text, sizeof text);
    return echoes(text, sizeof text) && good;
}

// The bytes of the same message as an HTTP request, and as an HTTP answer.
static void by_http(size_t *up, size_t *down)
{
    static struct fetch http;
    char target[60];
    uint64_t id;
    ask_open(&http);
    if (ask_status(&http, "POST", "/publish", MESSAGE) != 200 ||
        !json_number(http.content, "id", &id))
        die("the server does not publish");
    *up = http.up;
    snprintf(target, sizeof target, "/poll?since=%llu", (unsigned long long)id - 1);
    http.down = 0;
    ask_status(&http, "GET", target, NULL);
    *down = http.down - http.content_bytes + sizeof MESSAGE - 1;
    fetch_close(&http);
}

// Reads the stream of events after this one, up to the end of the next one. Returns how many
// bytes that event has; 0: it has not this text.
static size_t read_event(uint64_t since, const char *text)
{
    static struct fetch stream;
    const char *id = NULL, *end = NULL;
    char begins[40];
    ask_open(&stream);
    stream.head_only = true;
    fetch_or_die(&stream,
                 fetch_send(&stream, "GET /events?since=%llu HTTP/1.1\r\n" FETCH_HOST "\r\n",
                            (unsigned long long)since));
    fetch_or_die(&stream, fetch_answer(&stream));
    int length = snprintf(begins, sizeof begins, "id: %llu\n", (unsigned long long)since + 1);
    while (!end) {
        struct http_text rest = stream.rest;
        id = memmem(rest.at, rest.length, begins, (size_t)length);
        if (id)
            end = memmem(id, (size_t)(rest.at + rest.length - id), "\n\n", 2);
        if (!end)
            fetch_or_die(&stream, fetch_read(&stream));
    }
    size_t bytes = (size_t)(end + 2 - id);
    if (!memmem(id, bytes, text, strlen(text)))
        bytes = 0;
    fetch_close(&stream);
    return bytes;
}

// Sends bytes that are no text as an event, which the server refuses, and then as base64.
// Returns how many bytes the event has.
static size_t by_event(const char *raw, int *refused)
{
    static struct fetch http;
    char text[BASE64_SIZE(RAW_BYTES)];
    uint64_t id;
    base64(raw, RAW_BYTES, text);
    ask_open(&http);
    *refused = ask_status(&http, "POST", "/publish", raw);
    if (ask_status(&http, "POST", "/publish", text) != 200 ||
        !json_number(http.content, "id", &id))
        die("the server does not publish");
    fetch_close(&http);
    return read_event(id - 1, text);
}

// The same bytes as a binary frame of the WebSocket. Returns the frame's bytes; 0: others came
// back.
static size_t by_frame(const char *raw)
{
    struct ws_message got;
    send_frame(WS_BINARY, true, raw, RAW_BYTES);
    read_frame(&got);
    if (got.opcode != WS_BINARY || got.length != RAW_BYTES || memcmp(got.bytes, raw, RAW_BYTES))
        return 0;
    return overhead_down + RAW_BYTES;
}

static void judge_text(size_t frame, size_t event, int refused)
{
    // Base64 makes four characters of three bytes.
    bool shown = frame && frame < RAW_BYTES * 11 / 10 && event >= RAW_BYTES * 4 / 3;
    claim_report(
        &text_only, holds_if(shown && refused == 400),
        "%d bytes that are no text: %zu in a binary frame; as an event the answer is %d, "
        "and in base64 the event has %zu",
        RAW_BYTES, frame, refused, event);
}

// Judges the two handshakes; the one with a version has opened a WebSocket.
static void judge_handshake(int without, bool same, const char *accept)
{
    enum verdict verdict = HOLDS;
    if (without == 400 || without == 426)
        verdict = NOT_HERE;
    claim_report(&as_written, verdict, "without a version the answer is %d, with it 101",
                 without);
    verdict = UNCLEAR;
    if (same)
        verdict = HOLDS;
    claim_report(
        &accept_key, verdict,
        "computed here, and sent by the server: %s, which is the SHA-1 of the key and a "
        "constant of RFC 6455, in base64",
        accept);
}

void scene_frames(void)
{
    char accept[HANDSHAKE_ACCEPT];
    struct ws_message got;
    size_t up, down, words = sizeof MESSAGE - 1;
    story_say("The request of the notes:");
    int without = ask("");
    fetch_close(&f);
    story_say("The same request with a version:");
    int with = ask("Sec-WebSocket-Version: 13\r\n");
    handshake_accept((struct http_text){KEY, strlen(KEY)}, accept);
    bool same = !handshake_fault(&f.head, KEY) && !strcmp(accept, ACCEPT);
    if (with != 101)
        die("no WebSocket: the server says %d", with);
    websocket_begin(&ws, false, MESSAGE_MAX);
    story_say(
        "Now frames follow. Each has a kind, a length, a mask (to the server), and a payload.");
    bool good = speak();
    size_t ws_up = overhead_up, ws_down = overhead_down; // of the long one
    char raw[RAW_BYTES + 1] = "";
    int refused;
    for (int i = 0; i < RAW_BYTES; i++)
        raw[i] = (char)(0x80 + i % 0x80); // no byte is 0, and none is UTF-8 at this place
    size_t frame = by_frame(raw), event = by_event(raw, &refused);
    send_frame(WS_CLOSE, true, "\x03\xe8", 2); // 1000: normal
    read_frame(&got);
    good = good && got.opcode == WS_CLOSE && got.code == WS_NORMAL;
    websocket_end(&ws);
    fetch_close(&f);
    by_http(&up, &down);
    story_head("\"" MESSAGE "\", in bytes|to server|to client");
    story_row("by WebSocket|%zu|%zu", words + short_up, words + short_down);
    story_row("by HTTP|%zu|%zu", up, down);
    judge_handshake(without, same, accept);
    judge_text(frame, event, refused);
    enum verdict verdict = UNCLEAR;
    if (good && ws_up <= 8 && ws_down <= 4 && up - words > 10 * short_up &&
        down - words > 10 * short_down)
        verdict = HOLDS;
    claim_report(
        &little, verdict,
        "%d frames to the server, with %zu or %zu bytes around the payload (4 are the "
        "mask); %d frames to the client, with %zu or %zu. An HTTP request has %zu bytes "
        "around its content, an answer %zu",
        frames_up, short_up, ws_up, frames_down, short_down, ws_down, up - words, down - words);
}
