// loss.c: scene loss: what arrives over a link that loses packets.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "numbered.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define STRIP 80 // messages that one line shows, where the terminal has room
#define LABEL 10 // columns of "  TCP   1 "

static char answer[ANSWER_BYTES];

static const struct claim delivery = {"1.3", "guide §2.1",
                                      "TCP delivers everything, in order, over a lossy network",
                                      HOLDS, NULL};

// Draws one column for each message: a step higher is twice as late, a gap never came.
static void draw_strip(const char *name, const long *took_us)
{
    static const char *const height[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int per_line = STRIP; // columns
    if (text_width() < STRIP + LABEL)
        per_line = STRIP / 2;
    long fastest = 0;
    for (int i = 1; i <= MESSAGES; i++)
        if (took_us[i] && (!fastest || took_us[i] < fastest))
            fastest = took_us[i];
    for (int first = 1; first <= MESSAGES; first += per_line) {
        char line[STRIP * 4] = "";
        for (int i = first; i < first + per_line && i <= MESSAGES; i++) {
            int step = 0;
            for (long us = took_us[i]; us >= 2 * fastest && step < 7; us /= 2)
                step++;
            if (took_us[i])
                strcat(line, height[step]);
            else
                strcat(line, " ");
        }
        story_say("%s %3d %s", name, first, line);
        name = "   "; // only the first line has the name
    }
}

static void judge(const struct arrivals *by_tcp, const struct arrivals *by_udp, unsigned again)
{
    static const char *const order[] = {"out of order", "in order"};
    bool lost_something = by_udp->count < MESSAGES && again > 0;
    bool complete = by_tcp->count == MESSAGES && by_tcp->in_order;
    if (!packet_log()->tunnel)
        claim_skip(&delivery);
    else if (!lost_something && complete)
        claim_report(&delivery, SKIPPED, "the link lost nothing this time");
    else
        claim_report(&delivery, holds_if(complete),
                     "TCP: %d of %d, %s, %u segments sent again. UDP: %d of %d", by_tcp->count,
                     MESSAGES, order[by_tcp->in_order], again, by_udp->count, MESSAGES);
}

void scene_loss(void)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int udp = ask_open_udp(), tcp = ask_open_tcp(), on = 1;
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    story_quiet(true);
    ask_tcp(tcp, answer, "forget");
    story_say("%d numbered messages over a link that loses %g %%, a millisecond apart.",
              MESSAGES, packet_log()->loss);
    numbered_send(udp, "");
    numbered_send(tcp, "\n");
    story_say("Each column is a message; a step higher is twice as late, a gap never arrived:");
    story_say("");
    struct arrivals by_tcp = numbered_read(tcp, "tcp");
    draw_strip("TCP", by_tcp.took_us);
    struct arrivals by_udp = numbered_read(tcp, "udp");
    draw_strip("UDP", by_udp.took_us);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &length);
    judge(&by_tcp, &by_udp, info.tcpi_total_retrans);
    close(tcp);
    close(udp);
}
