// independent.c: scene independent: six downloads at once, and one chosen packet is lost. Which
// of them wait until it is sent again? First on QUIC, then on one connection of TLS over TCP.
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "interleaved.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "tell.h"
#include "text.h"

#define DOWNLOADS  INTERLEAVED_DOWNLOADS
#define BYTES      60000  // of each download
#define LOSE_AFTER 150000 // bytes of all: then the next packet is lost
#define TRIES      6
#define READS      4096
#define PICTURE    60 // columns
#define LABEL      14
#define LATE       0.3  // of a round trip: what has arrived before may be read so late
#define WINDOW     0.85 // of a round trip: so long a lost packet cannot come again

// What this program has read, and when.
struct read {
    int owner;
    uint32_t bytes;
    int64_t at_ns;
};

struct run {
    struct read reads[READS];
    int count;
    uint64_t total;
    bool told;                   // wire was asked to lose a packet
    int64_t lost_ns;             // when the lost packet would have arrived; 0: none was lost
    uint32_t went_on[DOWNLOADS]; // bytes that were read while the packet was missing
    double silence_ms; // the longest time in which a download that waited read nothing
};

static struct run quic, tcp, *current;

static void note(int owner, size_t bytes)
{
    if (current->count < READS)
        current->reads[current->count++] = (struct read){owner, (uint32_t)bytes, now_ns()};
    current->total += bytes;
    if (current->told || current->total < LOSE_AFTER)
        return;
    const char *protocol = "udp";
    int port = stage_port;
    if (current == &tcp) {
        protocol = "tcp";
        port = INTERLEAVED_PORT;
    }
    const char *why = wire_tell("drop server %s:%d:1", protocol, port);
    if (why)
        die("cannot lose a packet: %s", why);
    current->told = true;
}

// ---- the downloads -------------------------------------------------------------------------

static struct answer answers[DOWNLOADS];

static void show(struct answer *answer, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    note((int)(answer - answers), length);
}

static bool load_quic(void)
{
    static struct h3_client client;
    SSL_CTX *ctx = stage_context();
    memset(answers, 0, sizeof answers);
    stage_connect(&client, ctx, stage_host, stage_port);
    for (int i = 0; i < DOWNLOADS; i++) {
        answers[i].show = show;
        stage_ask(&client, &answers[i], "/img/%d?size=%d", i, BYTES);
    }
    bool whole = stage_await(&client);
    h3_close(&client);
    SSL_CTX_free(ctx);
    return whole;
}

static bool load_tcp(void)
{
    static uint8_t piece[1 + INTERLEAVED_PIECE];
    struct interleaved_wish wish = {BYTES, "reno"};
    struct connect_settings settings = ask_settings();
    size_t length;
    connect_to(stage_host, INTERLEAVED_PORT);
    struct connection *c = connection_open(&settings);
    if (!c->up || !connection_send(c, &wish, sizeof wish))
        die("no connection to ./interleaved: %s", c->why);
    while (current->total < (uint64_t)DOWNLOADS * BYTES &&
           connection_read(c, piece, sizeof piece, &length) == 1)
        note(piece[0], length - 1);
    connection_close(c);
    return current->total == (uint64_t)DOWNLOADS * BYTES;
}

// ---- what was read while the packet was missing --------------------------------------------

// Finds the packet that was lost in the packet log.
static void find_loss(struct run *run, uint32_t mark)
{
    static struct packet packets[PACKET_LOG_PACKETS];
    uint32_t count = packet_log_read(mark, packets, PACKET_LOG_PACKETS);
    for (uint32_t i = 0; i < count; i++)
        if (packets[i].fate == LOST)
            run->lost_ns = packets[i].at_ns + (int64_t)(packet_log()->rtt_ms * 5e5);
}

static void look(struct run *run)
{
    double rtt_ns = packet_log()->rtt_ms * 1e6;
    int64_t from = run->lost_ns + (int64_t)(rtt_ns * LATE);
    int64_t to = run->lost_ns + (int64_t)(rtt_ns * WINDOW);
    for (int i = 0; i < run->count; i++)
        if (run->reads[i].at_ns > from && run->reads[i].at_ns < to)
            run->went_on[run->reads[i].owner] += run->reads[i].bytes;
    for (int owner = 0; owner < DOWNLOADS; owner++) {
        int64_t before = 0;
        for (int i = 0; i < run->count; i++) {
            if (run->reads[i].owner != owner)
                continue;
            double gap = (double)(run->reads[i].at_ns - before) / 1e6;
            bool across = before && before < to && run->reads[i].at_ns > from;
            if (across && gap > run->silence_ms)
                run->silence_ms = gap;
            before = run->reads[i].at_ns;
        }
    }
}

static int others(const struct run *run)
{
    int count = 0;
    for (int i = 0; i < DOWNLOADS; i++)
        count += run->went_on[i] > 0;
    return count;
}

// Some downloads went on, and one or two waited. (If none did, the lost packet was one without
// content: an acknowledgement.)
static bool is_telling(const struct run *run)
{
    return run->lost_ns && others(run) >= DOWNLOADS - 2 && others(run) < DOWNLOADS;
}

static bool load(struct run *run, bool (*download)(void))
{
    uint32_t mark = packet_log_mark();
    *run = (struct run){0};
    current = run;
    bool whole = download();
    find_loss(run, mark);
    if (run->lost_ns)
        look(run);
    return whole;
}

// ---- the picture ---------------------------------------------------------------------------

static void draw(const struct run *run)
{
    int64_t rtt_ns = (int64_t)(packet_log()->rtt_ms * 1e6);
    int64_t start = run->lost_ns - rtt_ns / 3, slice = 2 * rtt_ns / PICTURE;
    for (int owner = 0; owner < DOWNLOADS; owner++) {
        char label[20];
        bool cells[PICTURE] = {false};
        for (int i = 0; i < run->count; i++) {
            int64_t x = (run->reads[i].at_ns - start) / slice;
            if (run->reads[i].owner == owner && run->reads[i].at_ns >= start && x < PICTURE)
                cells[x] = true;
        }
        snprintf(label, sizeof label, "download %d", owner + 1);
        printf("  ");
        cell(label, LABEL, false);
        fputs(paint(CYAN), stdout);
        for (int x = 0; x < PICTURE; x++)
            fputs(cells[x] ? "█" : " ", stdout);
        printf("%s\n", paint(PLAIN));
    }
    printf("  %*s%s✗", LABEL + PICTURE / 6, "", paint(RED));
    printf("%s the packet is missing for one round trip\n", paint(PLAIN));
}

static const struct claim independent = {
    "4.40", "guide §3.4", "a lost packet only affects its own stream, not others", HOLDS, NULL};

void scene_independent(void)
{
    bool whole = true, found = false;
    if (!packet_log()->tunnel) {
        claim_skip(&independent);
        return;
    }
    story_say(
        "%d downloads of %d bytes at once. When a part has come, the next packet is lost. "
        "█ this program reads bytes of a download:",
        DOWNLOADS, BYTES);
    // On a busy machine this program may read late: then it tries again.
    for (int i = 0; i < TRIES && !found; i++) {
        whole &= load(&quic, load_quic);
        found = is_telling(&quic);
    }
    found = false;
    for (int i = 0; i < TRIES && !found; i++) {
        whole &= load(&tcp, load_tcp);
        found = tcp.lost_ns && others(&tcp) == 0;
    }
    story_say("");
    story_say("QUIC, a stream for each:");
    draw(&quic);
    story_say("");
    story_say("One connection of TLS over TCP, which carries all of them in turn:");
    draw(&tcp);
    claim_report(
        &independent, holds_if(whole && is_telling(&quic) && tcp.lost_ns && others(&tcp) == 0),
        "while the packet was missing, %d of %d downloads went on with QUIC, and %d with "
        "TCP; the longest silence was %.0f ms and %.0f ms",
        others(&quic), DOWNLOADS, others(&tcp), quic.silence_ms, tcp.silence_ms);
}
