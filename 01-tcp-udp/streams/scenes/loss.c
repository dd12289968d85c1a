// loss.c: how fast a download is, beside the kernel's TCP, on the same wire: without loss, and
// with 3 %.
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

#define CLEAN_BYTES 400000
#define LOSSY_BYTES 150000
#define CLEAN_RUNS  2
#define LOSSY_RUNS  3

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

// Some downloads from $NAME_HOST, one after the other, over UDP or TCP: bytes by time, in
// Mbit/s.
static double rate_of(double (*once)(const char *, int, const char *), const char *node,
                      int bytes, int runs)
{
    char name[32], path[40];
    double ms = 0;
    snprintf(path, sizeof path, "/bytes/%d", bytes);
    snprintf(name, sizeof name, "%s_HOST", node);
    const char *host = getenv(name);
    snprintf(name, sizeof name, "%s_PORT", node);
    const char *port = getenv(name);
    for (int i = 0; i < runs; i++) {
        if (host && port)
            ms += once(host, atoi(port), path);
        else
            ms += once(stage_host(), stage_port(), path);
    }
    return (double)bytes * runs * 8 / 1000 / ms;
}

static const struct claim alike = {
    "1.37", "guide §3.4", "without packet loss it performs as what runs over TCP", HOLDS, NULL};
static const struct claim better = {
    "1.38", "guide §3.4", "its congestion control is more sophisticated than TCP's", NOT_HERE,
    "QUIC's is TCP's NewReno by default (RFC 9002 §7); both may use another, such as CUBIC. "
    "One "
    "download on a lossy link is about as fast."};

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
    double clean_udp = rate_of(udp_once, "CLEAN", CLEAN_BYTES, CLEAN_RUNS);
    double clean_tcp = rate_of(tcp_once, "CLEAN", CLEAN_BYTES, CLEAN_RUNS);
    double lossy_udp = rate_of(udp_once, "LOSSY", LOSSY_BYTES, LOSSY_RUNS);
    double lossy_tcp = rate_of(tcp_once, "LOSSY", LOSSY_BYTES, LOSSY_RUNS);
    double most = clean_udp;
    if (clean_tcp > most)
        most = clean_tcp;
    story_bar("no loss, UDP", clean_udp, most, "%.2f Mbit/s", clean_udp);
    story_bar("no loss, TCP", clean_tcp, most, "%.2f Mbit/s", clean_tcp);
    story_bar("3 % lost, UDP", lossy_udp, most, "%.2f Mbit/s", lossy_udp);
    story_bar("3 % lost, TCP", lossy_tcp, most, "%.2f Mbit/s", lossy_tcp);
    if (!getenv("LOSSY_HOST")) {
        claim_skip(&alike);
        claim_skip(&better);
        return;
    }
    claim_report(&alike, holds_if(is_about(clean_udp, clean_tcp, 2)), "%.2f and %.2f Mbit/s",
                 clean_udp, clean_tcp);
    enum verdict seen = UNCLEAR;
    if (is_about(lossy_udp, lossy_tcp, 3) && lossy_udp < clean_udp)
        seen = NOT_HERE;
    claim_report(&better, seen, "3 %% lost: %.2f Mbit/s over UDP, %.2f over TCP", lossy_udp,
                 lossy_tcp);
}
