// reuse.c: scene reuse: a connection for each query, or one for all of them.
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define ROUNDS      8 // queries of each kind
#define PACKETS_MAX 1000
#define VALUE_BYTES 200

static const struct claim halves = {"8.1", "guide §7, ch. 18.3",
                                    "reuse cuts the latency by half or more", HOLDS, NULL};

static const struct claim three = {
    "8.5", "guide §16.2", "a connection costs three round trips of TCP", NOT_HERE,
    "Three segments, and one round trip: the third goes along with the first data (RFC 9293 "
    "§3.5). The others are the session's own: here a login."};

// A query on a connection of its own, in milliseconds.
static double ask_afresh(void)
{
    int64_t start_ns = now_ns();
    struct db *db = open_or_die(the_server());
    ask_or_die(db, "get user 7");
    db_close(db);
    return ms_since(start_ns);
}

static double ask_pool(struct pool *pool)
{
    char value[VALUE_BYTES];
    int64_t start_ns = now_ns();
    if (!pool_query(pool, __func__, "get user 7", value, sizeof value))
        die("%s", value);
    return ms_since(start_ns);
}

// Of the packets since `mark`: answers that came before the client could send its first bytes,
// and answers to bytes.
static void count_round_trips(uint32_t mark, int *tcp, int *session)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    bool spoken = false;
    *tcp = *session = 0;
    for (const struct packet *p = packets; p < packets + count; p++) {
        spoken = spoken || (p->to_server && p->payload);
        *tcp += !p->to_server && !spoken;
        *session += !p->to_server && p->payload;
    }
}

// The same of TCP without wire: segments that have come when connect() is done.
static int count_segments(void)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int fd = connect_to_server();
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        die("cannot read TCP_INFO: %s", strerror(errno));
    close(fd);
    return (int)info.tcpi_segs_in;
}

static void report_round_trips(int tcp, int session)
{
    if (!packet_log()->tunnel)
        tcp = count_segments();
    enum verdict verdict = holds_if(tcp == 3);
    if (tcp == 1 && session <= 1)
        verdict = NOT_HERE;
    if (!packet_log()->tunnel)
        claim_report(&three, verdict, "%d segment has come when connect() is done", tcp);
    else if (packet_log()->loss > 0)
        claim_report(&three, SKIPPED, "on this link packets are lost, and sent again");
    else
        claim_report(&three, verdict,
                     "%d round trip before the first byte may go, and %d for the login", tcp,
                     session);
}

void scene_reuse(void)
{
    int tcp, session;
    struct pool_config config = session_pool(the_server());
    config.validate = NULL; // that is scene stale's subject
    struct pool *pool = new_pool(config);
    story_timeline();
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    story_event("connect, log in, ask");
    struct db *db = open_or_die(the_server());
    count_round_trips(mark, &tcp, &session);
    story_event("a session, after %.1f ms", ms_since(start_ns));
    ask_or_die(db, "get user 7");
    story_event("user 7 is %s, after %.1f ms", db_value(db, 0, 1), ms_since(start_ns));
    story_quiet(true);
    db_close(db);
    ask_pool(pool); // the first one opens
    story_quiet(false);
    story_event("pool_acquire(), ask, pool_release()");
    story_event("done, after %.1f ms", ask_pool(pool));
    story_quiet(true);
    double fresh = ask_afresh(), pooled = ask_pool(pool);
    for (int i = 1; i < ROUNDS; i++) {
        double fresh_again = ask_afresh(), pooled_again = ask_pool(pool);
        if (fresh_again < fresh)
            fresh = fresh_again;
        if (pooled_again < pooled)
            pooled = pooled_again;
    }
    end_pool(pool);
    story_say("The best of %d:", ROUNDS);
    story_say("");
    story_bar("a connection per query", fresh, fresh, "%.1f ms", fresh);
    story_bar("from the pool", pooled, fresh, "%.1f ms", pooled);
    if (is_far(&halves))
        claim_report(&halves, holds_if(fresh >= 2 * pooled),
                     "%.1f ms on a new connection, %.1f ms on one from the pool, at RTT %g ms",
                     fresh, pooled, packet_log()->rtt_ms);
    report_round_trips(tcp, session);
}
