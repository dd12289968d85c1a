// loss.c: scene loss: what arrives over a link that loses packets.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define MESSAGES 200

static char answer[ANSWER_BYTES];

static const struct claim delivery = {"1.3", "guide §2.1",
                                      "TCP delivers everything, in order, over a lossy network",
                                      HOLDS, NULL};

// What the server noted of one transport: microseconds on the way for each message, 0 if it
// never came. Returns how many came; `in_order`: each was later than the one before it.
static int read_notes(int tcp, const char *transport, long *took_us, bool *in_order)
{
    int count = 0, number, last = 0, used;
    long us;
    ask_tcp(tcp, answer, "notes %s", transport);
    *in_order = true;
    memset(took_us, 0, (MESSAGES + 1) * sizeof *took_us);
    for (char *rest = strchr(answer, ':') + 1;
         sscanf(rest, " %d=%ld%n", &number, &us, &used) == 2; rest += used, count++) {
        if (number < 1 || number > MESSAGES)
            die("the server has a note of message %d", number);
        *in_order = *in_order && number > last;
        last = number;
        took_us[number] = us;
    }
    return count;
}

// One column for each message: a step higher is twice as late, a gap never came.
static void draw_strip(const char *name, const long *took_us)
{
    static const char *const height[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    long fastest = 0;
    for (int i = 1; i <= MESSAGES; i++)
        if (took_us[i] && (!fastest || took_us[i] < fastest))
            fastest = took_us[i];
    for (int first = 1; first <= MESSAGES; first += 80) {
        char line[80 * 4] = "";
        for (int i = first; i < first + 80 && i <= MESSAGES; i++) {
            int step = 0;
            for (long us = took_us[i]; us >= 2 * fastest && step < 7; us /= 2)
                step++;
            strcat(line, took_us[i] ? height[step] : " ");
        }
        story_say("%s %3d %s", first == 1 ? name : "   ", first, line);
    }
}

void scene_loss(void)
{
    static long took_us[MESSAGES + 1];
    bool udp_in_order, tcp_in_order;
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int udp = ask_open_udp(), tcp = ask_open_tcp(), on = 1;
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // lesson 09 says why
    story_quiet(true);
    ask_tcp(tcp, answer, "forget");
    story_say("%d numbered messages over a link that loses %g %%, a millisecond apart.",
              MESSAGES, packet_log()->loss);
    for (int i = 1; i <= 2 * MESSAGES; i++, sleep_ms(1)) {
        bool over_udp = i <= MESSAGES;
        char message[64];
        int bytes =
            snprintf(message, sizeof message, "note %d %lld%s", over_udp ? i : i - MESSAGES,
                     (long long)now_ns() / 1000, over_udp ? "" : "\n");
        send_all(over_udp ? udp : tcp, message, (size_t)bytes);
    }
    story_say("Each column is a message; a step higher is twice as late, a gap never arrived:");
    story_say("");
    int by_tcp = read_notes(tcp, "tcp", took_us, &tcp_in_order);
    draw_strip("TCP", took_us);
    int by_udp = read_notes(tcp, "udp", took_us, &udp_in_order);
    draw_strip("UDP", took_us);
    getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &length);

    bool lost_something = by_udp < MESSAGES && info.tcpi_total_retrans > 0;
    bool complete = by_tcp == MESSAGES && tcp_in_order;
    if (!packet_log()->tunnel)
        claim_skip(&delivery);
    else if (!lost_something && complete)
        claim_report(&delivery, SKIPPED, "the link lost nothing this time");
    else
        claim_report(&delivery, complete ? HOLDS : UNCLEAR,
                     "TCP: %d of %d, %s, %u segments sent again. UDP: %d of %d", by_tcp,
                     MESSAGES, tcp_in_order ? "in order" : "out of order",
                     info.tcpi_total_retrans, by_udp, MESSAGES);
    close(tcp);
    close(udp);
}
