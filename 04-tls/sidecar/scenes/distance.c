// distance.c: scene wire: two pods with a distance between them. What does the first request
// cost, and the next one?
#include <netinet/in.h>

#include "claim.h"
#include "fetch.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define PACKETS 200

static const struct claim paid_once = {
    "4.78", "ch. 18.5",
    "(ours) the handshake between the sidecars is paid once, not for each request", HOLDS,
    NULL};

// What travelled for one question.
struct cost {
    double ms;
    int connections, to_server, to_client; // SYNs; packets with bytes in them
};

// True if packet i was on the way before: a busy machine may be late with an acknowledgement.
static bool is_sent_again(const struct packet *packets, uint32_t i)
{
    const struct packet *p = &packets[i];
    for (uint32_t j = 0; j < i; j++)
        if (packets[j].to_server == p->to_server && packets[j].source_port == p->source_port &&
            packets[j].seq == p->seq && packets[j].payload == p->payload)
            return true;
    return false;
}

static struct cost ask(struct fetch *f)
{
    static struct packet packets[PACKETS];
    struct cost cost = {0};
    uint32_t mark = packet_log_mark();
    int64_t began_ns = now_ns();
    story_event("the app asks for stock");
    enum fetch_result result = fetch_send(f, "GET / HTTP/1.1\r\nHost: stock\r\n\r\n");
    if (result == FETCH_OK)
        result = fetch_answer(f);
    fetch_or_die(f, result);
    cost.ms = ms_since(began_ns);
    story_event("the app has its answer: %d", f->head.status);
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    for (uint32_t i = 0; i < count; i++) {
        if (is_sent_again(packets, i))
            continue;
        cost.connections += packets[i].flags == TCP_SYN;
        if (packets[i].payload && packets[i].to_server)
            cost.to_server++;
        else if (packets[i].payload)
            cost.to_client++;
    }
    return cost;
}

void scene_wire(void)
{
    static struct fetch f;
    struct sockaddr_storage sidecar;
    if (!packet_log()->tunnel) {
        scene_check_server();
        claim_skip(&paid_once);
        return;
    }
    packet_log_pair("shop", "stock");
    story_say("shop and stock are far from each other (--rtt, on the link of each pod). Each "
              "app talks to its sidecar on "
              "its own machine, so here is only what travels between the sidecars.");
    net_address("127.0.0.1", scene_port(), SOCK_STREAM, &sidecar);
    fetch_or_die(&f, fetch_open(&f, &sidecar, 0));
    story_timeline();
    struct cost first = ask(&f), second = ask(&f);
    fetch_close(&f);
    story_head("the question|ms|connections|packets out|packets back");
    story_row("the first one|%.0f|%d|%d|%d", first.ms, first.connections, first.to_server,
              first.to_client);
    story_row("the second one|%.0f|%d|%d|%d", second.ms, second.connections, second.to_server,
              second.to_client);
    claim_report(
        &paid_once,
        holds_if(first.connections == 1 && first.to_server >= 2 && second.connections == 0 &&
                 second.to_server == 1 && second.to_client == 1),
        "the first question took %.0f ms, the second one %.0f: one packet there, one back",
        first.ms, second.ms);
}
