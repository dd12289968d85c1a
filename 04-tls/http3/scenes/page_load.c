// page_load.c: scene page_load: the images of a page over HTTP/3 and over HTTP/2, on a network
// that loses packets and on one that does not. HTTP/2 is lesson 03's server and client, in
// clear text.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

#define IMAGES      100
#define BYTES       1500 // of an image
#define LOADS       8    // of the page, at once, each on a connection of its own
#define LOADS_CLEAN 3    // the same, where no packet is lost: all take the same time
#define HTTP2_PORT  8003
#define HTTP2       "../../03-http2-framing/client"
#define ALIKE       2.0 // without loss, one takes at most so many times as long as the other
#define CLEARLY     1.3 // with loss, the one that is faster is so many times as fast

// One load of the page, in a process of its own.
struct loaded {
    int64_t standing_ns, end_ns; // when the connection stood (0: not known); when all was there
    bool whole;
};

struct figures {
    double ms[LOADS];
    int loads, lost;
    bool whole;
};

// ---- HTTP/3 --------------------------------------------------------------------------------

static void load_http3(const char *host, struct loaded *loaded)
{
    static struct h3_client client;
    static struct answer answers[IMAGES];
    SSL_CTX *ctx = stage_context();
    memset(answers, 0, sizeof answers);
    stage_connect(&client, ctx, host, stage_port());
    for (int i = 0; i < IMAGES; i++)
        stage_ask(&client, &answers[i], "/img/%d?size=%d", i + 1, BYTES);
    loaded->whole = stage_await(&client);
    loaded->standing_ns = client.established_ns;
    loaded->end_ns = now_ns();
    for (int i = 0; i < IMAGES; i++)
        loaded->whole &= answers[i].state == ANSWER_WHOLE && answers[i].length == BYTES;
    h3_close(&client);
    SSL_CTX_free(ctx);
}

// ---- HTTP/2 --------------------------------------------------------------------------------

static _Noreturn void become_http2_client(const char *host)
{
    static char paths[IMAGES][40], port[8];
    char *arguments[IMAGES + 6] = {HTTP2, "--host", (char *)host, "--port", port};
    int silence = open("/dev/null", O_WRONLY);
    snprintf(port, sizeof port, "%d", HTTP2_PORT);
    for (int i = 0; i < IMAGES; i++) {
        snprintf(paths[i], sizeof paths[i], "/img/%d?size=%d", i + 1, BYTES);
        arguments[5 + i] = paths[i];
    }
    dup2(silence, STDOUT_FILENO);
    execv(HTTP2, arguments);
    fprintf(stderr, "cannot start %s: %s\n", HTTP2, strerror(errno));
    _exit(127);
}

static void load_http2(const char *host, struct loaded *loaded)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        become_http2_client(host);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        die("cannot start lesson 03's client: %s", strerror(errno));
    loaded->end_ns = now_ns();
    loaded->whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ---- the comparison ------------------------------------------------------------------------

// What has passed since `mark`: how many packets were lost, and when the connections of lesson
// 03's clients stood (the servers' SYN ACKs had arrived): the one in the middle.
static int64_t look(uint32_t mark, int *lost)
{
    static struct packet packets[PACKET_LOG_PACKETS];
    double standing_ms[LOADS];
    size_t connections = 0;
    uint32_t count = packet_log_read(mark, packets, PACKET_LOG_PACKETS);
    *lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        *lost += packets[i].fate == LOST;
        if (packets[i].source_port == HTTP2_PORT && packets[i].flags & TCP_SYN &&
            packets[i].fate == PASSED && connections < LOADS)
            standing_ms[connections++] =
                ms_between(packets[0].at_ns, packets[i].at_ns) + packet_log()->rtt_ms / 2;
    }
    if (count == 0)
        return 0;
    return packets[0].at_ns + (int64_t)(median_of(standing_ms, connections) * 1e6);
}

// Loads the page so many times at once. The link has no limited rate, so one load does not slow
// down another.
static struct figures load(const char *host, void (*page)(const char *, struct loaded *),
                           int loads)
{
    struct figures f = {.whole = true, .loads = loads};
    uint32_t mark = packet_log_mark();
    int results[2];
    fflush(stdout);
    if (pipe(results))
        die("pipe: %s", strerror(errno));
    for (int i = 0; i < loads; i++) {
        pid_t pid = fork();
        if (pid < 0)
            die("cannot start a process: %s", strerror(errno));
        if (pid > 0)
            continue;
        struct loaded loaded = {0};
        page(host, &loaded);
        _exit(!write_all(results[1], &loaded, sizeof loaded));
    }
    close(results[1]);
    struct loaded loaded[LOADS];
    for (int i = 0; i < loads; i++) {
        if (!read_exactly(results[0], &loaded[i], sizeof loaded[i]))
            die("a load of the page has failed");
        f.whole &= loaded[i].whole;
    }
    close(results[0]);
    while (wait(NULL) > 0)
        ;
    int64_t standing_ns = look(mark, &f.lost);
    for (int i = 0; i < loads; i++) {
        if (loaded[i].standing_ns)
            f.ms[i] = ms_between(loaded[i].standing_ns, loaded[i].end_ns);
        else
            f.ms[i] = ms_between(standing_ns, loaded[i].end_ns);
    }
    return f;
}

// Prints a row. Returns the median.
static double show(const char *name, struct figures *f)
{
    double middle = median_of(f->ms, (size_t)f->loads); // sorts them
    story_row("%s|%d|%.0f ms|%.0f ms|%.0f ms", name, f->lost, f->ms[0], middle,
              f->ms[f->loads - 1]);
    return middle;
}

static const char *address_of(const char *variable)
{
    const char *host = getenv(variable);
    if (!host)
        die("there is no %s: this scene is played by `make run SCENE=page_load`", variable);
    return host;
}

static const struct claim shines = {
    "4.43", "guide §3.4", "without loss HTTP/2 and HTTP/3 are similar; with loss HTTP/3 wins",
    NOT_HERE,
    "Independent streams let the other images go on (4.40), but the page waits for its last "
    "packet, "
    "and how long that takes is a matter of congestion control: see 4.82."};

static const struct claim congestion = {
    "4.82", "guide §3.4", "QUIC's congestion control is more sophisticated than TCP's",
    NOT_HERE,
    "RFC 9002 §7 describes NewReno, and OpenSSL has nothing else. Others may do more: nginx's "
    "QUIC "
    "loads this page several times as fast (make bench). And so may TCP: Linux has CUBIC, and "
    "BBR."};

// HTTP/3 needs less time than HTTP/2: HOLDS if clearly so, UNCLEAR if an answer is not whole.
static enum verdict judge(bool whole, double two_ms, double three_ms)
{
    if (!whole)
        return UNCLEAR;
    if (three_ms * CLEARLY < two_ms)
        return HOLDS;
    return NOT_HERE;
}

void scene_page_load(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&shines);
        claim_skip(&congestion);
        return;
    }
    const char *clean = address_of("CLEAN_HOST"), *lossy = address_of("LOSSY_HOST");
    story_say(
        "%d images of %d bytes on one connection; the clock starts when it stands. Some such "
        "loads at once: first to a server to which no packet is lost, then to one behind a "
        "link that loses some of them.",
        IMAGES, BYTES);
    struct figures two = load(clean, load_http2, LOADS_CLEAN),
                   three = load(clean, load_http3, LOADS_CLEAN);
    struct figures lossy_two = load(lossy, load_http2, LOADS),
                   lossy_three = load(lossy, load_http3, LOADS);
    story_head("|lost packets|shortest|median|longest");
    double clean_two = show("no loss, HTTP/2", &two);
    double clean_three = show("no loss, HTTP/3", &three);
    double with_two = show("losses, HTTP/2", &lossy_two);
    double with_three = show("losses, HTTP/3", &lossy_three);
    bool whole = two.whole && three.whole && lossy_two.whole && lossy_three.whole;
    // The shortest: on a busy machine a load takes longer, never shorter.
    bool alike = two.ms[0] < ALIKE * three.ms[0] && three.ms[0] < ALIKE * two.ms[0];
    claim_report(&shines, judge(whole && alike, with_two, with_three),
                 "%.0f ms and %.0f ms without loss; with losses %.0f ms and %.0f ms (medians)",
                 clean_two, clean_three, with_two, with_three);
    double bytes = (double)IMAGES * BYTES;
    claim_report(
        &congestion, judge(whole, with_two, with_three),
        "with the same chance of a loss %.0f KB/s over TCP (Reno), %.0f KB/s over QUIC",
        bytes / with_two, bytes / with_three);
}
