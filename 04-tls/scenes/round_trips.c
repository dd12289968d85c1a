// round_trips.c: scene round_trips: the time until the first byte of an answer is here, with
// TLS 1.2 and 1.3, with a full handshake and a resumed one. Read ways[] first, then try_way().
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "count_round_trips.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define TRIES         2
#define SESSIONS_KEPT 4
#define RTT_MIN_MS    10

const char *scene_no_round_trips(void)
{
    if (packet_log()->rtt_ms < RTT_MIN_MS)
        return "the round trip is too short to count: --rtt 10 or more";
    if (packet_log()->loss > 0)
        return "a lost packet costs round trips as well";
    return NULL;
}

enum way { PLAIN_TCP, FULL_1_2, RESUMED_1_2, FULL_1_3, RESUMED_1_3, EARLY_1_3, WAYS };

// The best of several tries: on a busy machine a try takes longer, never shorter.
struct taken {
    double ms; // until the first byte of an answer; 0: the server does not offer this way
    int trips; // round trips
};

static const struct {
    const char *name;
    int version, round_trips; // together with those of TCP and of the request
    bool resumed, early;
} ways[WAYS] = {[PLAIN_TCP] = {"plain HTTP", 0, 2, false, false},
                [FULL_1_2] = {"TLS 1.2", TLS1_2_VERSION, 4, false, false},
                [RESUMED_1_2] = {"TLS 1.2, resumed", TLS1_2_VERSION, 3, true, false},
                [FULL_1_3] = {"TLS 1.3", TLS1_3_VERSION, 3, false, false},
                [RESUMED_1_3] = {"TLS 1.3, resumed", TLS1_3_VERSION, 3, true, false},
                [EARLY_1_3] = {"TLS 1.3, with 0-RTT", TLS1_3_VERSION, 2, true, true}};

static void note(struct taken *taken, double ms, int trips)
{
    if (taken->ms == 0 || ms < taken->ms)
        taken->ms = ms;
    if (taken->trips == 0 || trips < taken->trips)
        taken->trips = trips;
}

// Plain HTTP. The port is for HTTPS, so the answer is a 400, but it comes as fast as any other.
static void try_plain(struct taken *taken)
{
    char text[ASK_BYTES];
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    int fd = connect_tcp();
    ask_text(text, "GET", WORKBENCH, "/", NULL);
    if (!write_all(fd, text, strlen(text)) || read(fd, text, sizeof text) < 12 ||
        memcmp(text, "HTTP/1.1 400", 12))
        die("plain HTTP got no answer");
    note(taken, (double)(now_ns() - start_ns) / 1e6, count_round_trips(mark, fd, 12));
    close(fd);
}

// Sessions that the server has given and that were not used yet: [0] of 1.2, [1] of 1.3. A
// session of 1.3 is used only once.
static SSL_SESSION *sessions[2][SESSIONS_KEPT];
static int session_count[2];

static SSL_SESSION *take_session(enum way way)
{
    int *count = &session_count[ways[way].version == TLS1_3_VERSION];
    if (!*count)
        return NULL;
    return sessions[ways[way].version == TLS1_3_VERSION][--*count];
}

static void keep_session(enum way way, struct connection *c)
{
    int *count = &session_count[ways[way].version == TLS1_3_VERSION];
    if (c->session && *count < SESSIONS_KEPT) {
        sessions[ways[way].version == TLS1_3_VERSION][(*count)++] = c->session;
        c->session = NULL;
    }
}

static void try_way(enum way way, struct taken *taken)
{
    char text[ASK_BYTES];
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    SSL_SESSION *session = NULL;
    if (ways[way].resumed)
        session = take_session(way);
    ask_text(text, "GET", WORKBENCH, "/", NULL);
    settings.version = ways[way].version;
    settings.session = session;
    if (ways[way].early && session)
        settings.early = text;
    uint32_t mark = packet_log_mark();
    struct connection *c = connection_open(&settings);
    bool as_wanted = c->up && SSL_session_reused(c->ssl) == ways[way].resumed &&
                     c->early_taken == ways[way].early;
    if (c->up && (c->early_taken || connection_send(c, text, strlen(text))))
        ask_read(c, &reply);
    if (!reply.whole)
        die("no answer from the server: %s", c->why);
    if (as_wanted)
        note(taken, (double)(reply.first_ns - c->started_ns) / 1e6,
             count_round_trips(mark, c->recording.fd, reply.first_at));
    keep_session(way, c);
    SSL_SESSION_free(session);
    connection_close(c);
}

static const struct claim round_trips = {"4.1", "guide §3.3, §3.5, load balancing",
                                         "1.2 takes two round trips, 1.3 one, and 0-RTT none",
                                         HOLDS, NULL};
static const struct claim two = {
    "4.2", "ch. 18.3, load balancing",
    "a TLS handshake takes about 2 round trips (elsewhere: 2-4)", NOT_HERE,
    "TLS 1.2 takes two. TLS 1.3, which nearly all connections use today, takes one, and so "
    "does a "
    "resumed handshake of 1.2 (RFC 8446 §2, RFC 5246 §7.3). Only after a HelloRetryRequest it "
    "is "
    "one more."};
static const struct claim ten_ms = {
    "4.13", "guide §3.5", "TLS adds only 10 to 20 ms to the connection's setup", NOT_HERE,
    "It adds round trips (RFC 8446 §2). Their time depends on the distance, and a faster CPU "
    "does "
    "not change it."};

static const struct claim half = {
    "4.97", "guide §3.5", "1.3's handshake cuts the connection time by 50 %, compared to 1.2",
    NOT_HERE, "TLS's own part is halved; the round trip of TCP remains (RFC 8446 §2)."};
static const struct claim no_delay = {
    "4.98", "guide §3.5", "0-RTT eliminates handshake delays entirely", NOT_HERE,
    "TLS's, not TCP's: as quick as plain HTTP, which TCP lets wait for a round trip. Without "
    "that does QUIC's 0-RTT (RFC 9001 §4.6)."};

static void show_ways(const struct taken taken[WAYS])
{
    double longest = 0;
    bool counted = !scene_no_round_trips();
    story_head("the first byte of an answer|after|round trips|TCP|TLS|request");
    for (enum way w = 0; w < WAYS; w++) {
        if (taken[w].ms > longest)
            longest = taken[w].ms;
        if (taken[w].ms == 0)
            story_row("%s|not offered", ways[w].name);
        else if (!counted)
            story_row("%s|%.1f ms", ways[w].name, taken[w].ms);
        else if (ways[w].early)
            story_row("%s|%.1f ms|%d|1|%d|with TLS", ways[w].name, taken[w].ms, taken[w].trips,
                      taken[w].trips - 2);
        else
            story_row("%s|%.1f ms|%d|1|%d|1", ways[w].name, taken[w].ms, taken[w].trips,
                      taken[w].trips - 2);
    }
    story_say("");
    for (enum way w = 0; w < WAYS; w++)
        if (taken[w].ms > 0)
            story_bar(ways[w].name, taken[w].ms, longest, "%.0f ms", taken[w].ms);
}

static void report_ways(const struct taken taken[WAYS])
{
    int plain = taken[PLAIN_TCP].trips;
    int full_1_2 = taken[FULL_1_2].trips - plain, full_1_3 = taken[FULL_1_3].trips - plain;
    bool right = true, all = true;
    for (enum way w = 0; w < WAYS; w++) {
        all = all && taken[w].ms > 0;
        right = right && taken[w].trips == ways[w].round_trips;
    }
    enum verdict verdict = UNCLEAR;
    if (right)
        verdict = HOLDS;
    if (!all)
        claim_report(&round_trips, SKIPPED, "this server does not offer all: --early-data");
    else
        claim_report(
            &round_trips, verdict,
            "round trips more than plain HTTP: 1.2 %d, 1.3 %d, 0-RTT %d; resumed %d with "
            "1.2 and %d with 1.3",
            full_1_2, full_1_3, taken[EARLY_1_3].trips - plain,
            taken[RESUMED_1_2].trips - plain, taken[RESUMED_1_3].trips - plain);
    verdict = UNCLEAR;
    if (full_1_2 == 2 && full_1_3 == 1)
        verdict = NOT_HERE;
    else if (full_1_3 >= 2)
        verdict = HOLDS;
    claim_report(&two, verdict, "%d with 1.2, %d with 1.3, and before them the one of TCP",
                 full_1_2, full_1_3);
    double added = taken[FULL_1_3].ms - taken[PLAIN_TCP].ms;
    verdict = HOLDS;
    if (added > 20)
        verdict = NOT_HERE;
    if (packet_log()->rtt_ms < 30)
        claim_report(&ten_ms, SKIPPED, "over so short a distance it does: --rtt 30 or more");
    else
        claim_report(&ten_ms, verdict,
                     "with a round trip of %g ms: %.0f ms with 1.3, %.0f with 1.2",
                     packet_log()->rtt_ms, added, taken[FULL_1_2].ms - taken[PLAIN_TCP].ms);
}

// What the handshakes take of a connection's time, in round trips: all but the request's.
static void report_handshakes(const struct taken taken[WAYS])
{
    int old = taken[FULL_1_2].trips - 1, new = taken[FULL_1_3].trips - 1;
    int tls = taken[FULL_1_2].trips - taken[PLAIN_TCP].trips;
    int early = taken[EARLY_1_3].trips, plain = taken[PLAIN_TCP].trips;
    enum verdict verdict = UNCLEAR;
    if (tls == 2 && old == 3 && new == 2)
        verdict = NOT_HERE;
    else if (new * 2 <= old)
        verdict = HOLDS;
    claim_report(
        &half, verdict,
        "round trips until a request can be sent: %d with 1.2, %d with 1.3; the answer "
        "after %.0f ms and %.0f",
        old, new, taken[FULL_1_2].ms, taken[FULL_1_3].ms);
    verdict = UNCLEAR;
    if (early == 2 && plain == 2)
        verdict = NOT_HERE;
    else if (early == 1)
        verdict = HOLDS;
    if (taken[EARLY_1_3].ms == 0)
        claim_report(&no_delay, SKIPPED, "this server does not offer it: --early-data");
    else
        claim_report(
            &no_delay, verdict,
            "the answer after %d round trips with 0-RTT, %.0f ms; plain HTTP: %d, %.0f ms",
            early, taken[EARLY_1_3].ms, plain, taken[PLAIN_TCP].ms);
}

void scene_round_trips(void)
{
    struct taken taken[WAYS] = {0};
    story_say(
        "A new connection and one request, in six ways; the best of %d tries. Plain HTTP uses "
        "the same port: its answer is a 400, because the port is for HTTPS.",
        TRIES);
    for (int i = 0; i < TRIES; i++) {
        try_plain(&taken[PLAIN_TCP]);
        for (enum way w = FULL_1_2; w < WAYS; w++)
            try_way(w, &taken[w]);
    }
    for (enum way w = FULL_1_2; w < WAYS; w++)
        for (SSL_SESSION *session; (session = take_session(w));)
            SSL_SESSION_free(session);
    show_ways(taken);
    const char *why = scene_no_round_trips();
    const struct claim *const claims[] = {&round_trips, &two, &ten_ms, &half, &no_delay};
    for (size_t i = 0; why && i < sizeof claims / sizeof *claims; i++) {
        if (packet_log()->tunnel)
            claim_report(claims[i], SKIPPED, "%s", why);
        else
            claim_skip(claims[i]);
    }
    if (!why) {
        report_ways(taken);
        report_handshakes(taken);
    }
}
