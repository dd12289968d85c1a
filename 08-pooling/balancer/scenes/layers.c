// layers.c: what a balancer does to a connection: it rewrites the addresses of its packets, or
// it ends the connection and makes another one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define PACKETS_MAX 400

enum { PACKET, FOUR, SEVEN, WAYS };

static const struct way {
    const char *name, *box, *host, *port;
} ways[WAYS] = {{"packets rewritten", "front", "FRONT_HOST", "WEB_PORT"},
                {"--layer 4", "four", "FOUR_HOST", "FOUR_PORT"},
                {"--layer 7", "seven", "SEVEN_HOST", "SEVEN_PORT"}};

struct seen {
    int syns;               // in all, on both sides of the box
    uint32_t before, after; // sequence number of the SYN on each side
    char client[NET_NAME];  // who the client is, as the backend sees it
    char forwarded[60];     // and as a field tells it
    int bytes;              // of the request that the backend has read
};

static struct packet packets[PACKETS_MAX];
static struct fetch f;

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        die("there is no $%s", name);
    return value;
}

static void copy_field(const char *name, char *text, size_t size)
{
    struct http_text value = http_field(&f.head, name);
    snprintf(text, size, "%.*s", (int)value.length, value.length ? value.at : "");
}

// One request through this box.
static struct seen ask(const struct way *way)
{
    struct seen seen = {.syns = 0};
    struct sockaddr_storage address;
    char bytes[20];
    uint32_t mark = packet_log_mark();
    uint8_t box = packet_log_end(way->box);
    net_address(variable(way->host), atoi(variable(way->port)), SOCK_STREAM, &address);
    packet_log_pair("client", way->box);
    story_timeline();
    fetch_or_die(&f, fetch_open(&f, &address, 0));
    fetch_or_die(&f, fetch_ask(&f, "GET", "/who", "", NULL));
    copy_field("x-client", seen.client, sizeof seen.client);
    copy_field("x-forwarded", seen.forwarded, sizeof seen.forwarded);
    copy_field("x-request-bytes", bytes, sizeof bytes);
    seen.bytes = atoi(bytes);
    fetch_close(&f);
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        if ((p->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
            continue;
        seen.syns++;
        if (p->to == box)
            seen.before = p->seq;
        else if (p->from == box)
            seen.after = p->seq;
    }
    return seen;
}

static const struct claim same_connection = {
    "8.13", "load balancing",
    "layer 4: one continuous TCP connection, only packet headers are rewritten", HOLDS, NULL};
static const struct claim forwards_packets = {
    "8.34", "load balancing",
    "NGINX's stream and HAProxy's tcp mode are layer 4: they just forward TCP packets",
    NOT_HERE,
    "they end the client's connection and make one of their own, as this --layer 4 does: two "
    "handshakes, two sequences of numbers (test/interop.sh counts theirs)"};
static const struct claim reverse_proxy = {
    "8.25", "guide §9.2", "every load balancer is a reverse proxy", NOT_HERE,
    "one that rewrites packets is no end of any connection: no proxy. Linux's IPVS, AWS's NLB"};

void scene_layers(void)
{
    struct seen seen[WAYS];
    if (!packet_log()->tunnel) {
        claim_skip(&same_connection);
        claim_skip(&forwards_packets);
        claim_skip(&reverse_proxy);
        return;
    }
    story_say("The same GET three ways to the same backend. First through a box that rewrites "
              "the addresses of packets; then through ./balancer --layer 4, and --layer 7. "
              "\"And is told\": in X-Forwarded-For.");
    for (int i = 0; i < WAYS; i++)
        seen[i] = ask(&ways[i]);
    story_head("|SYNs|first number|behind the box|the backend sees|and is told|bytes");
    for (int i = 0; i < WAYS; i++) {
        *strchr(strcat(seen[i].client, ":"), ':') = '\0';
        story_row("%s|%d|%u|%u|%s|%s|%d", ways[i].name, seen[i].syns, seen[i].before,
                  seen[i].after, seen[i].client, seen[i].forwarded, seen[i].bytes);
    }
    const char *own = variable("CLIENT_HOST");
    bool one = seen[PACKET].syns == 2 && seen[PACKET].before == seen[PACKET].after &&
               !strcmp(seen[PACKET].client, own);
    bool two = seen[FOUR].syns == 2 && seen[FOUR].before != seen[FOUR].after &&
               !strcmp(seen[FOUR].client, variable("FOUR_HOST"));
    claim_report(&same_connection, holds_if(one),
                 "SYN number %u on both sides, and the backend sees the client's address %s",
                 seen[PACKET].before, seen[PACKET].client);
    claim_report(&forwards_packets, two ? NOT_HERE : UNCLEAR,
                 "--layer 4: SYN number %u in front, %u behind; the backend sees %s",
                 seen[FOUR].before, seen[FOUR].after, seen[FOUR].client);
    claim_report(
        &reverse_proxy, one ? NOT_HERE : UNCLEAR,
        "the request reaches the backend as the client has sent it, on the client's own "
        "connection: %d bytes, %d through layer 7",
        seen[PACKET].bytes, seen[SEVEN].bytes);
}
