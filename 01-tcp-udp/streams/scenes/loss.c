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

#define CLEAN_BYTES 1500000
#define LOSSY_BYTES 600000
#define RUNS        3 // of each kind; the middle one counts

static struct download one;

static double mbit(uint64_t bytes, int64_t since)
{
    return (double)bytes * 8 / 1000 / ms_since(since);
}

static double udp_once(const char *host, int port, const char *path)
{
    struct endpoint endpoint;
    const char *const paths[] = {path};
    int64_t since = now_ns();
    endpoint_open(&endpoint, host, port, NULL, STAGE_WINDOW, &download_user);
    downloads_begin(&endpoint.connection, &one, paths, 1);
    uint64_t bytes = stage_run(&endpoint, &one, 1, UINT64_MAX, PATIENCE_MS);
    double rate = mbit(bytes, since);
    if (!downloads_good(&one, 1))
        die("%s does not come to its end over UDP", path);
    endpoint_close(&endpoint);
    return rate;
}

static double tcp_once(const char *host, int port, const char *path)
{
    static struct tcp_client tcp;
    const char *const paths[] = {path};
    int64_t since = now_ns();
    tcp_open(&tcp, host, port, &one, paths, 1);
    uint64_t bytes = tcp_run(&tcp, UINT64_MAX, PATIENCE_MS);
    double rate = mbit(bytes, since);
    if (!downloads_good(&one, 1))
        die("%s does not come to its end over TCP", path);
    tcp_close(&tcp);
    return rate;
}

// The middle one of RUNS downloads from $NAME_HOST, over UDP or TCP, in Mbit/s.
static double rate_of(double (*once)(const char *, int, const char *), const char *node,
                      const char *path)
{
    char name[32];
    double rates[RUNS];
    snprintf(name, sizeof name, "%s_HOST", node);
    const char *host = getenv(name);
    snprintf(name, sizeof name, "%s_PORT", node);
    const char *port = getenv(name);
    for (int i = 0; i < RUNS; i++) {
        if (host && port)
            rates[i] = once(host, atoi(port), path);
        else
            rates[i] = once(stage_host(), stage_port(), path);
    }
    return median_of(rates, RUNS);
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
    char path[40];
    stage_check();
    story_quiet(true);
    story_say(
        "One download at a time, over UDP and over the kernel's TCP, which has Reno here. "
        "The middle one of %d.",
        RUNS);
    snprintf(path, sizeof path, "/bytes/%d", CLEAN_BYTES);
    double clean_udp = rate_of(udp_once, "CLEAN", path);
    double clean_tcp = rate_of(tcp_once, "CLEAN", path);
    snprintf(path, sizeof path, "/bytes/%d", LOSSY_BYTES);
    double lossy_udp = rate_of(udp_once, "LOSSY", path);
    double lossy_tcp = rate_of(tcp_once, "LOSSY", path);
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
    claim_report(&alike, holds_if(is_about(clean_udp, clean_tcp, 1.3)), "%.2f and %.2f Mbit/s",
                 clean_udp, clean_tcp);
    enum verdict seen = UNCLEAR;
    if (is_about(lossy_udp, lossy_tcp, 2.5) && lossy_udp < clean_udp)
        seen = NOT_HERE;
    claim_report(&better, seen, "3 %% lost: %.2f Mbit/s over UDP, %.2f over TCP", lossy_udp,
                 lossy_tcp);
}
