// page_load.c: scene page_load: the images of a page over HTTP/3 and over HTTP/2, on a network
// that loses packets and on one that does not. HTTP/2 is lesson 03's server and client, in
// clear text.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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
#define LOADS       12   // of the page, at once, each on a connection of its own
#define LOADS_CLEAN 3    // the same, where no packet is lost: all take the same time
#define TRIES       5    // of these, on a machine that is busy with something else
#define HTTP2_PORT  8003
#define HTTP2       "../../03-http2-framing/client"
#define ALIKE       2.0 // without loss, one takes at most so many times as long as the other
#define CLEARLY     1.5 // with loss, the winner is so many times as fast,
#define WINS        3   // so many times in succession

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
    stage_connect(&client, ctx, host, stage_port);
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

// What has passed since `mark`: how many packets were lost of TCP and of UDP, and when the
// connections of lesson 03's clients stood (the servers' SYN ACKs had arrived): the one in the
// middle.
static int64_t look(uint32_t mark, int *lost_tcp, int *lost_udp)
{
    static struct packet packets[PACKET_LOG_PACKETS];
    double standing_ms[LOADS];
    size_t connections = 0;
    uint32_t count = packet_log_read(mark, packets, PACKET_LOG_PACKETS);
    *lost_tcp = *lost_udp = 0;
    for (uint32_t i = 0; i < count; i++) {
        *lost_tcp += packets[i].fate == LOST && packets[i].protocol == IPPROTO_TCP;
        *lost_udp += packets[i].fate == LOST && packets[i].protocol == IPPROTO_UDP;
        if (packets[i].source_port == HTTP2_PORT && packets[i].flags & TCP_SYN &&
            packets[i].fate == PASSED && connections < LOADS)
            standing_ms[connections++] =
                ms_between(packets[0].at_ns, packets[i].at_ns) + packet_log()->rtt_ms / 2;
    }
    if (count == 0)
        return 0;
    return packets[0].at_ns + (int64_t)(median_of(standing_ms, connections) * 1e6);
}

// Starts a load of the page in a process of its own. Its result can be read from what this
// returns.
static int begin_load(const char *host, void (*page)(const char *, struct loaded *))
{
    int result[2];
    fflush(stdout);
    if (pipe(result))
        die("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        die("cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        struct loaded loaded = {0};
        page(host, &loaded);
        _exit(!write_all(result[1], &loaded, sizeof loaded));
    }
    close(result[1]);
    return result[0];
}

static struct loaded end_load(int result)
{
    struct loaded loaded;
    if (!read_exactly(result, &loaded, sizeof loaded))
        die("a load of the page has failed");
    close(result);
    return loaded;
}

// Loads the page so many times over each protocol, all at once: so a machine that is busy for a
// while slows down both.
static void load(const char *host, int loads, struct figures *two, struct figures *three)
{
    uint32_t mark = packet_log_mark();
    int results[2][LOADS];
    *two = *three = (struct figures){.whole = true, .loads = loads};
    for (int i = 0; i < loads; i++) {
        results[0][i] = begin_load(host, load_http2);
        results[1][i] = begin_load(host, load_http3);
    }
    int64_t ends_ns[LOADS];
    for (int i = 0; i < loads; i++) {
        struct loaded loaded = end_load(results[0][i]);
        two->whole &= loaded.whole;
        ends_ns[i] = loaded.end_ns;
        loaded = end_load(results[1][i]);
        three->whole &= loaded.whole;
        three->ms[i] = ms_between(loaded.standing_ns, loaded.end_ns);
    }
    while (wait(NULL) > 0)
        ;
    int64_t standing_ns = look(mark, &two->lost, &three->lost);
    for (int i = 0; i < loads; i++)
        two->ms[i] = ms_between(standing_ns, ends_ns[i]);
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

// With losses HTTP/3 needs clearly less time than HTTP/2. Sorts their times.
static bool wins(struct figures *two, struct figures *three)
{
    double two_ms = median_of(two->ms, (size_t)two->loads);
    return median_of(three->ms, (size_t)three->loads) * CLEARLY < two_ms;
}

static enum verdict judge(bool whole, bool won)
{
    if (!whole)
        return UNCLEAR;
    if (won)
        return HOLDS;
    return NOT_HERE;
}

// Without loss all loads take the same number of round trips. So the shortest counts: on a busy
// machine a load takes longer, never shorter.
static bool alike(const struct figures *two, const struct figures *three)
{
    double two_ms = two->ms[0], three_ms = three->ms[0];
    for (int i = 1; i < two->loads; i++) {
        if (two->ms[i] < two_ms)
            two_ms = two->ms[i];
        if (three->ms[i] < three_ms)
            three_ms = three->ms[i];
    }
    return two_ms < ALIKE * three_ms && three_ms < ALIKE * two_ms;
}

void scene_page_load(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&shines);
        claim_skip(&congestion);
        return;
    }
    const char *clean = address_of("CLEAN_HOST"), *lossy = address_of("LOSSY_HOST");
    struct figures two, three, lossy_two, lossy_three;
    story_say(
        "%d images of %d bytes on one connection; the clock starts when it stands. Some such "
        "loads at once: first from a server to which no packet is lost, then from one behind a "
        "link that loses some of them.",
        IMAGES, BYTES);
    bool similar = false;
    for (int i = 0; i < TRIES && !similar; i++) {
        load(clean, LOADS_CLEAN, &two, &three);
        similar = alike(&two, &three);
    }
    bool won = true; // chance decides which packets are lost: a win has to be repeated
    for (int i = 0; i < WINS && won; i++) {
        load(lossy, LOADS, &lossy_two, &lossy_three);
        won = wins(&lossy_two, &lossy_three);
    }
    story_head("|lost packets|shortest|median|longest");
    double clean_two = show("no loss, HTTP/2", &two);
    double clean_three = show("no loss, HTTP/3", &three);
    double with_two = show("losses, HTTP/2", &lossy_two);
    double with_three = show("losses, HTTP/3", &lossy_three);
    bool whole = two.whole && three.whole && lossy_two.whole && lossy_three.whole;
    claim_report(&shines, judge(whole && similar, won),
                 "%.0f ms and %.0f ms without loss; with losses %.0f ms and %.0f ms (medians)",
                 clean_two, clean_three, with_two, with_three);
    double bytes = (double)IMAGES * BYTES;
    claim_report(
        &congestion, judge(whole, won),
        "with the same chance of a loss %.0f KB/s over TCP (Reno), %.0f KB/s over QUIC",
        bytes / with_two, bytes / with_three);
}
