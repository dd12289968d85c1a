// page.c: scene page: a page of HTML, and of CSS and JavaScript that the client knows of only
// when it has read the HTML; then a page that takes its time, and hints that come before it.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "count_round_trips.h"
#include "fetch.h"
#include "h2_client.h"
#include "measure.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define THINK_MS 300 // that the server takes for the page
#define HTML     "/img/1?size=3000"
#define CSS      "/img/2?size=2000"
#define JS       "/img/3?size=4000"
#define FILES    3
#define IMAGE    "/img/1" // that the slow page needs

static struct h2_client client; // too large for the stack
static struct fetch fetch;

struct load {
    int answered;
    int connections, round_trips;
    double took_ms;
};

// ---- the page, in each protocol ------------------------------------------------------------

static const char *const files[FILES] = {HTML, CSS, JS};

// One connection of HTTP/1, for the files from `from` to before `to`, one after the other.
static void load_http1(struct load *load, const char *version, int from, int to)
{
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    fetch = (struct fetch){.fd = h2_connect()};
    for (int i = from; i < to; i++) {
        fetch_or_die(&fetch, fetch_send(&fetch, "GET %s HTTP/%s\r\n" FETCH_HOST "\r\n",
                                        files[i], version));
        fetch_or_die(&fetch, fetch_answer(&fetch));
        load->answered += fetch.head.status == 200;
    }
    load->took_ms += ms_since(start_ns);
    load->round_trips += count_round_trips(mark, fetch.fd, fetch.down);
    load->connections++;
    fetch_close(&fetch);
}

// One connection of HTTP/2. The client asks for CSS and JS when it has the HTML; `known`: when
// it asks for that.
static struct load load_http2(bool known)
{
    struct load load = {.connections = 1};
    uint32_t streams[FILES], mark = packet_log_mark();
    int64_t start_ns = now_ns();
    h2_open(&client, H2_WINDOW, NULL);
    for (int i = 0; i < FILES; i++) {
        streams[i] = h2_get(&client, files[i]);
        if (!known && i == 0)
            h2_await(&client, streams[0]);
    }
    h2_await_all(&client);
    load.took_ms = ms_since(start_ns);
    load.round_trips = count_round_trips(mark, client.fd, client.position);
    for (int i = 0; i < FILES; i++)
        load.answered += h2_answer(&client, streams[i])->status == 200;
    h2_close(&client);
    return load;
}

static void show(const char *way, const struct load *load)
{
    story_row("%s|%d|%d|%.0f", way, load->connections, load->round_trips, load->took_ms);
}

// ---- early hints ---------------------------------------------------------------------------

static struct {
    int hints;       // answers 103
    uint32_t stream; // of the request that the first one has led to; 0: none
    char path[100];  // what it asks for
} early;

static bool is_103(const struct hpack_field *field)
{
    return field->name_length == 7 && !memcmp(field->name, ":status", 7) &&
           field->value_length == 3 && !memcmp(field->value, "103", 3);
}

// 103 with "link: </img/1>; rel=preload": asks for what is between < and >.
static void see_fields(struct h2_client *t, bool to_server, const struct hpack_field *fields,
                       size_t count)
{
    if (to_server || !is_103(&fields[0]))
        return;
    early.hints++;
    for (size_t i = 1; i < count && !early.stream; i++) {
        const struct hpack_field *field = &fields[i];
        if (field->name_length != 4 || memcmp(field->name, "link", 4))
            continue;
        if (sscanf(field->value, "<%99[^>]>", early.path) == 1)
            early.stream = h2_get(t, early.path);
    }
}

// Asks for a page, and for an image of it when a hint or the page names it. Returns how long
// both took; *meanwhile: the image was here before the page.
static double load_slow_page(const char *path, bool *meanwhile)
{
    static const struct h2_listener listener = {.fields = see_fields};
    int64_t start_ns = now_ns();
    early.stream = 0;
    h2_open(&client, H2_WINDOW, &listener);
    uint32_t page = h2_get(&client, path), image;
    h2_await(&client, page);
    image = early.stream;
    if (!image)
        image = h2_get(&client, IMAGE);
    h2_await_all(&client);
    double took_ms = ms_since(start_ns);
    *meanwhile = h2_answer(&client, page)->status == 200 &&
                 h2_answer(&client, image)->status == 200 &&
                 h2_answer(&client, image)->ended_ns < h2_answer(&client, page)->ended_ns;
    h2_close(&client);
    return took_ms;
}

static const struct claim shape = {
    "3.48", "load balancing",
    "HTML, CSS and JS: without keep-alive slowest, then HTTP/1.1, then HTTP/2", HOLDS, NULL};

static const struct claim parallel = {
    "3.49", "load balancing", "HTTP/2: the three come in the time of one GET", NOT_HERE,
    "The client learns from the HTML which files it needs, so two GETs follow each other in "
    "any "
    "version of HTTP. Hints, or the page in the cache, save the second."};

static const struct claim hints = {
    "3.50", "guide §3.2",
    "early hints (103) instead of pushes: they suggest resources without sending them", HOLDS,
    NULL};

void scene_page(void)
{
    struct load close = {0}, keep = {0};
    bool without, with;
    story_say("HTML, CSS and JS: the client asks for the second and third when it has read the "
              "first. Round trips as the packets show them:");
    for (int i = 0; i < FILES; i++)
        load_http1(&close, "1.0", i, i + 1);
    load_http1(&keep, "1.1", 0, FILES);
    struct load together = load_http2(false), known = load_http2(true);
    story_head("page|connections|round trips|ms");
    show("HTTP/1.0, without keep-alive", &close);
    show("HTTP/1.1", &keep);
    show("HTTP/2", &together);
    show("HTTP/2, and it knows all three", &known);
    story_say("");
    story_say("A page that takes the server %d ms, and an image in it:", THINK_MS);
    char path[2][40];
    snprintf(path[0], sizeof path[0], "/slow?ms=%d", THINK_MS);
    snprintf(path[1], sizeof path[1], "/page?ms=%d", THINK_MS);
    double slow_ms = load_slow_page(path[0], &without);
    double hinted_ms = load_slow_page(path[1], &with);
    story_head("page and image|the image is here|ms");
    story_row("without a hint|after the page|%.0f", slow_ms);
    story_row("103, link: <%s>|%s|%.0f", early.path,
              with ? "before the page" : "after the page", hinted_ms);
    bool all = close.answered + keep.answered + together.answered + known.answered == 4 * FILES;
    if (!packet_log()->tunnel) {
        claim_skip(&shape);
        claim_skip(&parallel);
    } else {
        claim_report(&shape,
                     holds_if(all && close.round_trips > keep.round_trips &&
                              keep.round_trips > together.round_trips),
                     "%d, %d and %d round trips", close.round_trips, keep.round_trips,
                     together.round_trips);
        enum verdict verdict = UNCLEAR;
        if (all && together.round_trips == known.round_trips + 1)
            verdict = NOT_HERE;
        else if (all && together.round_trips == known.round_trips)
            verdict = HOLDS;
        claim_report(
            &parallel, verdict,
            "%d round trips, one of them TCP's; %d if the client knows all three before",
            together.round_trips, known.round_trips);
    }
    claim_report(&hints,
                 holds_if(early.hints == 1 && !strcmp(early.path, IMAGE) && with && !without),
                 "the client has fetched %s while the server was still busy with the page",
                 *early.path ? early.path : "nothing");
}
