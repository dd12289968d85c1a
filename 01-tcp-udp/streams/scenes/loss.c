// loss.c: how fast a download is, beside the kernel's TCP, on the same wire: without loss, with
// one packet lost, and with 3 %.
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "spawn.h"
#include "stage.h"
#include "story.h"
#include "tell.h"

#define CLEAN_BYTES 400000
#define LOSSY_BYTES 150000
#define RUNS        3
#define PACKETS     8192 // of all downloads of one kind, at most
#define LOST_PACKET 100  // in the middle: others after it show soon that it is missing

static struct download one;

// One download: its milliseconds.
static double udp_once(const char *host, int port, const char *path)
{
    struct endpoint endpoint;
    const char *const paths[] = {path};
    int64_t since = now_ns();
    endpoint_open(&endpoint, host, port, NULL, STAGE_WINDOW, &download_user);
    downloads_begin(&endpoint.connection, &one, paths, 1);
    stage_run(&endpoint, &one, 1, UINT64_MAX, PATIENCE_MS);
    double ms = ms_since(since);
    if (!downloads_good(&one, 1))
        die("%s does not come to its end over UDP", path);
    endpoint_close(&endpoint);
    return ms;
}

static double tcp_once(const char *host, int port, const char *path)
{
    static struct tcp_client tcp;
    const char *const paths[] = {path};
    int64_t since = now_ns();
    tcp_open(&tcp, host, port, &one, paths, 1);
    tcp_run(&tcp, UINT64_MAX, PATIENCE_MS);
    double ms = ms_since(since);
    if (!downloads_good(&one, 1))
        die("%s does not come to its end over TCP", path);
    tcp_close(&tcp);
    return ms;
}

// One download from $NODE_HOST, or from the only server there is: its milliseconds.
static double ms_from(const char *node, double (*once)(const char *, int, const char *),
                      int bytes)
{
    char name[32], path[40];
    snprintf(path, sizeof path, "/bytes/%d", bytes);
    snprintf(name, sizeof name, "%s_HOST", node);
    const char *host = getenv(name);
    snprintf(name, sizeof name, "%s_PORT", node);
    const char *port = getenv(name);
    if (host && port)
        return once(host, atoi(port), path);
    return once(stage_host(), stage_port(), path);
}

// The packet number N of the next download from the node "clean" is lost; 0: none is.
static void lose(const char *protocol, int n)
{
    if (n > 0 && packet_log()->tunnel)
        wire_tell("drop clean %s:0:%d", protocol, n);
}

// Downloads by turns, over UDP and over TCP. Returns in ms[] the time of each.
static void race(const char *node, int bytes, int lost, double ms[2][RUNS])
{
    for (int i = 0; i < RUNS; i++) {
        lose("udp", lost);
        ms[0][i] = ms_from(node, udp_once, bytes);
        lose("tcp", lost);
        ms[1][i] = ms_from(node, tcp_once, bytes);
    }
}

// How many packets the wire has lost since then.
static int lost_since(uint32_t mark)
{
    static struct packet packets[PACKETS];
    int lost = 0;
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    for (uint32_t i = 0; i < count; i++)
        lost += packets[i].fate == LOST;
    return lost;
}

static double mbit_per_s(double bytes, double ms)
{
    return bytes * 8 / 1000 / ms;
}

static double sum(const double ms[RUNS])
{
    double all = 0;
    for (int i = 0; i < RUNS; i++)
        all += ms[i];
    return all;
}

static const struct claim alike = {
    "1.37", "guide §3.4", "without packet loss it performs as what runs over TCP", HOLDS, NULL};
static const struct claim better = {
    "1.38", "guide §3.4", "its congestion control is more sophisticated than TCP's", NOT_HERE,
    "QUIC's is TCP's NewReno by default (RFC 9002 §7); both may use another, such as CUBIC. "
    "What differs is how soon a loss is noticed: TCP here waits 200 ms at least for an "
    "acknowledgement (its RTO), QUIC probes after a few round trips (RFC 9002 §6.2)."};

static bool is_about(double a, double b, double factor)
{
    return a < b * factor && b < a * factor;
}

void scene_loss(void)
{
    stage_check();
    story_quiet(true);
    story_say(
        "One download at a time, over UDP and over the kernel's TCP, which has Reno here.");
    double clean[2][RUNS], one_lost[2][RUNS], lossy[2][RUNS];
    race("CLEAN", CLEAN_BYTES, 0, clean);
    uint32_t mark = packet_log_mark();
    race("CLEAN", CLEAN_BYTES, LOST_PACKET, one_lost);
    int lost = lost_since(mark);
    race("LOSSY", LOSSY_BYTES, 0, lossy);
    double clean_udp = mbit_per_s(CLEAN_BYTES, least_of(clean[0], RUNS));
    double clean_tcp = mbit_per_s(CLEAN_BYTES, least_of(clean[1], RUNS));
    double one_udp = mbit_per_s(CLEAN_BYTES, least_of(one_lost[0], RUNS));
    double one_tcp = mbit_per_s(CLEAN_BYTES, least_of(one_lost[1], RUNS));
    double lossy_udp = mbit_per_s(LOSSY_BYTES * RUNS, sum(lossy[0]));
    double lossy_tcp = mbit_per_s(LOSSY_BYTES * RUNS, sum(lossy[1]));
    const struct {
        const char *label;
        double rate;
    } rows[] = {{"no loss, UDP", clean_udp},       {"no loss, TCP", clean_tcp},
                {"one packet lost, UDP", one_udp}, {"one packet lost, TCP", one_tcp},
                {"3 % lost, UDP", lossy_udp},      {"3 % lost, TCP", lossy_tcp}};
    double most = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].rate > most)
            most = rows[i].rate;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        story_bar(rows[i].label, rows[i].rate, most, "%.2f Mbit/s", rows[i].rate);
    if (!getenv("LOSSY_HOST")) {
        claim_skip(&alike);
        claim_skip(&better);
        return;
    }
    claim_report(&alike, holds_if(is_about(clean_udp, clean_tcp, 2)), "%.2f and %.2f Mbit/s",
                 clean_udp, clean_tcp);
    enum verdict seen = UNCLEAR;
    if (lost == 2 * RUNS && is_about(one_udp, one_tcp, 2) && lossy_udp < clean_udp &&
        lossy_tcp < clean_tcp)
        seen = NOT_HERE;
    claim_report(&better, seen, "one packet lost: %.2f Mbit/s over UDP, %.2f over TCP", one_udp,
                 one_tcp);
}
