// test_link.h: two ends over a link that loses, doubles and swaps packets: all bytes, once, in
// order, and no run that stands still. And what recovery.c does, step by step.
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include "link_rules.h"

#define LINK_RUNS    10000
#define LINK_LONGEST 20000 // bytes of an answer

static const struct link_kind link_kinds[] = {
    {.delay_ms = 20},
    {.delay_ms = 20, .loss = 5, .jitter_ms = 1},
    {.delay_ms = 30, .loss = 10, .doubled = 5, .jitter_ms = 40},
    {.delay_ms = 10, .loss = 20, .doubled = 20},
    {.delay_ms = 40, .loss = 3, .moves = true},
    {.delay_ms = 20, .loss = 2, .hostile = 10, .key = "secret"},
    {.delay_ms = 20, .loss = 2, .hostile = 10}, // here only memory is looked at
};
#define LINK_KINDS (sizeof link_kinds / sizeof *link_kinds)

TEST(ten_thousand_links)
{
    static struct link link;
    int runs = LINK_RUNS;
    if (SANITIZED)
        runs = LINK_RUNS / 10;
    alarm(3 * TEST_SECONDS);
    for (int i = 0; i < runs; i++) {
        size_t kind = (size_t)i % LINK_KINDS;
        link_begin(&link, (uint64_t)i, &link_kinds[kind], LINK_LONGEST);
        const char *fault = link_run(&link);
        if (fault)
            FAIL("kind %zu, seed %d, after %.1f s: %s", kind, i, (double)link.now_ns / 1e9,
                 fault);
        link_end(&link);
    }
}

// Larger ones: the windows of streams and connection are used up again and again.
TEST(windows_do_not_lock)
{
    static struct link link;
    for (int i = 0; i < 40; i++) {
        link_begin(&link, (uint64_t)i, &link_kinds[(size_t)i % 4], 400000);
        const char *fault = link_run(&link);
        if (fault)
            FAIL("seed %d, after %.1f s: %s", i, (double)link.now_ns / 1e9, fault);
        CHECK(link.ends[1].out_max >= link.taken[0]);
        link_end(&link);
    }
}

// The client's own packets are ACKs, nearly all of them: one for two packets that have come.
TEST(every_second_packet_is_acknowledged)
{
    static struct link link;
    static const struct link_kind kind = {.delay_ms = 20};
    link_begin(&link, 5, &kind, 400000);
    CHECK(link_run(&link) == NULL);
    const struct connection *client = &link.ends[0];
    CHECK_AT_LEAST(client->packets_in, 100);
    CHECK_BETWEEN(client->recovery.next, client->packets_in * 2 / 5,
                  client->packets_in * 3 / 5 + 5);
    link_end(&link);
}

// A client that waits says something now and then; who hears nothing gives up in the end.
TEST(silence_ends_a_connection)
{
    struct connection c;
    uint8_t ids[2][ID_BYTES] = {"one", "two"};
    struct sockaddr_storage address = link_address(0x0a000001, 1000);
    int64_t begin = 1000;
    CHECK(connection_begin(&c, &link_user, ids[0], ids[1], &address, begin));
    CHECK(connection_due_ns(&c) == begin + HANDSHAKE_NS);
    connection_expire(&c, begin + HANDSHAKE_NS);
    CHECK_INT(c.state, CLOSED);
    CHECK_TEXT(c.reason, "nothing has come for 10 s");
    connection_end(&c);
    CHECK(connection_begin(&c, &link_user, ids[0], ids[1], &address, begin));
    c.state = OPEN;
    for (int i = 1; i <= 2; i++) {
        CHECK(connection_due_ns(&c) == begin + i * KEEP_ALIVE_NS);
        c.ping_due = false;
        connection_expire(&c, begin + i * KEEP_ALIVE_NS);
        CHECK(c.ping_due);
    }
    c.is_server = true; // a server asks nobody
    CHECK(connection_due_ns(&c) == begin + IDLE_NS);
    connection_expire(&c, begin + IDLE_NS);
    CHECK_INT(c.state, CLOSED);
    CHECK_TEXT(c.reason, "nothing has come for 10 s");
    connection_end(&c);
}

// ---- recovery ------------------------------------------------------------------------------

static uint64_t settled[64];
static int settled_count;

static void note_settled(void *context, const struct sent_packet *packet)
{
    (void)context;
    if (settled_count < 64)
        settled[settled_count++] = packet->chunks[0].offset;
}

static void ignore_settled(void *context, const struct sent_packet *packet)
{
    (void)context;
    (void)packet;
}

static void begin_recovery(struct recovery *r, int packets, int64_t step_ns)
{
    CHECK(recovery_begin(r));
    r->lost = note_settled;
    r->acked = ignore_settled;
    settled_count = 0;
    for (int i = 0; i < packets; i++) {
        struct sent_packet packet = {.at_ns = 1000 + i * step_ns,
                                     .bytes = 1200,
                                     .state = SENT_IN_FLIGHT,
                                     .chunk_count = 1,
                                     .chunks = {{.offset = (uint64_t)i}}};
        recovery_sent(r, &packet);
    }
}

static bool ack_late(struct recovery *r, uint64_t number, int64_t now, uint64_t delay_us)
{
    struct frame ack = {.type = FRAME_ACK,
                        .delay_us = delay_us,
                        .ack_count = 1,
                        .acks = {{number, number + 1}}};
    return recovery_ack(r, &ack, now);
}

static bool ack_one(struct recovery *r, uint64_t number, int64_t now)
{
    return ack_late(r, number, now, 0);
}

// RFC 9002 §5.3: what a peer says about the delay of its ACK counts up to max_ack_delay, and
// not where the round trip would be less than the least one.
TEST(a_peer_cannot_make_the_round_trip_shorter)
{
    struct recovery r;
    int64_t ms = 1000000;
    begin_recovery(&r, 4, 0);
    CHECK(ack_one(&r, 0, 1000 + 100 * ms));
    CHECK(ack_late(&r, 1, 1000 + 150 * ms, UINT64_C(1) << 61));
    CHECK_INT((long)r.smoothed_rtt_ns, (7 * 100 * ms + 125 * ms) / 8);
    CHECK(ack_late(&r, 2, 1000 + 110 * ms, 20000));
    CHECK_INT((long)r.smoothed_rtt_ns, (7 * 103125000 + 110 * ms) / 8);
    recovery_end(&r);
}

// RFC 9002 §6.1.1: lost is what is three packets older than one that has arrived.
TEST(three_later_packets_make_one_lost)
{
    struct recovery r;
    int64_t ms = 1000000;
    begin_recovery(&r, 6, 0);
    CHECK(ack_one(&r, 2, 100 * ms));
    CHECK_INT(settled_count, 0);
    CHECK(ack_one(&r, 3, 100 * ms));
    CHECK_INT(settled_count, 1);
    CHECK(settled[0] == 0);
    CHECK_INT((long)r.window, (12000 + 2 * 1200) / 2); // slow start, then halved, once
    CHECK(ack_one(&r, 5, 101 * ms));
    CHECK_INT(settled_count, 2);
    CHECK(settled[1] == 1);
    CHECK_INT((long)r.window, 7200);  // the same loss event
    CHECK(!ack_one(&r, 6, 101 * ms)); // never sent
    recovery_end(&r);
}

// §6.1.2: or 9/8 of a round trip, when a later one has arrived.
TEST(time_makes_one_lost)
{
    struct recovery r;
    int64_t ms = 1000000;
    begin_recovery(&r, 2, 0);
    CHECK(ack_one(&r, 1, 1000 + 80 * ms));
    CHECK_INT(settled_count, 0);
    CHECK_INT((long)((recovery_due_ns(&r) - 1000) / 100000), 900); // 90.0 ms
    recovery_expire(&r, recovery_due_ns(&r));
    CHECK_INT(settled_count, 1);
    CHECK_INT((long)r.in_flight, 0);
    recovery_end(&r);
}

// §6.2: nothing comes: the probe timeout, and it doubles.
TEST(silence_makes_a_probe)
{
    struct recovery r;
    begin_recovery(&r, 3, 0);
    int64_t first = recovery_due_ns(&r) - 1000;
    CHECK_INT((long)(first / 1000000), 333 + 4 * 166 + 2 + 25); // 166.5 ms are the variation
    recovery_expire(&r, 1000 + first);
    CHECK_INT(r.probes, 2);
    CHECK_INT(settled_count, 2); // sent again, and still not counted as lost
    CHECK_INT((long)r.in_flight, 3600);
    CHECK_INT((long)((recovery_due_ns(&r) - 1000 - first) / first), 2);
    recovery_end(&r);
}

// §7.6: where all is lost for three probe timeouts, here 825 ms, the window is the least one.
// An arrival in between shows that something got through: then it is only halved.
TEST(nothing_gets_through_for_long)
{
    struct recovery r;
    int64_t ms = 1000000;
    begin_recovery(&r, 8, 200 * ms);
    CHECK(ack_one(&r, 0, 1000 + 100 * ms));
    CHECK(ack_one(&r, 7, 1000 + 1500 * ms));
    CHECK_INT(settled_count, 6);
    CHECK_INT((long)r.window, PACKETS_LEAST * 1200);
    recovery_end(&r);
    struct frame both = {.type = FRAME_ACK, .ack_count = 2, .acks = {{7, 8}, {3, 4}}};
    begin_recovery(&r, 8, 200 * ms);
    CHECK(ack_one(&r, 0, 1000 + 100 * ms));
    CHECK(recovery_ack(&r, &both, 1000 + 1500 * ms));
    CHECK_INT(settled_count, 5);
    CHECK_INT((long)r.window, (12000 + 3 * 1200) / 2);
    recovery_end(&r);
}

// The number of a packet is used once: an ACK of the first try does not pass for the second.
TEST(numbers_are_not_used_again)
{
    static struct link link;
    static const struct link_kind kind = {.delay_ms = 20, .loss = 20};
    link_begin(&link, 3, &kind, 50000);
    CHECK(link_run(&link) == NULL);
    const struct recovery *r = &link.ends[1].recovery;
    CHECK(r->lost_count > 0);
    CHECK(r->next >= r->acked_count + r->lost_count);
    CHECK_INT((long)link.ends[0].duplicates, 0);
    link_end(&link);
}

#endif
