// syn_retries.c: scene syn_retries: a listener has no room, its kernel drops the SYN, and the
// client's kernel sends the SYN again. The scene waits until that happens, once. Then the
// kernel tells how long it will wait before it sends the SYN once more (tcpi_rto). The scene
// does this in two networks, with two settings.
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "own_network.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define SETTING     "ipv4/tcp_syn_linear_timeouts"
#define NETWORKS    2
#define PATIENCE_MS 20000
#define DOUBLED     1.5 // a wait that is longer than so many times the one before has doubled

struct network {
    int linear_timeouts; // write this setting; SETTING_UNKNOWN: leave what the kernel starts
                         // with
    const char *failed;  // what could not be done; NULL: all was done
    int error;           // and why
    int found;           // what the setting is then
    double first_ms;     // for how long the kernel meant to wait before it sent the SYN again
    double waited_ms;    // and how long it took
    double next_ms;      // for how long the kernel waits now
};

// ---- a network whose only listener is full -------------------------------------------------

// Begins to connect to `address`.
static int begin(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)connect(fd, (const struct sockaddr *)address, sizeof *address);
    return fd;
}

// Connects to a listener whose queue another connection has filled: listen() was told 0, and
// the kernel keeps one more than that. Notes when the client's kernel sends the SYN again.
static void watch_retries(struct network *network)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct tcp_info info;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 0) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        die("cannot listen: %s", strerror(errno));
    int first = begin(&address);
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    // A listener's tcpi_unacked is the length of its queue.
    while (info_of(listener).tcpi_unacked < 1 && now_ns() < until_ns)
        sleep_ms(1);
    int64_t sent_ns = now_ns();
    int fd = begin(&address);
    network->first_ms = info_of(fd).tcpi_rto / 1000.0;
    do {
        sleep_ms(1);
        info = info_of(fd);
    } while (info.tcpi_total_retrans == 0 && now_ns() < until_ns);
    network->waited_ms = (double)(now_ns() - sent_ns) / 1e6;
    if (info.tcpi_total_retrans)
        network->next_ms = info.tcpi_rto / 1000.0;
    close(fd);
    close(first);
    close(listener);
}

// Runs in a thread of its own: unshare() gives a network to the thread that calls it.
static void *in_own_network(void *argument)
{
    struct network *network = argument;
    network->failed = own_network_enter();
    if (!network->failed && network->linear_timeouts != SETTING_UNKNOWN &&
        setting_read(SETTING) != SETTING_UNKNOWN &&
        !setting_write(SETTING, network->linear_timeouts))
        network->failed = "writing " SETTING;
    network->error = errno;
    network->found = setting_read(SETTING);
    if (!network->failed)
        watch_retries(network);
    return NULL;
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim linear = {
    "7.13", "guide §10.3", "a dropped SYN is sent again after 1 second, then 2, then 4",
    NOT_HERE,
    "Since Linux 6.5 the first four waits are equal, one second each, and then they double: "
    "SYNs after 0, 1, 2, 3, 4, 5, 7 s (the kernel's ip-sysctl.rst, tcp_syn_linear_timeouts). "
    "Before, and with 0 there, the note is right."};

static bool doubles(const struct network *network)
{
    return network->next_ms > DOUBLED * network->first_ms;
}

static bool stays(const struct network *network)
{
    return network->next_ms > 0 && !doubles(network);
}

static void show(const char *about, const struct network *network)
{
    story_row("%s|%.2f s|%.2f s", about, network->waited_ms / 1000, network->next_ms / 1000);
}

static void judge(const struct network *starts, const struct network *zero)
{
    struct claim doubling = linear;
    if (starts->found == SETTING_UNKNOWN) { // before Linux 6.5 the note is right
        doubling.expected = HOLDS;
        doubling.why = NULL;
        claim_report(&doubling, holds_if(doubles(starts)),
                     "%.2f s, then %.2f s (this kernel knows no linear timeouts)",
                     starts->waited_ms / 1000, starts->next_ms / 1000);
        return;
    }
    enum verdict verdict = UNCLEAR;
    if (stays(starts) && doubles(zero))
        verdict = NOT_HERE;
    claim_report(&linear, verdict,
                 "with %d linear timeouts %.2f s, then %.2f s; with none %.2f s, then %.2f s",
                 starts->found, starts->waited_ms / 1000, starts->next_ms / 1000,
                 zero->waited_ms / 1000, zero->next_ms / 1000);
}

void scene_syn_retries(void)
{
    struct network networks[NETWORKS] = {{.linear_timeouts = SETTING_UNKNOWN},
                                         {.linear_timeouts = 0}};
    if (!packet_log()->tunnel) {
        claim_skip(&linear);
        return;
    }
    own_networks_run(in_own_network, networks, sizeof *networks, NETWORKS);
    story_say("Two networks; in each a listener has room for one connection, and has it. A "
              "second client connects: its SYN is dropped, and its kernel tries again.");
    for (int i = 0; i < NETWORKS; i++)
        if (networks[i].failed) {
            claim_report(&linear, SKIPPED, "%s: %s", networks[i].failed,
                         strerror(networks[i].error));
            return;
        }
    char label[80] = "no such setting";
    if (networks[0].found != SETTING_UNKNOWN)
        snprintf(label, sizeof label, "%d, as this kernel starts", networks[0].found);
    story_head("tcp_syn_linear_timeouts|the SYN again after|then it waits");
    show(label, &networks[0]);
    if (networks[0].found != SETTING_UNKNOWN)
        show("0", &networks[1]);
    judge(&networks[0], &networks[1]);
}
