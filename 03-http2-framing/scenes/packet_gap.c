// packet_gap.c: see packet_gap.h. Read look_behind() first: it says what "held up" means.
#include "packet_gap.h"

#include <stdio.h>

#include "packet_log.h"
#include "net.h"
#include "text.h"

#define PACKETS_MAX PACKET_LOG_PACKETS
#define PICTURE_MAX 84 // columns
#define LABEL       14

static struct packet packets[PACKETS_MAX];
static int64_t arrivals[PACKETS_MAX]; // when each packet arrives, on now_ns()'s clock
static uint32_t mark, count;

static struct piece pieces[GAP_PIECES];
static int piece_count;

static struct {
    int port;
    uint64_t position;
    int64_t read_ns;
} reads[GAP_READS];
static int read_count;

void gap_begin(void)
{
    mark = packet_log_mark();
    piece_count = read_count = 0;
}

void gap_read(int port, uint64_t position, int64_t read_ns)
{
    if (read_count == GAP_READS)
        die("more than %d reads", GAP_READS);
    reads[read_count].port = port;
    reads[read_count].position = position;
    reads[read_count++].read_ns = read_ns;
}

void gap_piece(int port, uint64_t from, uint64_t to, int owner)
{
    if (piece_count == GAP_PIECES)
        die("more than %d pieces", GAP_PIECES);
    pieces[piece_count++] = (struct piece){port, from, to, owner, INT64_MAX, INT64_MAX};
}

// ---- packets -------------------------------------------------------------------------------

// Copies the packets, and computes when each arrives, as common/wire/link.c does.
static void take_packets(void)
{
    int64_t departure_ns = 0;
    count = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        double takes_ns = 0; // on a link with a limited rate: the time to send the packet
        if (packet_log()->rate > 0)
            takes_ns = p->length * 8e6 / packet_log()->rate;
        if (p->to_server || p->fate == QUEUE_FULL)
            continue;
        if (departure_ns < p->at_ns)
            departure_ns = p->at_ns;
        departure_ns += (int64_t)takes_ns;
        arrivals[i] = departure_ns + (int64_t)(packet_log()->rtt_ms * 5e5);
    }
}

// The sequence number of the first byte that the server sends: the one behind its SYN.
static uint32_t origin(int port)
{
    for (uint32_t i = 0; i < count; i++)
        if (!packets[i].to_server && packets[i].destination_port == port &&
            packets[i].flags & TCP_SYN)
            return packets[i].seq + 1;
    return 0;
}

static bool is_content(const struct packet *p, int port)
{
    return !p->to_server && p->payload && p->destination_port == port;
}

// The first packet with this byte that arrived; NULL: no such packet arrived.
static const struct packet *carrier(int port, uint32_t seq)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_content(&packets[i], port) && packets[i].fate == PASSED &&
            seq - packets[i].seq < packets[i].payload)
            return &packets[i];
    return NULL;
}

// When the client's kernel had all bytes of a piece. (They may arrive in any order.)
static int64_t arrival_of(const struct piece *piece)
{
    uint32_t first = origin(piece->port);
    int64_t whole_ns = 0;
    for (uint64_t at = piece->from; at < piece->to;) {
        const struct packet *p = carrier(piece->port, first + (uint32_t)at);
        if (!p)
            return INT64_MAX;
        if (arrivals[p - packets] > whole_ns)
            whole_ns = arrivals[p - packets];
        at += p->payload - (first + (uint32_t)at - p->seq);
    }
    return whole_ns;
}

static int64_t read_of(const struct piece *piece)
{
    for (int i = 0; i < read_count; i++)
        if (reads[i].port == piece->port && reads[i].position >= piece->to)
            return reads[i].read_ns;
    return INT64_MAX;
}

void gap_packets(int port, int owner)
{
    take_packets();
    uint32_t first = origin(port);
    for (uint32_t i = 0; i < count; i++)
        if (is_content(&packets[i], port) && packets[i].fate == PASSED) {
            uint64_t from = packets[i].seq - first;
            gap_piece(port, from, from + packets[i].payload, owner);
        }
}

// ---- holes ---------------------------------------------------------------------------------

// Compares every piece with a hole: which ones had to wait for it, and which ones had not?
static void look_behind(struct hole *hole)
{
    for (const struct piece *p = pieces; p < pieces + piece_count; p++)
        if (p->port == hole->port && p->from < hole->to && p->to > hole->from)
            hole->owners[p->owner] = true;
    for (const struct piece *p = pieces; p < pieces + piece_count; p++) {
        double waited_ms = (double)(p->read_ns - p->arrived_ns) / 1e6;
        if (p->port != hole->port) {
            if (p->arrived_ns > hole->lost_ns && p->read_ns < hole->filled_ns) {
                hole->went_on += p->to - p->from;
                hole->runners[p->owner] = true;
            }
            continue;
        }
        if (p->from < hole->to || p->arrived_ns >= hole->filled_ns)
            continue; // before the hole, or after its time
        if (p->read_ns < hole->filled_ns) {
            hole->early++;
        } else if (!hole->owners[p->owner]) {
            hole->waited++;
            hole->waiters[p->owner] = true;
        }
        if (waited_ms > hole->longest_ms)
            hole->longest_ms = waited_ms;
    }
}

// Bytes that the other connections read during the hole, for each nanosecond.
static double pace(const struct hole *hole)
{
    if (hole->went_on == 0)
        return 0;
    return (double)hole->went_on / (double)(hole->filled_ns - hole->lost_ns);
}

bool gap_find(bool went_on, struct hole *best)
{
    *best = (struct hole){0};
    take_packets();
    for (struct piece *p = pieces; p < pieces + piece_count; p++) {
        p->arrived_ns = arrival_of(p);
        p->read_ns = read_of(p);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct packet *lost = &packets[i];
        if (lost->fate == PASSED || !is_content(lost, lost->destination_port))
            continue;
        const struct packet *fill = carrier(lost->destination_port, lost->seq);
        if (!fill || fill < lost)
            continue; // its bytes had arrived already
        uint64_t from = lost->seq - origin(lost->destination_port);
        int64_t lost_ns = lost->at_ns + (int64_t)(packet_log()->rtt_ms * 5e5);
        if (lost->fate == LOST)
            lost_ns = arrivals[i];
        struct hole hole = {.port = lost->destination_port,
                            .from = from,
                            .to = from + lost->payload,
                            .lost_ns = lost_ns,
                            .filled_ns = arrivals[fill - packets]};
        look_behind(&hole);
        bool better = hole.waited > best->waited;
        if (went_on)
            better = pace(&hole) > pace(best);
        if (better)
            *best = hole;
    }
    if (went_on)
        return best->went_on > 0;
    return best->waited > 0;
}

// ---- the picture ---------------------------------------------------------------------------

// Columns of the picture.
static int picture(void)
{
    return text_width() - LABEL - 14;
}

// Fills the columns from one time to another.
static void fill(const char *cells[PICTURE_MAX], int64_t start_ns, int64_t slice_ns,
                 int64_t from_ns, int64_t to_ns, const char *with)
{
    for (int x = 0; x < picture(); x++) {
        int64_t at_ns = start_ns + x * slice_ns;
        if (at_ns + slice_ns > from_ns && at_ns <= to_ns)
            cells[x] = with;
    }
}

static void draw_owner(const struct hole *hole, int owner, int64_t start_ns, int64_t slice_ns)
{
    const char *cells[PICTURE_MAX];
    for (int x = 0; x < picture(); x++)
        cells[x] = " ";
    for (const struct piece *p = pieces; p < pieces + piece_count; p++)
        if (p->owner == owner && p->read_ns - p->arrived_ns > slice_ns)
            fill(cells, start_ns, slice_ns, p->arrived_ns, p->read_ns, "░");
    for (const struct piece *p = pieces; p < pieces + piece_count; p++)
        if (p->owner == owner)
            fill(cells, start_ns, slice_ns, p->read_ns, p->read_ns, "█");
    if (hole->owners[owner])
        fill(cells, start_ns, slice_ns, hole->lost_ns, hole->lost_ns, "✗");
    int end = picture();
    while (end > 0 && *cells[end - 1] == ' ')
        end--;
    for (int x = 0; x < end; x++)
        fputs(cells[x], stdout);
}

static bool has_piece(int owner)
{
    for (const struct piece *p = pieces; p < pieces + piece_count; p++)
        if (p->owner == owner)
            return true;
    return false;
}

// Says when, under the columns of the loss and of its repair.
static void draw_times(const struct hole *hole, int64_t start_ns, int64_t slice_ns)
{
    char when[40];
    int lost = (int)((hole->lost_ns - start_ns) / slice_ns);
    int filled = (int)((hole->filled_ns - start_ns) / slice_ns);
    snprintf(when, sizeof when, "%.0f ms", (double)(hole->filled_ns - hole->lost_ns) / 1e6);
    printf("  %*s%s", LABEL + lost, "", paint(DIM));
    cell("0 ms", filled - lost, false);
    printf("%s%s\n", when, paint(PLAIN));
}

void gap_draw(const struct hole *hole, const char *name, int first, int step)
{
    int64_t lasted_ns = hole->filled_ns - hole->lost_ns;
    int64_t start_ns = hole->lost_ns - lasted_ns / 3;
    int64_t slice_ns = lasted_ns * 5 / 3 / picture();
    for (int owner = 0; owner < GAP_OWNERS; owner++) {
        char label[40];
        if (!has_piece(owner))
            continue;
        snprintf(label, sizeof label, "%s %d", name, first + step * owner);
        fputs("  ", stdout);
        cell(label, LABEL, false);
        if (hole->owners[owner])
            fputs(paint(RED), stdout);
        else
            fputs(paint(CYAN), stdout);
        draw_owner(hole, owner, start_ns, slice_ns);
        printf("%s\n", paint(PLAIN));
    }
    draw_times(hole, start_ns, slice_ns);
}
