// backlog.c: scene backlog: the server accepts no connection, and its accept queue is full.
// Which clients are connected, which wait in the queue, and which find no room?
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "host.h"
#include "net.h"
#include "own_network.h"
#include "scenes.h"
#include "story.h"

#define OWN_SERVER    "--workers 1 --backlog 2"
#define SMALL         20 // a backlog that this scene can fill
#define OUTSIDE       2  // clients that find no room
#define CLIENTS_MAX   (SMALL + 1 + OUTSIDE)
#define BUSY_MS       800
#define LOOK_MS       600 // within this time the kernel counts the clients without room
#define LOOK_EVERY_MS 5
#define SELDOM_MS     300   // each look at the stats shows two packets on the timeline
#define RETRY_MS      1000  // the time after which the kernels try again
#define PATIENCE_MS   15000 // within this time all clients have to be accepted
#define PACKETS_MAX   4000

#define SOMAXCONN_ONCE 128
#define SOMAXCONN_NOW  4096

// ---- what the kernels say ------------------------------------------------------------------

// Two counters of the kernel: how often it found no room for a connection.
struct dropped {
    long overflows, drops;
};

// Reads both counters, for the network of process `pid`.
static struct dropped read_dropped(int pid)
{
    return (struct dropped){counter_of(pid, "ListenOverflows"), counter_of(pid, "ListenDrops")};
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim length_claim = {
    "7.5", "guide §10.3", "the backlog is the maximum length of the accept queue", NOT_HERE,
    "The queue is full when it is longer than the backlog: one more than listen() was told "
    "(sk_acceptq_is_full() in the kernel's include/net/sock.h; TCP_INFO has the depth)."};

static const struct claim full_claim = {
    "7.6", "guide §10.3", "if it is full Linux drops, and gives the client a chance to retry",
    HOLDS, NULL};

static const struct claim kernel_claim = {
    "7.35", "guide §8.1, §10.3, §11",
    "the kernel completes handshakes, without the application", HOLDS, NULL};

static const struct claim somaxconn_claim = {
    "7.7", "guide §10.3", "the default of somaxconn is often 128", NOT_HERE,
    "4096 since Linux 5.4 (kernel documentation, networking/ip-sysctl, somaxconn)."};

struct clients {
    int fds[CLIENTS_MAX], count;
    int backlog;            // the server's, as its kernel has it
    int accepted;           // by the worker, when all have tried
    int in_queue;           // clients in the accept queue when all have tried
    int unacknowledged;     // clients that believe they are connected, but are in no queue
    int in_syn_sent;        // clients that know they are not connected
    int repeated;           // SYNs and SYN ACKs that were sent again
    int served;             // clients with an answer, in the end
    struct dropped dropped; // by how much the kernel's counters grew
};

static void start_client(struct clients *k, const struct peer *peer)
{
    int fd = k->fds[k->count++] = socket_to_connect(peer);
    if (start_connecting(fd, peer) && errno != EINPROGRESS)
        die("cannot connect: %s", strerror(errno));
}

// Waits until the first `count` clients believe that they are connected. What a client sends
// from now on arrives behind the last ACK of its handshake.
static void await_connected(const struct clients *k, int count)
{
    for (int i = 0; i < count; i++) {
        struct pollfd connected = {k->fds[i], POLLOUT, 0};
        if (poll(&connected, 1, PATIENCE_MS) < 1)
            die("client %d is not connected", i + 1);
    }
}

static double distance_ms(double round_trips)
{
    if (!packet_log()->tunnel)
        return 0;
    return round_trips * packet_log()->rtt_ms;
}

// Returns the server that wire has started, if there is a wire, and if the server has one
// worker and a small backlog. Else starts a server for this scene.
static struct peer choose_server(int *worker_pid)
{
    struct seen seen[WORKERS_MAX];
    struct peer peer = server;
    if (!packet_log()->tunnel || read_stats(&peer, seen) != 1 || seen[0].backlog < 2 ||
        seen[0].backlog > SMALL) {
        peer = peer_begin(OWN_SERVER);
        read_stats(&peer, seen);
    }
    *worker_pid = seen[0].pid;
    return peer;
}

// Connects a client whose request takes a while. Returns when the worker has begun with the
// request: meanwhile the worker accepts no other connection.
static int keep_busy(const struct peer *peer)
{
    char request[100];
    struct seen seen[WORKERS_MAX];
    read_stats(peer, seen);
    long accepted = seen[0].accepted;
    int fd = connect_to(peer);
    snprintf(request, sizeof request, "GET /busy?ms=%.0f HTTP/1.1\r\nHost: h\r\n\r\n",
             BUSY_MS + distance_ms(4));
    if (!send_request(fd, request))
        die("cannot ask: %s", strerror(errno));
    do {
        sleep_ms(LOOK_EVERY_MS);
        read_stats(peer, seen);
    } while (seen[0].accepted == accepted);
    sleep_ms(distance_ms(1) + LOOK_EVERY_MS); // the request arrives at most so much later
    return fd;
}

// Counts in which state the clients are now. `old`: the counters before the clients came.
static void count_states(struct clients *k, const struct peer *peer, int worker_pid,
                         long accepted, struct dropped old)
{
    struct seen seen[WORKERS_MAX];
    int64_t until_ns = now_ns() + LOOK_MS * INT64_C(1000000);
    do {
        sleep_ms(LOOK_EVERY_MS);
        struct dropped now = read_dropped(worker_pid);
        k->dropped = (struct dropped){now.overflows - old.overflows, now.drops - old.drops};
    } while (k->dropped.overflows < OUTSIDE && now_ns() < until_ns);
    read_stats(peer, seen);
    k->accepted = (int)(seen[0].accepted - accepted);
    k->in_queue = (int)seen[0].queue;
    for (int i = 0; i < k->count; i++)
        k->in_syn_sent += info_of(k->fds[i]).tcpi_state == STATE_SYN_SENT;
    k->unacknowledged = k->count - k->in_queue - k->in_syn_sent;
    story_event("clients in the accept queue: %d, in SYN_SENT: %d", k->in_queue,
                k->in_syn_sent);
    story_event("clients that wrongly believe they are connected: %d", k->unacknowledged);
    story_event("the server's ListenOverflows +%ld, ListenDrops +%ld", k->dropped.overflows,
                k->dropped.drops);
}

// Returns how many SYN ACKs were sent again: the server's part of the retries.
static int syn_acks_again(uint32_t mark, int connections)
{
    static struct packet packets[PACKETS_MAX];
    int count = 0;
    uint32_t seen = packet_log_read(mark, packets, PACKETS_MAX);
    for (uint32_t i = 0; i < seen; i++)
        count += packets[i].protocol == IPPROTO_TCP &&
                 (packets[i].flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    if (count < connections)
        return 0;
    return count - connections;
}

// Waits until the worker has accepted all clients; then they ask, and read their answers.
static void serve_all(struct clients *k, const struct peer *peer, long accepted, uint32_t mark)
{
    struct seen seen[WORKERS_MAX];
    int64_t until_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    sleep_ms(RETRY_MS - SELDOM_MS);
    do {
        sleep_ms(SELDOM_MS);
        read_stats(peer, seen);
    } while (seen[0].accepted < accepted + k->count && now_ns() < until_ns);
    story_event("the worker has accepted %ld of %d", seen[0].accepted - accepted, k->count);
    story_quiet(true);
    k->repeated = syn_acks_again(mark, k->count);
    for (int i = 0; i < k->count; i++)
        k->repeated += (int)info_of(k->fds[i]).tcpi_total_retrans;
    for (int i = 0; i < k->count; i++)
        send_request(k->fds[i], GET_ROOT);
    for (int i = 0; i < k->count; i++)
        k->served += read_answer(k->fds[i]).worker == 1;
}

static struct clients play(const struct peer *peer, int worker_pid)
{
    struct clients k = {0};
    struct seen seen[WORKERS_MAX];
    int busy = keep_busy(peer);
    read_stats(peer, seen);
    struct dropped before = read_dropped(worker_pid);
    k.backlog = (int)seen[0].backlog;
    if (k.backlog > SMALL)
        die("this scene fills a backlog of at most %d (SMALL), not %d", SMALL, k.backlog);
    long accepted = seen[0].accepted;
    uint32_t mark = packet_log_mark();
    story_timeline();
    story_event("listen() was told: %d", k.backlog);
    // The clients come a few at a time. If more SYNs came at once than the backlog allows, the
    // kernel would answer them with SYN cookies (tcp(7), tcp_syncookies). Then it remembers
    // nothing of a client, and cannot send its SYN ACK again.
    for (int i = 0; i < k.backlog; i++)
        start_client(&k, peer);
    await_connected(&k, k.count);
    start_client(&k, peer); // this client gets the last place in the queue
    start_client(&k, peer); // the last ACK of this client (without a wire: its SYN) finds none
    await_connected(&k, k.count - 1);
    start_client(&k, peer); // already the SYN of this client finds the queue full
    count_states(&k, peer, worker_pid, accepted, before);
    serve_all(&k, peer, accepted, mark);
    close(busy);
    return k;
}

static void report_somaxconn(void)
{
    int value = setting_read("core/somaxconn");
    if (value == SOMAXCONN_NOW)
        claim_report(&somaxconn_claim, NOT_HERE, "/proc/sys/net/core/somaxconn says %d", value);
    else if (value == SOMAXCONN_ONCE && host_kernel() < 504)
        claim_report(&somaxconn_claim, HOLDS, "/proc/sys/net/core/somaxconn says %d", value);
    else
        claim_report(&somaxconn_claim, SKIPPED, "on this machine it is set to %d", value);
}

static void report_queue(const struct clients *k)
{
    int outside = k->unacknowledged + k->in_syn_sent;
    enum verdict verdict = holds_if(k->in_queue == k->backlog);
    if (k->in_queue == k->backlog + 1)
        verdict = NOT_HERE;
    claim_report(&length_claim, verdict, "listen() was told %d, and %d are in the queue",
                 k->backlog, k->in_queue);
    claim_report(&kernel_claim, holds_if(k->accepted == 0 && k->in_queue > 0),
                 "%d clients are connected, and accept() has returned %d of them", k->in_queue,
                 k->accepted);
    bool dropped =
        outside == OUTSIDE && k->dropped.overflows >= outside && k->dropped.drops >= outside;
    claim_report(
        &full_claim, holds_if(dropped && k->repeated >= outside && k->served == k->count),
        "final ACKs dropped: %d, SYNs: %d; sent again after a second: %d; served: %d of %d",
        k->unacknowledged, k->in_syn_sent, k->repeated, k->served, k->count);
}

void scene_backlog(void)
{
    int worker_pid;
    struct peer peer = choose_server(&worker_pid);
    story_say("The server has one worker. It is busy for a while, and accepts no client.");
    struct clients k = play(&peer, worker_pid);
    if (peer.pid)
        peer_end(&peer);
    if (packet_log()->tunnel && packet_log()->loss > 0) {
        claim_report(&length_claim, SKIPPED, "on this link packets are lost anyway");
        claim_report(&full_claim, SKIPPED, "on this link packets are lost anyway");
        claim_report(&kernel_claim, SKIPPED, "on this link packets are lost anyway");
    } else {
        report_queue(&k);
    }
    report_somaxconn();
}
