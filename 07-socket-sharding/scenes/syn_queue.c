// syn_queue.c: scene syn_queue: clients that begin a handshake and never end it, as an attacker
// does, and what the kernel then does with an honest client. And a client whose last ACK finds
// the accept queue full. The scene makes the segments of those clients itself, in networks of
// its own.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "own_network.h"
#include "packet.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define BACKLOG     8
#define SYNS        60
#define SMALL       4   // for tcp_max_syn_backlog
#define NODE        511 // the backlog of node, unless a program says another
#define CAP         16  // for somaxconn
#define NETWORKS    4
#define ROOM        2 // a backlog that is filled: the queue has one place more
#define PATIENCE_MS 20000
#define LOOK_MS     2
#define FIRST_PORT  2000

struct network {
    int cookies, max_syn_backlog; // what to set; SETTING_UNKNOWN: leave it
    int found;                    // tcp_max_syn_backlog, then
    const char *failed;           // what could not be done; NULL: all was done
    int error;
    int half_open;     // connections that the kernel remembers
    long sent_cookies; // SYN ACKs for which it remembers nothing
    long dropped;      // SYNs
    bool let_in;       // the honest client is connected
    bool rst[2];       // with tcp_abort_on_overflow 0 and 1
    int capped, whole; // backlog of a socket for which listen() was told NODE
};

static bool in_time(int64_t start_ns)
{
    sleep_ms(LOOK_MS);
    return ms_since(start_ns) < PATIENCE_MS;
}

// A socket that listens on all addresses of this thread's network.
static int listen_here(int backlog, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    if (fd < 0 || bind(fd, (struct sockaddr *)address, length) || listen(fd, backlog) ||
        getsockname(fd, (struct sockaddr *)address, &length))
        die("cannot listen: %s", strerror(errno));
    address->sin_addr.s_addr = htonl(TUN_ADDRESS);
    return fd;
}

// A client of the kernel's own. It does not wait.
static int connect_here(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, (const struct sockaddr *)address, sizeof *address) &&
                   errno != EINPROGRESS))
        die("cannot connect: %s", strerror(errno));
    return fd;
}

static struct segment syn_of(int client, const struct sockaddr_in *to)
{
    return (struct segment){.address = TUN_ADDRESS + 1 + (uint32_t)client,
                            .port = (uint16_t)(FIRST_PORT + client),
                            .own_port = ntohs(to->sin_port),
                            .flags = TCP_SYN,
                            .seq = 1000};
}

// ---- half-open connections -----------------------------------------------------------------

// The sockets of this thread's network that wait for the last ACK of a handshake.
static int count_half_open(void)
{
    char line[300];
    int count = 0;
    unsigned state;
    FILE *file = fopen("/proc/thread-self/net/tcp", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, " %*d: %*x:%*x %*x:%*x %x", &state) == 1)
            count += state == STATE_SYN_RECV;
    if (file)
        fclose(file);
    return count;
}

static void count(struct network *network)
{
    network->half_open = count_half_open();
    network->sent_cookies = counter_of(gettid(), "SyncookiesSent");
    network->dropped = counter_of(gettid(), "ListenDrops");
}

static void flood(struct network *network, int tun)
{
    struct sockaddr_in address;
    int listener = listen_here(BACKLOG, &address);
    for (int i = 0; i < SYNS; i++) {
        struct segment syn = syn_of(i, &address);
        if (!tun_write(tun, &syn))
            die("cannot send a SYN: %s", strerror(errno));
    }
    int64_t start_ns = now_ns();
    do {
        count(network);
    } while (network->half_open + network->sent_cookies + network->dropped < SYNS &&
             in_time(start_ns));
    // Either the kernel lets the honest client in, or it counts a SYN more that it has dropped.
    long before = counter_of(gettid(), "ListenDrops"), dropped = before;
    int fd = connect_here(&address);
    do {
        network->let_in = info_of(fd).tcpi_state == STATE_ESTABLISHED;
        dropped = counter_of(gettid(), "ListenDrops");
    } while (!network->let_in && dropped == before && in_time(start_ns));
    close(fd);
    close(listener);
}

// ---- the last ACK finds no room ------------------------------------------------------------

static bool read_flags(int tun, uint8_t flags, struct segment *segment)
{
    int64_t start_ns = now_ns();
    do {
        while (tun_read(tun, segment))
            if ((segment->flags & flags) == flags)
                return true;
    } while (in_time(start_ns));
    return false;
}

// A client has sent its SYN, and has its SYN ACK. Others take all places in the accept queue.
// Then the ACK of the first one comes. Returns whether the kernel answers with RST; it
// is waited for if it is expected.
static bool overflow(int tun, int client, bool expected)
{
    struct sockaddr_in address;
    struct segment answer;
    int listener = listen_here(ROOM, &address), fds[ROOM + 1];
    struct segment syn = syn_of(client, &address), ack = syn;
    if (!tun_write(tun, &syn) || !read_flags(tun, TCP_SYN | TCP_ACK, &answer))
        die("there is no SYN ACK");
    while (answer.port != syn.port) // an older SYN ACK, sent again
        if (!read_flags(tun, TCP_SYN | TCP_ACK, &answer))
            die("there is no SYN ACK");
    int64_t start_ns = now_ns();
    for (unsigned i = 0; i <= ROOM; i++) {
        fds[i] = connect_here(&address);
        while (info_of(listener).tcpi_unacked <= i && in_time(start_ns))
            ; // a listener's tcpi_unacked is the length of its queue
    }
    long before = counter_of(gettid(), "ListenOverflows");
    ack.flags = TCP_ACK;
    ack.seq = syn.seq + 1;
    ack.ack = answer.seq + 1;
    if (!tun_write(tun, &ack))
        die("cannot send an ACK: %s", strerror(errno));
    while (counter_of(gettid(), "ListenOverflows") == before && in_time(start_ns))
        ;
    bool reset = false;
    do {
        sleep_ms(LOOK_MS); // the kernel answers at once, if it answers
        while (tun_read(tun, &answer))
            reset = reset || (answer.port == syn.port && (answer.flags & TCP_RST));
    } while (expected && !reset && in_time(start_ns));
    for (int i = 0; i <= ROOM; i++)
        close(fds[i]);
    close(listener);
    return reset;
}

// ---- the scene -----------------------------------------------------------------------------

static int backlog_of_node(void)
{
    struct sockaddr_in address;
    int listener = listen_here(NODE, &address);
    int backlog = (int)info_of(listener).tcpi_sacked; // of a listener: the longest queue
    close(listener);
    return backlog;
}

static bool set(struct network *network, const char *name, int value)
{
    if (setting_write(name, value))
        return true;
    network->failed = name;
    network->error = errno;
    return false;
}

// Runs in a thread of its own: unshare() gives a network to the thread that calls it.
static void *in_own_network(void *argument)
{
    struct network *network = argument;
    network->failed = own_network_enter();
    network->error = errno;
    if (network->failed || !set(network, "ipv4/tcp_syncookies", network->cookies) ||
        (network->max_syn_backlog != SETTING_UNKNOWN &&
         !set(network, "ipv4/tcp_max_syn_backlog", network->max_syn_backlog)))
        return NULL;
    network->found = setting_read("ipv4/tcp_max_syn_backlog");
    int tun = tun_open();
    if (tun < 0) {
        network->failed = "/dev/net/tun";
        network->error = errno;
        return NULL;
    }
    flood(network, tun);
    for (int abort = 0; abort < 2; abort++)
        if (set(network, "ipv4/tcp_abort_on_overflow", abort))
            network->rst[abort] = overflow(tun, SYNS + abort, abort == 1);
    network->whole = backlog_of_node();
    if (set(network, "core/somaxconn", CAP))
        network->capped = backlog_of_node();
    close(tun);
    return NULL;
}

static const struct claim size_claim = {
    "7.36", "guide §10.3",
    "the SYN queue is controlled by tcp_max_syn_backlog; when it is full, SYNs are dropped",
    NOT_HERE,
    "The backlog of listen() limits it too, and while tcp_syncookies is 1, the default, a SYN "
    "too many is not dropped: it gets a cookie. With 0 the note is right, and the smaller of "
    "both limits counts (ip-sysctl.rst, tcp_syncookies, tcp_max_syn_backlog)."};
static const struct claim cookies_claim = {
    "7.37", "guide §10.3",
    "with SYN cookies the kernel stores nothing in the SYN queue, and lets clients in", HOLDS,
    NULL};
static const struct claim abort_claim = {
    "7.38", "guide §10.3",
    "with tcp_abort_on_overflow a full accept queue means a RST, else a dropped ACK", HOLDS,
    NULL};
static const struct claim cap_claim = {
    "7.39", "guide §10.3", "somaxconn caps the backlog of listen(), for node's 511 as well",
    HOLDS, NULL};
static const struct claim *const all[] = {&size_claim, &cookies_claim, &abort_claim,
                                          &cap_claim};
#define CLAIMS (sizeof all / sizeof *all)

static void show(const struct network *network)
{
    static const char *const becomes[] = {"dropped", "let in"};
    story_row("%d, %d|%d|%ld|%ld|%s", network->cookies, network->found, network->half_open,
              network->sent_cookies, network->dropped, becomes[network->let_in]);
}

static bool gives_cookies(const struct network *network)
{
    return network->half_open <= BACKLOG + 1 && network->dropped == 0 &&
           network->sent_cookies == SYNS - network->half_open;
}

static void judge(const struct network *networks)
{
    const struct network *starts = &networks[0], *small = &networks[1], *off = &networks[2],
                         *both = &networks[3];
    enum verdict verdict = UNCLEAR;
    if (gives_cookies(starts) && gives_cookies(small) &&
        starts->half_open == small->half_open && off->dropped == SYNS - off->half_open &&
        both->half_open <= SMALL && both->half_open < off->half_open)
        verdict = NOT_HERE;
    else if (starts->dropped > 0)
        verdict = HOLDS;
    claim_report(&size_claim, verdict,
                 "listen(%d), %d SYNs: %d half-open, whether the setting is %d or %d, and %ld "
                 "cookies; without cookies %d and %d half-open, and %ld and %ld SYNs dropped",
                 BACKLOG, SYNS, starts->half_open, starts->found, small->found,
                 starts->sent_cookies, off->half_open, both->half_open, off->dropped,
                 both->dropped);
    claim_report(&cookies_claim,
                 holds_if(gives_cookies(starts) && starts->let_in && small->let_in &&
                          !off->let_in && !both->let_in),
                 "%ld cookies, %d connections remembered, and an honest client is let in; "
                 "without cookies its SYN is dropped too",
                 starts->sent_cookies, starts->half_open);
    bool as_said = true;
    for (int i = 0; i < NETWORKS; i++)
        as_said = as_said && !networks[i].rst[0] && networks[i].rst[1];
    claim_report(&abort_claim, holds_if(as_said),
                 "the last ACK finds the queue full: with 0 no answer, with 1 a RST");
    claim_report(&cap_claim, holds_if(starts->whole == NODE && starts->capped == CAP),
                 "listen(%d): the kernel's limit is %d; with somaxconn %d it is %d", NODE,
                 starts->whole, CAP, starts->capped);
}

void scene_syn_queue(void)
{
    struct network networks[NETWORKS] = {{.cookies = 1, .max_syn_backlog = SETTING_UNKNOWN},
                                         {.cookies = 1, .max_syn_backlog = SMALL},
                                         {.cookies = 0, .max_syn_backlog = SETTING_UNKNOWN},
                                         {.cookies = 0, .max_syn_backlog = SMALL}};
    for (size_t i = 0; !packet_log()->tunnel && i < CLAIMS; i++)
        claim_skip(all[i]);
    if (!packet_log()->tunnel)
        return;
    own_networks_run(in_own_network, networks, sizeof *networks, NETWORKS);
    for (int i = 0; i < NETWORKS; i++)
        for (size_t k = 0; networks[i].failed && k < CLAIMS; k++)
            claim_report(all[k], SKIPPED, "%s: %s", networks[i].failed,
                         strerror(networks[i].error));
    for (int i = 0; i < NETWORKS; i++)
        if (networks[i].failed)
            return;
    story_say("Four networks, in each a listener with a backlog of %d. %d clients send a SYN, "
              "and nothing more. Then an honest client connects.",
              BACKLOG, SYNS);
    story_head("tcp_syncookies, tcp_max_syn_backlog|half-open|cookies|dropped|honest");
    for (int i = 0; i < NETWORKS; i++)
        show(&networks[i]);
    judge(networks);
}
