// capture.c: see capture.h.
#include "capture.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "packet_log.h"
#include "pcap.h"
#include "timeline.h"

static struct conversations talk;
static bool trace, filed; // what was asked for
static bool drawn;        // of the packets at least one

void capture_begin(bool trace_wanted, const char *path)
{
    trace = trace_wanted;
    filed = path != NULL;
    if (filed)
        pcap_open(path);
}

void capture_name_ends(void)
{
    if (filed)
        pcap_name_ends();
}

static bool is_shown(const struct packet *packet)
{
    const struct packet_log *log = packet_log();
    return (packet->from == log->left && packet->to == log->right) ||
           (packet->from == log->right && packet->to == log->left);
}

static void draw(const struct packet *packet)
{
    char label[PACKET_LABEL];
    packet_label(&talk, packet, label); // drawn or not: the next labels refer to it
    if (packet_log()->quiet)
        return;
    const char *gone = fate_name(packet->fate);
    if (packet->fate == LATE) { // it arrives all the same
        strncat(label, "  late", sizeof label - strlen(label) - 1);
        gone = NULL;
    }
    timeline_arrow(packet->at_ns, packet->to_server, label, gone);
    drawn = true;
}

void capture_packet(const uint8_t *bytes, struct packet *packet)
{
    packet->to_server = packet->from == packet_log()->left || packet->to == packet_log()->right;
    packet_log_add(packet);
    if (filed)
        pcap_write(bytes, packet);
    if (trace && is_shown(packet))
        draw(packet);
}

void capture_drop(const struct packet *packet, uint8_t by)
{
    char summary[PACKET_LABEL], line[PACKET_LABEL + 40];
    const struct packet_log *log = packet_log();
    struct packet logged = *packet;
    logged.from = by;
    logged.to = END_NONE;
    packet_log_add(&logged);
    bool at_left = by == log->left, shown = by == log->left || by == log->right;
    if (by == END_NONE) {
        shown = packet->to == log->left || packet->to == log->right;
        at_left = packet->to == log->left;
    }
    if (!trace || log->quiet || !shown)
        return;
    packet_summary(packet, summary);
    snprintf(line, sizeof line, "✗ %s: %s", fate_name(packet->fate), summary);
    timeline_line(at_left ? TIMELINE_CLIENT : TIMELINE_SERVER, line);
    drawn = true;
}

void capture_finish(void)
{
    if (trace && !drawn)
        printf("wire: nothing to draw packets on, this scene has no timeline; --pcap keeps "
               "them\n");
    if (filed)
        pcap_close();
}
