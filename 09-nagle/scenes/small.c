// small.c: scene small: one small write(), with nothing in flight; and two small answers.
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "protocol.h"
#include "scenes.h"
#include "story.h"

#define WRITES      3
#define BYTES       500
#define PACKETS_MAX 100

static const struct claim small_waits = {
    "9.2", "guide §10.1", "500 bytes are not sent immediately, because 500 < 1460", NOT_HERE,
    "With nothing in flight they go at once (RFC 896, and the notes' own rule 1)."};

static const struct claim answers_too = {
    "9.32", "guide §10.1", "always disable Nagle for request-response protocols", HOLDS, NULL};

// Sends one request. Returns how long the kernel kept its bytes back, in milliseconds.
static double time_until_sent(int fd)
{
    struct packet packets[PACKETS_MAX];
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    send_request(fd, ONE_WRITEV, BYTES - HEADER_BYTES, 0);
    await_answer(fd);
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < count; i++) // an ACK of the client may stand before its bytes
        if (packets[i].to_server && packets[i].payload)
            return (double)(packets[i].at_ns - start_ns) / 1e6;
    die("the wire did not see the request");
}

// Sends two requests in one write(); the server answers each with a byte. Returns how many of
// these bytes set out before the client had acknowledged any.
static int answers_at_once(int fd)
{
    struct packet packets[PACKETS_MAX];
    const uint32_t two[] = {0, 0}; // two headers of requests without a body
    char replies[2];
    int at_once = 0;
    uint32_t mark = packet_log_mark();
    put(fd, two, sizeof two);
    if (!read_exactly(fd, replies, sizeof replies))
        die("no two answers have come");
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < count && !(at_once && packets[i].to_server); i++)
        if (!packets[i].to_server)
            at_once += packets[i].payload;
    return at_once;
}

static void report_answers(int at_once)
{
    if (packet_log()->loss > 0 || packet_log()->rtt_ms == 0)
        claim_report(&answers_too, SKIPPED, "this needs a distance, and no losses");
    else
        claim_report(&answers_too, holds_if(at_once == 2),
                     "two requests in one write(): %d of the server's 2 small answers set out "
                     "before an ACK came",
                     at_once);
}

void scene_small(void)
{
    double quickest_ms = 0;
    int at_once = 0;
    if (!packet_log()->tunnel) { // without the wire there are no packets to look at
        claim_skip(&small_waits);
        claim_skip(&answers_too);
        return;
    }
    int fd = open_connection(host, port);
    story_say("%d times %d bytes in one write(), Nagle on, each after the answer to the last.",
              WRITES, BYTES);
    story_timeline();
    for (int i = 0; i < WRITES; i++) {
        double waited_ms = time_until_sent(fd);
        if (i == 0 || waited_ms < quickest_ms)
            quickest_ms = waited_ms;
    }
    story_say("And %d times two requests in one write(). The server has TCP_NODELAY.", WRITES);
    story_timeline();
    for (int i = 0; i < WRITES; i++) { // more than once: a busy machine may delay an answer
        int count = answers_at_once(fd);
        if (count > at_once)
            at_once = count;
    }
    close(fd);
    enum verdict verdict = HOLDS;
    if (quickest_ms < packet_log()->rtt_ms / 2)
        verdict = NOT_HERE;
    if (packet_log()->rtt_ms > 0)
        claim_report(&small_waits, verdict,
                     "the quickest was on its way %.2f ms after the write()", quickest_ms);
    else
        claim_skip(&small_waits);
    report_answers(at_once);
}
