// recovery.c: see recovery.h. The section numbers are those of RFC 9002.
#include "recovery.h"

#include <stdlib.h>
#include <string.h>

#include "smaller.h"
#include "timers.h"

static struct sent_packet *packet_at(const struct recovery *r, uint64_t number)
{
    return &r->sent[number % r->room];
}

bool recovery_begin(struct recovery *r)
{
    *r = (struct recovery){.room = SENT_FIRST,
                           .largest_acked = UINT64_MAX,
                           .loss_ns = NEVER,
                           .recovery_ns = -1,
                           .datagram_bytes = DATAGRAM_MIN};
    recovery_forget_path(r);
    r->sent = calloc(r->room, sizeof *r->sent);
    return r->sent != NULL;
}

void recovery_end(struct recovery *r)
{
    free(r->sent);
    r->sent = NULL;
}

void recovery_forget_path(struct recovery *r)
{
    r->has_rtt = false;
    r->smoothed_rtt_ns = INITIAL_RTT_NS;
    r->rtt_variation_ns = INITIAL_RTT_NS / 2;
    r->window = PACKETS_INITIAL * r->datagram_bytes;
    r->threshold = UINT64_MAX;
    r->pto_count = 0;
}

int64_t recovery_pto_ns(const struct recovery *r)
{
    int64_t four = 4 * r->rtt_variation_ns;
    if (four < GRANULARITY_NS)
        four = GRANULARITY_NS;
    return r->smoothed_rtt_ns + four + MAX_ACK_DELAY_NS;
}

// ---- the window: NewReno (§7) --------------------------------------------------------------

static void grow_window(struct recovery *r, const struct sent_packet *packet)
{
    if (r->limited_by_program || packet->at_ns <= r->recovery_ns)
        return;
    if (r->window < r->threshold)
        r->window += packet->bytes; // slow start
    else
        r->window += (uint64_t)r->datagram_bytes * packet->bytes / r->window;
}

// A packet that was sent at `sent_ns` is lost. What was sent before the window was last made
// smaller does not make it smaller again: one loss event a round trip.
static void shrink_window(struct recovery *r, int64_t sent_ns, int64_t now)
{
    if (sent_ns <= r->recovery_ns)
        return;
    r->recovery_ns = now;
    r->window = larger(r->window / 2, PACKETS_LEAST * r->datagram_bytes);
    r->threshold = r->window;
}

uint64_t recovery_allows(const struct recovery *r)
{
    if (r->probes > 0)
        return DATAGRAM_MAX;
    if (r->in_flight >= r->window)
        return 0;
    return r->window - r->in_flight;
}

// ---- what is in flight ---------------------------------------------------------------------

static void settle(struct recovery *r, struct sent_packet *packet, enum sent_state state)
{
    packet->state = (uint8_t)state;
    r->in_flight -= packet->bytes;
}

static void declare_lost(struct recovery *r, struct sent_packet *packet)
{
    settle(r, packet, SENT_LOST);
    if (!packet->is_size_probe)
        r->lost_count++;
    r->lost(r->context, packet);
    packet->chunk_count = packet->says = 0;
}

static void forget_settled(struct recovery *r)
{
    while (r->first < r->next && packet_at(r, r->first)->state != SENT_IN_FLIGHT)
        r->first++;
}

static void make_room(struct recovery *r)
{
    uint32_t room = 2 * r->room;
    struct sent_packet *sent = NULL;
    if (room <= SENT_MAX)
        sent = calloc(room, sizeof *sent);
    if (sent) {
        for (uint64_t n = r->first; n < r->next; n++)
            sent[n % room] = *packet_at(r, n);
        free(r->sent);
        r->sent = sent;
        r->room = room;
        return;
    }
    declare_lost(r, packet_at(r, r->first)); // too many: the oldest one has waited long enough
    forget_settled(r);
}

void recovery_sent(struct recovery *r, const struct sent_packet *packet)
{
    forget_settled(r);
    if (r->next - r->first == r->room)
        make_room(r);
    *packet_at(r, r->next++) = *packet;
    if (packet->state != SENT_IN_FLIGHT)
        return;
    r->in_flight += packet->bytes;
    r->last_sent_ns = packet->at_ns;
    if (r->probes > 0)
        r->probes--;
}

void recovery_restart(struct recovery *r)
{
    for (uint64_t n = r->first; n < r->next; n++)
        if (packet_at(r, n)->state == SENT_IN_FLIGHT)
            declare_lost(r, packet_at(r, n));
    r->first = r->next;
    r->lost_count = 0;
    r->loss_ns = NEVER;
    r->pto_count = 0;
}

// ---- round-trip time (§5) ------------------------------------------------------------------

// `delay`: how long the peer held its ACK back, at most MAX_ACK_DELAY_NS.
static void measure_rtt(struct recovery *r, int64_t rtt, int64_t delay)
{
    r->latest_rtt_ns = rtt;
    if (!r->has_rtt) {
        r->has_rtt = true;
        r->least_rtt_ns = r->smoothed_rtt_ns = rtt;
        r->rtt_variation_ns = rtt / 2;
        return;
    }
    if (rtt < r->least_rtt_ns)
        r->least_rtt_ns = rtt;
    if (rtt >= r->least_rtt_ns + delay)
        rtt -= delay; // the peer held the ACK back
    r->rtt_variation_ns = (3 * r->rtt_variation_ns + llabs(r->smoothed_rtt_ns - rtt)) / 4;
    r->smoothed_rtt_ns = (7 * r->smoothed_rtt_ns + rtt) / 8;
}

// ---- loss (§6.1, §7.6) ---------------------------------------------------------------------

// A packet is lost when PACKET_THRESHOLD later ones have arrived, or when a later one has, and
// it is older than 9/8 of a round trip.
static void find_losses(struct recovery *r, int64_t now)
{
    int64_t longest = r->smoothed_rtt_ns, run_began = -1, persistent, last_lost = -1;
    if (r->latest_rtt_ns > longest)
        longest = r->latest_rtt_ns;
    int64_t delay = longest + longest / 8;
    if (delay < GRANULARITY_NS)
        delay = GRANULARITY_NS;
    persistent = PERSISTENT * recovery_pto_ns(r);
    bool all_is_lost = false;
    r->loss_ns = NEVER;
    for (uint64_t n = r->first; n < r->next && n < r->largest_acked; n++) {
        struct sent_packet *packet = packet_at(r, n);
        if (packet->state == SENT_ACKED)
            run_began = -1;
        if (packet->state != SENT_IN_FLIGHT)
            continue;
        if (r->largest_acked - n < PACKET_THRESHOLD && packet->at_ns > now - delay) {
            if (packet->at_ns + delay < r->loss_ns)
                r->loss_ns = packet->at_ns + delay;
            continue;
        }
        if (!packet->is_size_probe) {
            last_lost = packet->at_ns;
            if (run_began < 0)
                run_began = packet->at_ns;
            if (r->has_rtt && last_lost - run_began > persistent)
                all_is_lost = true;
        }
        declare_lost(r, packet);
    }
    if (last_lost >= 0)
        shrink_window(r, last_lost, now);
    if (all_is_lost) { // nothing got through for so long: begin anew
        r->window = PACKETS_LEAST * r->datagram_bytes;
        r->recovery_ns = -1;
    }
    forget_settled(r);
}

static bool ack_range(struct recovery *r, struct range range, bool *newly)
{
    if (range.to > r->next)
        return false;
    if (range.from < r->first)
        range.from = r->first;
    for (uint64_t n = range.from; n < range.to; n++) {
        struct sent_packet *packet = packet_at(r, n);
        if (packet->state != SENT_IN_FLIGHT)
            continue;
        *newly = true;
        settle(r, packet, SENT_ACKED);
        r->acked_count++;
        grow_window(r, packet);
        r->acked(r->context, packet);
    }
    return true;
}

bool recovery_ack(struct recovery *r, const struct frame *ack, int64_t now)
{
    bool newly = false;
    uint64_t largest = ack->acks[0].to - 1;
    if (largest >= r->next)
        return false;
    const struct sent_packet *top = packet_at(r, largest);
    bool is_sample = largest >= r->first && top->state == SENT_IN_FLIGHT;
    int64_t sent_ns = top->at_ns;
    for (uint32_t i = 0; i < ack->ack_count; i++)
        if (!ack_range(r, ack->acks[i], &newly))
            return false;
    if (r->largest_acked == UINT64_MAX || largest > r->largest_acked)
        r->largest_acked = largest;
    if (!newly)
        return true;
    if (is_sample)
        measure_rtt(r, now - sent_ns,
                    1000 * (int64_t)smaller(ack->delay_us, MAX_ACK_DELAY_NS / 1000));
    r->pto_count = 0;
    find_losses(r, now);
    return true;
}

// ---- timers (§6.1.2, §6.2) -----------------------------------------------------------------

int64_t recovery_due_ns(const struct recovery *r)
{
    if (r->loss_ns != NEVER)
        return r->loss_ns;
    if (r->in_flight == 0)
        return NEVER;
    return r->last_sent_ns + (recovery_pto_ns(r) << r->pto_count);
}

// The probe timeout: nothing is known to be lost, but no answer has come. What the two oldest
// packets carried is sent again at once, in new packets, which provoke an ACK.
void recovery_expire(struct recovery *r, int64_t now)
{
    if (r->loss_ns != NEVER) {
        find_losses(r, now);
        return;
    }
    r->probes = 2;
    r->last_sent_ns = now; // the next one comes later, even if nothing may be sent now
    if (r->pto_count < BACKOFF_MAX)
        r->pto_count++;
    int repeated = 0;
    for (uint64_t n = r->first; n < r->next && repeated < r->probes; n++) {
        struct sent_packet *packet = packet_at(r, n);
        if (packet->state != SENT_IN_FLIGHT || packet->is_size_probe)
            continue;
        if (packet->chunk_count == 0 && packet->says == 0)
            continue; // it was repeated before
        r->lost(r->context, packet);
        packet->chunk_count = packet->says = 0;
        repeated++;
    }
}
