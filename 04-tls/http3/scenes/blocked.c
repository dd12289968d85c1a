// blocked.c: scene blocked: a network that lets no UDP through. The client learns by Alt-Svc
// (RFC 7838) that there is HTTP/3, tries it, and falls back to TLS over TCP.
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "tell.h"

#define GIVE_UP_NS  INT64_C(300000000) // without an answer to QUIC's first packet
#define FIELD_BYTES 200

// What the client knows about the server: where its HTTP/3 is.
struct origin {
    int h3_port; // 0: it has none, as far as is known
    bool broken; // it has not answered: it is not tried again for now (RFC 7838 §2.4)
};

// ---- Alt-Svc -------------------------------------------------------------------------------

// Reads: h3=":8304"; ma=86400, h2="..."  Returns the port of h3 on the same host; 0: none.
static int read_alternative(struct http_text list)
{
    static const char h3[] = "h3=\":";
    struct http_text item;
    while (http_next_item(&list, &item)) {
        uint64_t port = 0;
        size_t start = sizeof h3 - 1, end = start;
        if (item.length <= start || memcmp(item.at, h3, start))
            continue;
        while (end < item.length && item.at[end] != '"')
            end++;
        if (http_number((struct http_text){item.at + start, end - start}, 65535, &port))
            return (int)port;
    }
    return 0;
}

static char field[FIELD_BYTES];

// The first part of an answer has its head: keeps the field Alt-Svc.
static void find_field(const char *bytes, size_t length)
{
    static struct http_head head;
    if (*field || http_read_response(bytes, length, &head) != 1)
        return;
    struct http_text value = http_field(&head, "alt-svc");
    if (value.at)
        snprintf(field, sizeof field, "%.*s", (int)value.length, value.at);
}

// ---- one request ---------------------------------------------------------------------------

static bool ask_quic(const struct origin *origin)
{
    static struct h3_client client;
    struct answer answer = {0};
    SSL_CTX *ctx = stage_context();
    h3_open(&client, ctx, stage_host, origin->h3_port, WORKBENCH);
    bool answered = h3_handshake(&client, now_ns() + GIVE_UP_NS) &&
                    h3_ask(&client, &answer, "GET", "/") && stage_await(&client) &&
                    answer.status == 200;
    h3_close(&client);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return answered;
}

static bool ask_tcp(struct origin *origin)
{
    struct connect_settings settings = ask_settings();
    struct reply reply = {.show = find_field};
    *field = '\0';
    connect_to(stage_host, STAGE_TLS_PORT);
    struct connection *c = connection_open(&settings);
    bool answered = c->up && ask(c, "GET", "/", NULL, &reply) && reply.status == 200;
    connection_close(c);
    if (*field)
        origin->h3_port = read_alternative((struct http_text){field, strlen(field)});
    return answered;
}

// What a browser does: HTTP/3 where it is known and not broken; else, or if it does not answer,
// TCP. Returns the name of what has answered.
static const char *ask_either(struct origin *origin)
{
    if (origin->h3_port && !origin->broken) {
        if (ask_quic(origin))
            return "HTTP/3";
        origin->broken = true;
        if (ask_tcp(origin))
            return "TCP, after a wait";
        return "nothing";
    }
    if (ask_tcp(origin))
        return "TCP";
    return "nothing";
}

static const char *step(struct origin *origin, const char *what)
{
    int64_t start_ns = now_ns();
    const char *by = ask_either(origin);
    story_row("%s|%s|%.0f ms", what, by, ms_since(start_ns));
    return by;
}

static const struct claim falls_back = {
    "4.44", "guide §3.4", "where UDP is blocked, clients fall back to HTTP/2 or HTTP/1.1",
    HOLDS, NULL};

void scene_blocked(void)
{
    struct origin origin = {0};
    const char *seen[4];
    if (!packet_log()->tunnel) {
        claim_skip(&falls_back);
        return;
    }
    story_say(
        "A client that knows nothing asks over TCP. The answer says where HTTP/3 is, in "
        "Alt-Svc. Then the network stops to let UDP through: no error comes, only silence, "
        "so the client waits %d ms for an answer.",
        (int)(GIVE_UP_NS / 1000000));
    story_head("|answered by|time");
    seen[0] = step(&origin, "the first request");
    seen[1] = step(&origin, "the second one");
    const char *why = wire_tell("block-udp server");
    if (why)
        die("cannot block UDP: %s", why);
    seen[2] = step(&origin, "UDP is blocked");
    seen[3] = step(&origin, "the next one");
    story_say("");
    story_say("The field is: Alt-Svc: %s", field);
    bool right = !strcmp(seen[0], "TCP") && !strcmp(seen[1], "HTTP/3") &&
                 !strcmp(seen[2], "TCP, after a wait") && !strcmp(seen[3], "TCP");
    claim_report(
        &falls_back, holds_if(right),
        "by TCP, by HTTP/3; and when UDP is blocked by TCP, after a wait, and then at once");
}
