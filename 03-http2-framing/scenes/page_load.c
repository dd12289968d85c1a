// page_load.c: scene page_load: the images of a page on a slow link, over six connections of
// HTTP/1.1 and over one of HTTP/2.
#include <stdio.h>

#include "packet_log.h"
#include "browser_request.h"
#include "claim.h"
#include "host.h"
#include "memory_cost.h"
#include "net.h"
#include "scenes.h"
#include "http1_loader.h"
#include "story.h"
#include "h2_client.h"

#define IMAGES      100
#define PACKETS_MAX PACKET_LOG_PACKETS
#define SLOW_MS     100
#define FASTER      1.2 // HTTP/1.1 takes at least so many times as long
#define RTT_MS      20  // where waiting takes less, there is little to gain
#define TRIES       5
#define BUSY        0.8 // if the link is busy for more than this part of the time, it decides

static int image_bytes;

static struct h2_client client; // too large for the stack
static struct packet packets[PACKETS_MAX];

struct figures {
    int connections;
    int waited;      // requests that waited for an earlier answer
    int answered;    // requests with the right answer
    int lost;        // packets that were lost, or found no room in the link's queue
    long sent, come; // bytes of all other packets, to the server and from it
    double took_ms;
    double busy; // the part of the time in which the link had something to bring
};

void page_load_size(int bytes)
{
    image_bytes = bytes;
}

// Counts what has passed the wire since `mark`, in both directions.
static void count_bytes(uint32_t mark, struct figures *f)
{
    uint32_t count = 0;
    if (packet_log()->tunnel)
        count = packet_log_read(mark, packets, PACKETS_MAX);
    f->sent = f->come = f->lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        f->lost += packets[i].fate != PASSED;
        if (packets[i].fate == QUEUE_FULL)
            continue;
        if (packets[i].to_server)
            f->sent += packets[i].length;
        else
            f->come += packets[i].length;
    }
    f->busy = 0;
    if (packet_log()->rate > 0)
        f->busy = (double)f->come * 8 / packet_log()->rate / f->took_ms;
}

static struct figures load_http1(void)
{
    struct http1_loader loader = {
        .connections = HTTP1_CONNECTIONS, .images = IMAGES, .size = image_bytes};
    uint32_t mark = packet_log_mark();
    http1_load(&loader);
    struct figures f = {.connections = loader.connections,
                        .waited = loader.waited,
                        .answered = loader.answered,
                        .took_ms = loader.took_ms};
    count_bytes(mark, &f);
    return f;
}

// Asks for the images that the client has not asked for yet, and for those that were refused,
// up to the number of streams that the server allows.
static void ask(uint32_t streams[IMAGES], int *waited, bool first)
{
    for (int i = 0; i < IMAGES && client.receiver.open < client.receiver.streams_max; i++) {
        const struct response *response = h2_answer(&client, streams[i]);
        struct hpack_field fields[BROWSER_FIELDS];
        char path[40];
        if (streams[i] && !(response->reset && response->error == REFUSED_STREAM))
            continue;
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, image_bytes);
        browser_fields(fields, path);
        streams[i] = h2_request(&client, fields, BROWSER_FIELDS);
        *waited += !first;
    }
}

static struct figures load_http2(void)
{
    uint32_t streams[IMAGES] = {0}, mark = packet_log_mark();
    struct figures f = {.connections = 1};
    h2_open(&client, H2_WINDOW, NULL);
    int64_t start_ns = now_ns();
    ask(streams, &f.waited, true);
    while (client.receiver.open && h2_step(&client))
        ask(streams, &f.waited, false);
    f.took_ms = (double)(now_ns() - start_ns) / 1e6;
    for (int i = 0; i < IMAGES; i++) {
        const struct response *response = h2_answer(&client, streams[i]);
        f.answered +=
            response->status == 200 && response->content_bytes == (uint64_t)image_bytes;
    }
    h2_close(&client);
    count_bytes(mark, &f);
    return f;
}

static void show(const char *name, const struct figures *f)
{
    if (packet_log()->tunnel)
        story_row("%s, connections: %d|%d|%ld|%ld|%.0f ms", name, f->connections, f->waited,
                  f->sent, f->come, f->took_ms);
    else
        story_row("%s, connections: %d|%d|?|?|%.1f ms", name, f->connections, f->waited,
                  f->took_ms);
}

static const struct claim faster = {
    "3.5", "guide §3.2", "100 images on a slow link: one connection beats six of HTTP/1.1",
    HOLDS, NULL};

static bool is_faster(const struct figures *one, const struct figures *two)
{
    return one->took_ms > FASTER * two->took_ms;
}

// Loads the page both ways. On a busy machine one of them may have to wait for the processor:
// then both are loaded again, and the quicker time of each counts.
static void load(struct figures *one, struct figures *two)
{
    bool has_packets = packet_log()->tunnel && packet_log()->rtt_ms >= RTT_MS;
    *one = load_http1();
    *two = load_http2();
    for (int i = 1; i < TRIES && has_packets && one->busy <= BUSY &&
                    one->lost + two->lost == 0 && !is_faster(one, two);
         i++) {
        struct figures one_again = load_http1(), two_again = load_http2();
        if (one_again.took_ms < one->took_ms)
            *one = one_again;
        if (two_again.took_ms < two->took_ms)
            *two = two_again;
    }
}

static void judge(const struct figures *one, const struct figures *two)
{
    bool all = one->answered == IMAGES && two->answered == IMAGES;
    if (!packet_log()->tunnel)
        claim_skip(&faster);
    else if (packet_log()->rtt_ms < RTT_MS)
        claim_report(&faster, SKIPPED, "on this link waiting costs little: RTT %g ms",
                     packet_log()->rtt_ms);
    else if (one->busy > BUSY)
        claim_report(&faster, SKIPPED,
                     "the link was busy %.0f %% of the time with HTTP/1.1: nothing to gain "
                     "(%.0f ms, %.0f ms)",
                     100 * one->busy, one->took_ms, two->took_ms);
    else if (one->lost + two->lost > 0)
        claim_report(&faster, SKIPPED, "%d packets were lost, and decide (%.0f ms, %.0f ms)",
                     one->lost + two->lost, one->took_ms, two->took_ms);
    else
        claim_report(
            &faster,
            holds_if(all && one->waited >= IMAGES - HTTP1_CONNECTIONS && is_faster(one, two)),
            "%.0f ms against %.0f: %d of %d requests waited for an answer before "
            "theirs, and %ld bytes went up, not %ld",
            one->took_ms, two->took_ms, one->waited, IMAGES, one->sent, two->sent);
}

static const struct claim no_limit = {
    "3.11", "guide §3.2", "all images at once over one connection, without the limit of six",
    HOLDS, NULL};

// One more request at once than the server allows.
static void ask_too_much(void)
{
    uint32_t refused = 0, answered = 0, allowed;
    h2_open(&client, H2_WINDOW, NULL);
    h2_ping(&client);
    allowed =
        client.receiver.streams_max < H2_ANSWERS ? client.receiver.streams_max : H2_ANSWERS - 2;
    char path[40];
    snprintf(path, sizeof path, "/slow?ms=%d", SLOW_MS);
    for (uint32_t i = 0; i <= allowed; i++)
        h2_get(&client, path);
    h2_await_all(&client);
    for (uint32_t stream = 1; stream <= client.receiver.last_stream; stream += 2) {
        const struct response *response = h2_answer(&client, stream);
        answered += response->status == 200;
        refused += response->reset && response->error == REFUSED_STREAM;
    }
    h2_close(&client);
    if (client.receiver.streams_max > allowed) {
        claim_report(&no_limit, SKIPPED, "this server allows %u requests at once",
                     client.receiver.streams_max);
        return;
    }
    claim_report(
        &no_limit, holds_if(answered == allowed && allowed >= IMAGES && refused == 1),
        "%u requests at once were answered. Streams have a limit: one request more was "
        "refused, REFUSED_STREAM (SETTINGS_MAX_CONCURRENT_STREAMS: at least 100, asks "
        "RFC 9113 §6.5.2)",
        answered);
}

// ---- memory --------------------------------------------------------------------------------

static const struct claim more_memory = {
    "3.54", "guide §3.2",
    "managing streams and flow control requires more memory than HTTP/1.1", HOLDS, NULL};

static const struct claim less_memory = {
    "3.55", "ch. 18.6", "memory: connections of HTTP/1.1 take more, one of HTTP/2 less", HOLDS,
    NULL};

static void show_memory(const char *name, const struct memory_cost *cost)
{
    story_row("%s|%.1f KB|%.1f KB|%.1f KB", name, cost->server_kb / cost->connections,
              cost->server_kb, cost->kernel_kb);
}

// What a client costs that is idle now.
static void compare_memory(void)
{
    if (!host_files(MEMORY_FILES)) {
        claim_report(&more_memory, SKIPPED, "ulimit -Hn allows too few descriptors");
        claim_report(&less_memory, SKIPPED, "the same");
        return;
    }
    struct memory_cost six = memory_cost(false), one = memory_cost(true);
    bool all = six.answered == one.answered && one.answered == MEMORY_CLIENTS * six.connections;
    double each = six.server_kb / six.connections;
    story_say("");
    story_say("Memory of the server for a client that is idle now (of %d such clients; the "
              "kernel's sockets without files and buffers):",
              MEMORY_CLIENTS);
    story_head("connections|each|all of a client|its sockets");
    show_memory("six of HTTP/1.1", &six);
    show_memory("one of HTTP/2", &one);
    claim_report(
        &more_memory, holds_if(all && one.server_kb > 1.5 * each),
        "a connection takes %.1f KB of the server with HTTP/2, and %.1f with HTTP/1.1: "
        "what HTTP/2 adds are the two tables of headers",
        one.server_kb, each);
    if (one.kernel_kb <= 0)
        claim_report(&less_memory, SKIPPED, "this kernel does not tell how large a socket is");
    else
        claim_report(&less_memory,
                     holds_if(all && six.server_kb + six.kernel_kb >
                                         1.5 * (one.server_kb + one.kernel_kb)),
                     "%.1f KB for six connections, %.1f for one: mostly the kernel's sockets, "
                     "%.1f and %.1f KB",
                     six.server_kb + six.kernel_kb, one.server_kb + one.kernel_kb,
                     six.kernel_kb, one.kernel_kb);
}

void scene_page_load(void)
{
    story_say("%d images of %d bytes, each asked for with the fields of a browser.", IMAGES,
              image_bytes);
    struct figures one, two;
    load(&one, &two);
    story_head("(time: after the handshakes)|had to wait|bytes up|bytes down|time");
    show("HTTP/1.1", &one);
    show("HTTP/2", &two);
    story_say("");
    double full = one.took_ms > two.took_ms ? one.took_ms : two.took_ms;
    story_bar("HTTP/1.1", one.took_ms, full, "%.0f ms", one.took_ms);
    if (one.busy > 0)
        story_bar("  of it the link was busy", one.took_ms * one.busy, full, "%.0f %%",
                  100 * one.busy);
    story_bar("HTTP/2", two.took_ms, full, "%.0f ms", two.took_ms);
    if (two.busy > 0)
        story_bar("  of it the link was busy", two.took_ms * two.busy, full, "%.0f %%",
                  100 * two.busy);
    judge(&one, &two);
    ask_too_much();
    compare_memory();
}
