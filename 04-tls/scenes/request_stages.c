// request_stages.c: scene request_stages: the six stages of a request in a server. The server
// of this scene is serve(): it does one stage after the other, for one client, and reads the
// clock in between. (./server does the same for many clients at a time.)
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "context.h"
#include "in_memory_tls.h"
#include "http.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define ROUNDS      101 // the median counts
#define BYTES       16384
#define FIELDS      8
#define FIELD_BYTES 64
#define ORDER       "item=flat%20white&count=3&for=Ren%C3%A9e&to%20go=yes"

enum station { ACCEPT, HANDSHAKE, READ, DECRYPT, PARSE, DECODE, PROCESS, REPLY, STATIONS };

static const char *const station_name[STATIONS] = {[ACCEPT] = "1 accept",
                                                   [HANDSHAKE] = "3 decrypt: the handshake",
                                                   [READ] = "2 read",
                                                   [DECRYPT] = "3 decrypt: a record",
                                                   [PARSE] = "4 parse the head",
                                                   [DECODE] = "5 decode the form",
                                                   [PROCESS] = "6 process the order",
                                                   [REPLY] = "and back: encrypt, write"};

static double took_us[STATIONS][ROUNDS];
static int served;      // rounds
static int64_t mark_ns; // the end of the last station

static void start(void)
{
    mark_ns = now_ns();
}

static void arrive(enum station station)
{
    took_us[station][served] = (double)(now_ns() - mark_ns) / 1e3;
    mark_ns = now_ns();
}

// ---- 5: decode -----------------------------------------------------------------------------

struct field {
    char name[FIELD_BYTES], value[FIELD_BYTES];
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Decodes the text up to one of the characters in `ends`. Returns where it has stopped.
static const char *decode_text(const char *at, const char *end, const char *ends, char *to)
{
    size_t length = 0;
    for (; at < end && !strchr(ends, *at); at++) {
        char c = *at;
        if (c == '+')
            c = ' ';
        if (*at == '%' && end - at > 2 && digit(at[1]) >= 0 && digit(at[2]) >= 0) {
            c = (char)(digit(at[1]) << 4 | digit(at[2]));
            at += 2;
        }
        if (length < FIELD_BYTES - 1)
            to[length++] = c;
    }
    to[length] = '\0';
    return at;
}

// Decodes a form as browsers send it: name=value&name=value, with %20 for a space.
static int decode_form(const char *at, size_t length, struct field fields[FIELDS])
{
    const char *end = at + length;
    int count = 0;
    while (at < end && count < FIELDS) {
        at = decode_text(at, end, "=&", fields[count].name);
        at = decode_text(at + (at < end && *at == '='), end, "&", fields[count].value);
        at += at < end;
        count++;
    }
    return count;
}

// ---- 6: process ----------------------------------------------------------------------------

static int price_order(const struct field *fields, int count, char *answer, size_t size)
{
    static const struct {
        const char *item;
        int cents;
    } menu[] = {{"espresso", 220}, {"cappuccino", 310}, {"flat white", 340}, {"tea", 250}};
    int cents = 0, pieces = 1;
    for (int i = 0; i < count; i++) {
        if (!strcmp(fields[i].name, "count"))
            pieces = atoi(fields[i].value);
        for (size_t j = 0; j < sizeof menu / sizeof *menu; j++)
            if (!strcmp(fields[i].name, "item") && !strcmp(fields[i].value, menu[j].item))
                cents = menu[j].cents;
    }
    cents *= pieces;
    return snprintf(answer, size, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%2d.%02d",
                    cents / 100 % 100, cents % 100);
}

// ---- a server of one page ------------------------------------------------------------------

static _Noreturn void fail(const char *doing)
{
    die("%s: %s", doing, strerror(errno));
}

// Sends all bytes that a side has written.
static void push(struct side *side, int fd)
{
    char bytes[BYTES];
    size_t length = side_take(side, bytes, sizeof bytes);
    if (length && !write_all(fd, bytes, length))
        fail("write");
}

// Reads once, and gives the bytes to a side.
static void pull(struct side *side, int fd)
{
    char bytes[BYTES];
    ssize_t length = read(fd, bytes, sizeof bytes);
    if (length <= 0)
        fail("read");
    side_give(side, bytes, (size_t)length);
}

// The stages of a request, from its first byte on.
static void serve(struct side *server, int fd)
{
    static char bytes[BYTES], text[BYTES], answer[BYTES];
    struct http_head head;
    struct field fields[FIELDS];
    size_t length = 0;
    start();
    ssize_t got = read(fd, bytes, sizeof bytes);
    arrive(READ);
    if (got <= 0)
        fail("read");
    side_give(server, bytes, (size_t)got);
    if (!SSL_read_ex(server->ssl, text, sizeof text, &length))
        die("a record that cannot be decrypted");
    arrive(DECRYPT);
    int whole = http_read_request(text, length, &head);
    arrive(PARSE);
    if (whole != 1 || head.content_length != (int64_t)(length - head.length))
        die("half a request");
    int count = decode_form(text + head.length, length - head.length, fields);
    arrive(DECODE);
    int answer_length = price_order(fields, count, answer, sizeof answer);
    arrive(PROCESS);
    if (!SSL_write_ex(server->ssl, answer, (size_t)answer_length, &length))
        die("a record that cannot be encrypted");
    push(server, fd);
    arrive(REPLY);
}

// ---- both ends in turn ---------------------------------------------------------------------

static int connect_to_listener(int listener)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || getsockname(listener, (struct sockaddr *)&address, &length) ||
        connect(fd, (struct sockaddr *)&address, length))
        fail("connect");
    return fd;
}

// Lets the client and the server send in turn until the handshake is done: in 1.3 twice each.
static void shake_hands(struct side *client, int client_fd, struct side *server, int server_fd)
{
    side_shake(client);
    push(client, client_fd);
    start();
    pull(server, server_fd);
    side_shake(server);
    push(server, server_fd);
    arrive(HANDSHAKE);
    double first_us = took_us[HANDSHAKE][served];
    pull(client, client_fd);
    if (!side_shake(client))
        die("a flight in two parts");
    push(client, client_fd);
    start();
    pull(server, server_fd);
    if (!side_shake(server))
        die("a handshake is not done");
    push(server, server_fd);
    arrive(HANDSHAKE);
    took_us[HANDSHAKE][served] += first_us;
}

// Opens one connection, and sends one request. True if the answer is right.
static bool travel(int listener, struct context *context)
{
    char text[ASK_BYTES], answer[BYTES];
    size_t length;
    struct side client, server;
    struct connect_settings settings = ask_settings();
    settings.version = TLS1_3_VERSION;
    struct connection *c = connection_prepare(&settings);
    side_begin(&client, c->ssl, false);
    int client_fd = connect_to_listener(listener);
    start();
    int server_fd = accept(listener, NULL, NULL);
    arrive(ACCEPT);
    if (server_fd < 0)
        fail("accept");
    side_begin(&server, SSL_new(context_first(context)), true);
    shake_hands(&client, client_fd, &server, server_fd);
    ask_text(text, "POST", WORKBENCH, "/order", ORDER);
    if (!SSL_write_ex(client.ssl, text, strlen(text), &length))
        die("a record that cannot be encrypted");
    push(&client, client_fd);
    serve(&server, server_fd);
    bool good = false; // the tickets come first, then the answer
    while (!(good = SSL_read_ex(client.ssl, answer, sizeof answer - 1, &length)))
        pull(&client, client_fd);
    answer[length] = '\0';
    SSL_free(server.ssl);
    connection_close(c);
    close(client_fd);
    close(server_fd);
    return good && !strncmp(answer, "HTTP/1.1 200", 12) &&
           !strcmp(answer + length - 5, "10.20");
}

static const struct claim stages = {
    "4.10", "guide §11", "accept, read, decrypt, parse, decode, process: each has a cost",
    HOLDS, NULL};

void scene_request_stages(void)
{
    double us[STATIONS], longest = 0;
    int good = 0, costly = 0;
    struct context *context =
        context_new(&(struct context_settings){.version_min = TLS1_3_VERSION,
                                               .version_max = TLS1_3_VERSION,
                                               .rsa = true,
                                               .ecdsa = true,
                                               .folder = ask_folder(),
                                               .anti_replay = true,
                                               .tickets = true});
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
        listen(listener, 1))
        fail("listen");
    story_say("POST /order, content %s,", ORDER);
    story_say("to a server that does one stage after the other. Medians of %d requests.",
              ROUNDS);
    story_say("");
    for (served = 0; served < ROUNDS; served++)
        good += travel(listener, context);
    close(listener);
    context_free(context);
    for (enum station i = 0; i < STATIONS; i++) {
        us[i] = median_of(took_us[i], ROUNDS);
        costly += us[i] > 0;
        if (us[i] > longest)
            longest = us[i];
    }
    for (enum station i = 0; i < STATIONS; i++)
        story_bar(station_name[i], us[i], longest, "%.1f us", us[i]);
    double before =
        us[ACCEPT] + us[HANDSHAKE] + us[READ] + us[DECRYPT] + us[PARSE] + us[DECODE];
    enum verdict verdict = UNCLEAR;
    if (good == ROUNDS && costly == STATIONS && us[HANDSHAKE] > 5 * us[DECRYPT])
        verdict = HOLDS;
    claim_report(&stages, verdict,
                 "%.0f us before the order is processed, of which the handshake takes %.0f. "
                 "Without the handshake it is %.1f, of which decrypting a record takes %.1f",
                 before, us[HANDSHAKE], before - us[HANDSHAKE], us[DECRYPT]);
}
