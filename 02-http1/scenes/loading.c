// loading.c: what a request costs in round trips, and who waits for whom.
#include "loading.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "story.h"
#include "text.h"

#define REQUESTS    10
#define TRIES       3 // of a measurement that a busy machine may disturb
#define IMAGES      30
#define SIX         6
#define SLOW_MS     400
#define PICTURE     72 // columns
#define PACKETS_MAX 4000

static struct packet packets[PACKETS_MAX];

static double ms_since(int64_t start_ns, int64_t end_ns)
{
    return (double)(end_ns - start_ns) / 1e6;
}

// Why a claim about round trips cannot be judged on this link; NULL if it can.
static const char *no_round_trips(void)
{
    if (packet_log()->loss > 0)
        return "on this link lost packets cost more than round trips";
    if (packet_log()->rate > 0)
        return "on this link the rate decides, not the round trips";
    if (packet_log()->rtt_ms < 5)
        return "on this link a round trip takes hardly any time";
    return NULL;
}

// ---- reuse ---------------------------------------------------------------------------------

static int handshakes_since(uint32_t mark)
{
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    int handshakes = 0;
    for (uint32_t i = 0; i < count; i++)
        handshakes += packets[i].to_server && packets[i].flags & TCP_SYN;
    return handshakes;
}

// Sends REQUESTS requests, one after the other; returns how long they took.
static double time_requests(bool reuse, int *handshakes)
{
    struct fetch f;
    uint32_t mark = packet_log_mark();
    int64_t start = now_ns();
    for (int i = 0; i < REQUESTS; i++) {
        if (i == 0 || !reuse)
            ask_open(&f);
        ask_get(&f, "/");
        if (i == REQUESTS - 1 || !reuse)
            fetch_close(&f);
    }
    double took_ms = ms_since(start, now_ns());
    *handshakes = packet_log()->tunnel ? handshakes_since(mark) : 0;
    return took_ms;
}

static const struct claim saves = {"2.1", "guide §3.1",
                                   "keep-alive saves a handshake a request", HOLDS, NULL};

static const struct claim introduced = {
    "2.7", "guide §3.1", "HTTP/1.1 introduced the Keep-Alive header to reuse connections",
    NOT_HERE,
    "HTTP/1.1 needs no field: a connection stays open until one says Connection: close (RFC "
    "9112 §9.3). Asking with Connection: keep-alive is what HTTP/1.0 needs."};

static void show_who_stays(void)
{
    static const struct {
        const char *name, *request;
        bool stays;
    } cases[] = {{"HTTP/1.1", "GET / HTTP/1.1\r\nHost: workbench\r\n\r\n", true},
                 {"HTTP/1.1, Connection: close",
                  "GET / HTTP/1.1\r\nHost: workbench\r\nConnection: close\r\n\r\n", false},
                 {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", false},
                 {"HTTP/1.0, Connection: keep-alive",
                  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}};
    int as_told = 0, fields = 0;
    story_head("after the answer, the connection|is open?|says so?");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch f;
        ask_open(&f);
        ask(&f, cases[i].request);
        bool says = http_field(&f.head, "connection").at;
        fields += http_field(&f.head, "keep-alive").at != NULL;
        bool stays = cases[i].stays || !ask_ends(&f);
        if (stays)
            ask_get(&f, "/"); // dies if it does not
        as_told += stays == cases[i].stays;
        story_row("%s|%s|%s", cases[i].name, stays ? "open" : "closed", says ? "yes" : "no");
        fetch_close(&f);
    }
    claim_report(&introduced,
                 as_told == 4 && !fields ? NOT_HERE
                 : fields                ? HOLDS
                                         : UNCLEAR,
                 "%d of 4 connections as above; Keep-Alive fields in their answers: %d",
                 as_told, fields);
}

void scene_reuse(void)
{
    struct fetch f;
    int handshakes[2];
    story_say(
        "Two requests on one connection. The first needs a handshake, the second does not.");
    story_timeline();
    ask_open(&f);
    for (int i = 0; i < 2; i++) {
        story_event("GET /");
        ask_get(&f, "/");
        story_event("%d, %zu bytes of content", f.head.status, f.content_bytes);
    }
    story_quiet(true);
    fetch_close(&f);

    double each_ms = 0, one_ms = 0, rtt_ms = packet_log()->rtt_ms;
    for (int i = 0; i < TRIES && each_ms <= 1.5 * one_ms; i++) { // once, if undisturbed
        each_ms = time_requests(false, &handshakes[0]);
        one_ms = time_requests(true, &handshakes[1]);
    }
    char title[40];
    snprintf(title, sizeof title, "%d requests|handshakes|time|round trips", REQUESTS);
    story_head(title);
    if (packet_log()->tunnel && rtt_ms > 0) {
        story_row("a new connection each|%d|%.0f ms|%.1f", handshakes[0], each_ms,
                  each_ms / rtt_ms);
        story_row("one connection for all|%d|%.0f ms|%.1f", handshakes[1], one_ms,
                  one_ms / rtt_ms);
    } else {
        story_row("a new connection each|?|%.1f ms|?", each_ms);
        story_row("one connection for all|?|%.1f ms|?", one_ms);
    }
    if (!packet_log()->tunnel)
        claim_skip(&saves);
    else if (no_round_trips())
        claim_report(&saves, SKIPPED, "%s", no_round_trips());
    else
        claim_report(&saves,
                     handshakes[0] == REQUESTS && handshakes[1] == 1 && each_ms > 1.5 * one_ms
                         ? HOLDS
                         : UNCLEAR,
                     "%.1f round trips, %.1f with a connection each, for %d requests",
                     one_ms / rtt_ms, each_ms / rtt_ms, REQUESTS);
    show_who_stays();
}

// ---- pipeline ------------------------------------------------------------------------------

static const struct claim blocks = {
    "2.2", "guide §3.1", "pipelining: a slow answer delays all that follow", HOLDS, NULL};

// When the answers to two requests, sent at once on one connection, are here.
static void time_two(const char *first, const char *second, double *first_ms, double *second_ms)
{
    struct fetch f;
    ask_open(&f);
    story_timeline();
    int64_t start = now_ns();
    story_event("GET %s   GET %s", first, second);
    fetch_or_die(&f, fetch_send(&f,
                                "GET %s HTTP/1.1\r\n" FETCH_HOST
                                "\r\nGET %s HTTP/1.1\r\n" FETCH_HOST "\r\n",
                                first, second));
    double *times[] = {first_ms, second_ms};
    for (int i = 0; i < 2; i++) {
        fetch_or_die(&f, fetch_answer(&f));
        *times[i] = ms_since(start, now_ns());
        story_event("answer %d: %.*s", i + 1, ask_first_line(&f), f.content.at);
    }
    fetch_close(&f);
}

void scene_pipeline(void)
{
    char slow[40];
    struct fetch f;
    double slow_ms, behind_ms, alone_ms, pipelined_ms;
    int handshakes;
    snprintf(slow, sizeof slow, "/slow?ms=%d", SLOW_MS);
    double in_turn_ms = time_requests(true, &handshakes);
    ask_open(&f);
    int64_t start = now_ns();
    char all[REQUESTS * 64] = "";
    for (int i = 0; i < REQUESTS; i++) // in one write(): lesson 09 knows why
        strcat(all, "GET / HTTP/1.1\r\n" FETCH_HOST "\r\n");
    fetch_or_die(&f, fetch_send(&f, "%s", all));
    for (int i = 0; i < REQUESTS; i++)
        fetch_or_die(&f, fetch_answer(&f));
    pipelined_ms = ms_since(start, now_ns());
    fetch_close(&f);
    story_say("%d requests on one connection:", REQUESTS);
    story_say("");
    story_bar("each after the last answer", in_turn_ms, in_turn_ms, "%.1f ms", in_turn_ms);
    story_bar("pipelined: all at once", pipelined_ms, in_turn_ms, "%.1f ms", pipelined_ms);
    story_say("");

    story_say("So why does nobody do it? Two requests: the first is slow, the second is not.");
    time_two(slow, "/", &slow_ms, &behind_ms);
    story_quiet(true);
    ask_open(&f);
    for (int i = 0; i < TRIES; i++) {
        start = now_ns();
        ask_get(&f, "/");
        double took_ms = ms_since(start, now_ns());
        alone_ms = i == 0 || took_ms < alone_ms ? took_ms : alone_ms;
    }
    fetch_close(&f);
    story_head("GET /|answer after");
    story_row("alone|%.1f ms", alone_ms);
    story_row("behind %s|%.1f ms", slow, behind_ms);
    if (packet_log()->loss > 0)
        claim_report(&blocks, SKIPPED, "on this link a lost packet delays answers as well");
    else
        claim_report(&blocks,
                     behind_ms >= slow_ms && behind_ms > alone_ms + 0.9 * SLOW_MS ? HOLDS
                                                                                  : UNCLEAR,
                     "%.0f ms behind an answer that takes %d, %.1f ms alone", behind_ms,
                     SLOW_MS, alone_ms);
}

// ---- six -----------------------------------------------------------------------------------

struct image {
    int connection;
    double asked_ms, here_ms;
};

// Loads IMAGES images over so many connections as a browser does: one request at a time on
// each.
static double load_images(int connections, struct image *images)
{
    static struct fetch f[SIX];
    struct pollfd polls[SIX];
    int loading[SIX], asked = 0, here = 0;
    for (int c = 0; c < connections; c++) {
        ask_open(&f[c]);
        polls[c] = (struct pollfd){f[c].fd, POLLIN, 0};
        loading[c] = -1;
    }
    int64_t start = now_ns(); // a browser opens them all at once
    while (here < IMAGES) {
        for (int c = 0; c < connections; c++) {
            if (loading[c] < 0 && asked < IMAGES) {
                images[asked] = (struct image){c, ms_since(start, now_ns()), 0};
                fetch_or_die(
                    &f[c],
                    fetch_send(&f[c], "GET /img/%d HTTP/1.1\r\n" FETCH_HOST "\r\n", asked + 1));
                loading[c] = asked++;
            }
        }
        if (poll(polls, (nfds_t)connections, FETCH_PATIENCE_MS) <= 0)
            die("nothing has come for %d seconds", FETCH_PATIENCE_MS / 1000);
        for (int c = 0; c < connections; c++) {
            if (!polls[c].revents)
                continue;
            fetch_or_die(&f[c], fetch_read(&f[c]));
            if (loading[c] >= 0 && fetch_or_die(&f[c], fetch_take(&f[c]))) {
                images[loading[c]].here_ms = ms_since(start, now_ns());
                loading[c] = -1;
                here++;
            }
        }
    }
    double took_ms = ms_since(start, now_ns());
    for (int c = 0; c < connections; c++)
        fetch_close(&f[c]);
    return took_ms;
}

// A line for each connection: the images that it loaded, from the request to the last byte.
static void draw_images(const struct image *images, int connections, double full_ms)
{
    for (int c = 0; c < connections; c++) {
        int x = 0;
        printf("  connection %d  %s", c + 1, paint(CYAN));
        for (int i = 0; i < IMAGES; i++) {
            int from = (int)(images[i].asked_ms / full_ms * PICTURE);
            int to = (int)(images[i].here_ms / full_ms * PICTURE);
            if (images[i].connection != c || to < from + 2)
                continue;
            char number[16] = "";
            if (to - from > 6)
                snprintf(number, sizeof number, " %d ", i + 1);
            int shaft = to - from - 2 - columns(number);
            repeat(" ", from - x);
            fputs("├", stdout);
            repeat("─", shaft / 2);
            fputs(number, stdout);
            repeat("─", shaft - shaft / 2);
            fputs("▶", stdout);
            x = to;
        }
        printf("%s\n", paint(PLAIN));
    }
}

static const struct claim six = {
    "2.6", "guide §3.1", "browsers open 6 connections a host; the rest wait", HOLDS, NULL};

void scene_six(void)
{
    static struct image over_one[IMAGES], over_six[IMAGES];
    story_say("%d images, over one connection and over six, as a browser loads them:", IMAGES);
    double one_ms = load_images(1, over_one), six_ms = load_images(SIX, over_six);
    double first_here_ms = one_ms;
    int waited = 0;
    for (int i = 0; i < IMAGES; i++)
        if (over_six[i].here_ms < first_here_ms)
            first_here_ms = over_six[i].here_ms;
    for (int i = 0; i < IMAGES; i++)
        waited += over_six[i].asked_ms >= first_here_ms;
    story_say("");
    draw_images(over_six, SIX, six_ms);
    story_say("");
    story_bar("1 connection", one_ms, one_ms, "%.0f ms", one_ms);
    story_bar("6 connections", six_ms, one_ms, "%.0f ms", six_ms);
    if (!packet_log()->tunnel)
        claim_skip(&six);
    else if (no_round_trips())
        claim_report(&six, SKIPPED, "%s", no_round_trips());
    else
        claim_report(
            &six, waited == IMAGES - SIX && one_ms > 3 * six_ms ? HOLDS : UNCLEAR,
            "%d of %d images waited for an earlier one; %.1f times as fast as over one", waited,
            IMAGES, one_ms / six_ms);
}
