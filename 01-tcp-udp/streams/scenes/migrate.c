// migrate.c: a client gets another address in the middle of a download, as a telephone does
// that leaves a Wi-Fi: what becomes of a TCP connection, and of one that has ids.
#include <stdlib.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "tell.h"

#define ALL       500000 // bytes
#define HALF      200000 // then the address changes
#define OLD       "10.0.0.1"
#define NEW       "10.0.0.11"
#define SILENT_MS 400 // without a byte, the TCP connection counts as dead

static const char *const paths[] = {"/bytes/500000"};
static struct download one;

static const struct claim survives = {"1.14", "guide §3.4",
                                      "connections survive a change of the network, because "
                                      "they have ids instead of the four-tuple",
                                      HOLDS, NULL};

static bool has_nodes(void)
{
    return packet_log()->tunnel && packet_log_end("elsewhere") != END_NONE;
}

static void give(const char *node, const char *address)
{
    const char *why = wire_tell("give %s %s", node, address);
    if (why)
        die("the wire does not give %s to %s: %s", address, node, why);
}

static uint64_t over_tcp(void)
{
    static struct tcp_client tcp;
    tcp_open(&tcp, stage_host(), stage_port(), &one, paths, 1);
    uint64_t before = tcp_run(&tcp, HALF, PATIENCE_MS);
    if (has_nodes())
        give("elsewhere", OLD);
    story_event("TCP: %llu bytes are here; %s goes to another host", (unsigned long long)before,
                OLD);
    uint64_t last = before, bytes = before;
    do { // until nothing has come for a while
        last = bytes;
        bytes = tcp_run(&tcp, UINT64_MAX, SILENT_MS);
    } while (bytes > last && !one.over);
    story_event("TCP: nothing more for %d ms", SILENT_MS);
    tcp_close(&tcp);
    if (has_nodes())
        give("phone", OLD);
    return bytes;
}

static uint64_t over_udp(double *pause_ms)
{
    struct endpoint endpoint;
    const char *local = NULL;
    stage_open(&endpoint, &one, paths, 1);
    uint64_t before = stage_run(&endpoint, &one, 1, HALF, PATIENCE_MS);
    if (has_nodes()) {
        give("elsewhere", OLD);
        local = NEW;
    }
    endpoint_move(&endpoint, local);
    int64_t moved = now_ns();
    story_event("UDP: %llu bytes are here; the client goes on from %s",
                (unsigned long long)before, local ? NEW : "another port");
    stage_run(&endpoint, &one, 1, before + 1, PATIENCE_MS);
    *pause_ms = ms_since(moved);
    uint64_t bytes = stage_run(&endpoint, &one, 1, UINT64_MAX, PATIENCE_MS);
    story_event("UDP: %llu bytes, all right", (unsigned long long)bytes);
    endpoint_close(&endpoint);
    return bytes;
}

void scene_migrate(void)
{
    uint64_t tcp = 0, udp;
    double pause_ms;
    stage_check();
    story_say("%d bytes over TCP, and then over UDP with connection ids. After %d bytes the "
              "client's address goes to another host.",
              ALL, HALF);
    story_timeline();
    if (has_nodes())
        tcp = over_tcp();
    udp = over_udp(&pause_ms);
    bool good = downloads_good(&one, 1);
    story_head("download of 500,000 bytes|has come|");
    if (has_nodes())
        story_row("over TCP|%llu|", (unsigned long long)tcp);
    story_row("over UDP, with ids|%llu|the next byte after %.0f ms", (unsigned long long)udp,
              pause_ms);
    if (!has_nodes())
        claim_skip(&survives);
    else
        claim_report(&survives, holds_if(good && udp == ALL && tcp < ALL),
                     "UDP: %llu of %d bytes, from two addresses. TCP: %llu, then nothing",
                     (unsigned long long)udp, ALL, (unsigned long long)tcp);
}
