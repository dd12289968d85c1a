// damage.c: scene damage: a network in which bits flip, and packets overtake each other. What
// do the programs see of it?
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "numbered.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define PACKETS_MAX 4000

static const struct claim again_claim = {
    "1.41", "guide §2.1", "if a segment is corrupted, TCP automatically resends it", HOLDS,
    NULL};
static const struct claim order_claim = {
    "1.42", "guide §2.1", "packets arrive out of order; TCP reassembles them", HOLDS, NULL};
static const struct claim errors_claim = {
    "1.43", "guide §2.1", "UDP doesn't guarantee error-free transmission", NOT_HERE,
    "It may lose a datagram, but delivers none that was damaged: the receiver's kernel drops "
    "it "
    "(RFC 1122 §4.1.3.4; a checksum of 16 bits misses one damage in 65,536)."};

// What the wire did to the packets with data from the client to the server.
struct harm {
    int damaged, late;
};

static struct harm harm_since(uint32_t mark, int protocol)
{
    static struct packet packets[PACKETS_MAX];
    struct harm harm = {0};
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (const struct packet *p = packets; p < packets + count; p++) {
        if (p->protocol != protocol || !p->to_server || !p->payload)
            continue;
        harm.damaged += p->fate == DAMAGED;
        harm.late += p->fate == LATE;
    }
    return harm;
}

static void skip_all(const char *why)
{
    const struct claim *const claims[] = {&again_claim, &order_claim, &errors_claim};
    for (int i = 0; i < 3; i++)
        if (why)
            claim_report(claims[i], SKIPPED, "%s", why);
        else
            claim_skip(claims[i]);
}

static void judge(const struct arrivals *by_tcp, const struct arrivals *by_udp, struct harm tcp,
                  struct harm udp, unsigned again)
{
    bool whole = by_tcp->count == MESSAGES && by_tcp->in_order;
    enum verdict verdict = UNCLEAR;
    claim_report(&again_claim, holds_if(whole && tcp.damaged > 0 && again > 0),
                 "%d segments were damaged, %u were sent again; %d of %d messages came",
                 tcp.damaged, again, by_tcp->count, MESSAGES);
    claim_report(&order_claim, holds_if(whole && tcp.late > 0 && by_udp->behind > 0),
                 "%d datagrams came behind a later one. By TCP %d segments were late, and %d "
                 "messages came behind a later one",
                 by_udp->behind, tcp.late, by_tcp->behind);
    if (udp.damaged > 0 && by_udp->count == MESSAGES - udp.damaged)
        verdict = NOT_HERE;
    else if (by_udp->count > MESSAGES - udp.damaged)
        verdict = HOLDS;
    claim_report(&errors_claim, verdict, "%d of %d datagrams were damaged, and %d came",
                 udp.damaged, MESSAGES, by_udp->count);
}

void scene_damage(void)
{
    static char answer[ANSWER_BYTES];
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (!packet_log()->tunnel || packet_log()->loss > 0) {
        skip_all(packet_log()->tunnel ? "this link loses packets as well" : NULL);
        return;
    }
    int udp = ask_open_udp(), tcp = ask_open_tcp(), on = 1;
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    story_quiet(true);
    ask_tcp(tcp, answer, "forget");
    story_say("%d numbered messages, a millisecond apart, by UDP and then by TCP. On the way a "
              "bit of some packets flips, and some are overtaken by the next.",
              MESSAGES);
    uint32_t udp_mark = packet_log_mark();
    numbered_send(udp, "");
    struct harm udp_harm = harm_since(udp_mark, IPPROTO_UDP);
    uint32_t tcp_mark = packet_log_mark();
    numbered_send(tcp, "\n");
    struct arrivals by_tcp = numbered_read(tcp, "tcp"), by_udp = numbered_read(tcp, "udp");
    struct harm tcp_harm = harm_since(tcp_mark, IPPROTO_TCP);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &length);
    close(tcp);
    close(udp);
    story_head("of the messages|by UDP|by TCP");
    story_row("packets that were damaged|%d|%d", udp_harm.damaged, tcp_harm.damaged);
    story_row("packets that were late|%d|%d", udp_harm.late, tcp_harm.late);
    story_row("segments sent again||%u", info.tcpi_total_retrans);
    story_row("messages that came|%d|%d", by_udp.count, by_tcp.count);
    story_row("messages behind a later one|%d|%d", by_udp.behind, by_tcp.behind);
    judge(&by_tcp, &by_udp, tcp_harm, udp_harm, info.tcpi_total_retrans);
}
