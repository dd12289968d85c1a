// model_uring.c: one thread and io_uring. A loop with epoll asks the kernel which connection is
// ready, and then makes a system call for each read and each write. Here the program hands over
// the reads and writes themselves, any number of them in one call, and later finds in a ring
// what has come of them. The thread sleeps in ring_wait() only.
//
// Read run_uring() first, then completed() and serve(). The two rings are in common/ring.c;
// what becomes of one connection is in parts/uring_client.c.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model.h"
#include "net.h"
#include "ring.h"
#include "smaller.h"
#include "timers.h"
#include "uring_client.h"

#define REFUSED_MAX 256 // connections over the limit, while they read their 503
#define LAST_WAITS  100 // of LAST_MS, for operations that end with the server
#define LAST_MS     10

_Static_assert(PIECE_BYTES == RING_PIECE_BYTES, "a client takes what a piece of the ring has");

// What a completion is about: the lowest bits of its user_data, beside the client's address.
enum what { ACCEPTED = 1, CANCELLED, SIGNALLED, RECEIVED, SENT, WROTE, SYNCED, WHAT = 7 };

struct loop {
    struct worker *worker;
    struct ring ring;
    struct timers timers; // one for each client: the next deadline is on top
    struct client_buffers buffers;
    uint32_t clients_max;
    uint32_t gone; // clients whose connection is over, but the kernel has operations of them
    int listener, stop_fd;
    bool accepting, stopping;
    int64_t now_ns;    // the time of this round
    int64_t accept_ns; // no accept before this time
    int64_t stop_ns;   // when the loop ends, even if clients still wait for an answer
};

// ---- what the kernel is asked to do --------------------------------------------------------

// The kernel accepts all connections that come: one operation with many completions
// ("multishot"). It may end the operation; then there is another one.
static void accept_all(struct loop *loop)
{
    bool room = loop->timers.count + loop->gone < loop->clients_max;
    if (loop->accepting || loop->stopping || !room || loop->accept_ns > loop->now_ns)
        return;
    struct io_uring_sqe *entry =
        ring_entry(&loop->ring, IORING_OP_ACCEPT, loop->listener, ACCEPTED);
    if (!entry)
        return; // in the next round
    entry->ioprio = IORING_ACCEPT_MULTISHOT;
    entry->accept_flags = SOCK_CLOEXEC;
    loop->accepting = true;
}

static void stop_accepting(struct loop *loop)
{
    struct io_uring_sqe *entry = NULL;
    if (loop->accepting)
        entry = ring_entry(&loop->ring, IORING_OP_ASYNC_CANCEL, -1, CANCELLED);
    if (entry)
        entry->addr = ACCEPTED;
}

static void watch_signals(struct loop *loop)
{
    struct io_uring_sqe *entry =
        ring_entry(&loop->ring, IORING_OP_POLL_ADD, loop->stop_fd, SIGNALLED);
    if (!entry)
        die("io_uring takes no entry");
    entry->poll32_events = POLLIN;
}

// An operation of a client. Until its completion the client's memory belongs to the kernel,
// too.
static struct io_uring_sqe *ask(struct loop *loop, struct client *c, int operation, int fd,
                                enum what what)
{
    struct io_uring_sqe *entry = ring_entry(&loop->ring, operation, fd, (uintptr_t)c | what);
    if (entry)
        c->under_way++;
    return entry;
}

// The kernel takes one of the ring's pieces when bytes have come, and puts them there.
static bool receive(struct loop *loop, struct client *c)
{
    if (c->receiving)
        return true;
    struct io_uring_sqe *entry = ask(loop, c, IORING_OP_RECV, c->fd, RECEIVED);
    if (!entry)
        return false;
    entry->len = RING_PIECE_BYTES;
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = RING_GROUP;
    c->receiving = true;
    return true;
}

static bool send_out(struct loop *loop, struct client *c)
{
    struct io_uring_sqe *entry = ask(loop, c, IORING_OP_SEND, c->fd, SENT);
    if (!entry)
        return false;
    entry->addr = (uintptr_t)(c->out->bytes + c->out->sent);
    entry->len = (uint32_t)(c->out->length - c->out->sent);
    entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    return true;
}

// A thread of the kernel writes the record into the file (IOSQE_ASYNC), and then, when that is
// done, waits for the disk: this thread never does.
static bool write_record(struct loop *loop, struct client *c)
{
    const struct disk_file *d = disk_file();
    struct io_uring_sqe *entry = NULL;
    if (d)
        entry = ask(loop, c, IORING_OP_WRITE, d->fd, WROTE);
    if (!entry)
        return false;
    entry->addr = (uintptr_t)d->record;
    entry->len = (uint32_t)c->write_kb * 1024;
    entry->flags = IOSQE_ASYNC;
    return true;
}

static bool sync_record(struct loop *loop, struct client *c)
{
    struct io_uring_sqe *entry = ask(loop, c, IORING_OP_FSYNC, disk_file()->fd, SYNCED);
    if (entry)
        entry->fsync_flags = IORING_FSYNC_DATASYNC;
    return entry;
}

// ---- the clients ---------------------------------------------------------------------------

// Ends a connection. shutdown() makes the kernel end the operations that are under way.
static void drop(struct loop *loop, struct client *c)
{
    if (c->gone)
        return;
    c->gone = true;
    timers_remove(&loop->timers, &c->timer);
    if (c->under_way)
        shutdown(c->fd, SHUT_RDWR);
    client_close(c);
    if (c->under_way)
        loop->gone++; // completed() frees the client
    else
        client_free(c);
}

// Asks the kernel for what a client needs. The client may be freed here.
static void serve(struct loop *loop, struct client *c, enum need need)
{
    if (need == NEED_DISK && !write_record(loop, c))
        need = client_written(c, false);
    bool good = need != NEED_CLOSE;
    if (need == NEED_BYTES)
        good = receive(loop, c);
    if (need == NEED_SENT)
        good = send_out(loop, c);
    if (!good)
        drop(loop, c);
    else if (c->limit_ms > 0)
        timers_move(&loop->timers, &c->timer, loop->now_ns + c->limit_ms * INT64_C(1000000));
}

static void open_client(struct loop *loop, int fd)
{
    struct client *c = client_open(fd, loop->worker, &loop->buffers);
    if (!c)
        return;
    timers_add(&loop->timers, &c->timer, loop->now_ns + c->limit_ms * INT64_C(1000000));
    if (c->refused)
        serve(loop, c, client_refuse(c));
    else
        serve(loop, c, NEED_BYTES);
}

// Closes the connections whose clients wait for no answer; with `all`, the others too.
static void drop_clients(struct loop *loop, bool all)
{
    for (uint32_t i = 0; i < loop->timers.count;) {
        struct client *c = (struct client *)loop->timers.heap[i++];
        if (all || !client_is_busy(c)) {
            drop(loop, c);
            i = 0; // another timer has taken its place in the heap: begin again
        }
    }
}

// ---- what has come of it -------------------------------------------------------------------

static void accepted(struct loop *loop, const struct io_uring_cqe *done)
{
    bool room = loop->timers.count + loop->gone < loop->clients_max;
    if (!(done->flags & IORING_CQE_F_MORE))
        loop->accepting = false;
    if (done->res >= 0 && room && !loop->stopping)
        open_client(loop, done->res);
    else if (done->res >= 0)
        close(done->res);
    else if (done->res != -ECONNABORTED && done->res != -EINTR && done->res != -ECANCELED)
        loop->accept_ns = loop->now_ns + RETRY_MS * INT64_C(1000000); // no free descriptor
    if (loop->timers.count + loop->gone >= loop->clients_max)
        stop_accepting(loop);
}

static void received(struct loop *loop, struct client *c, const struct io_uring_cqe *done)
{
    const char *piece = NULL;
    if (done->flags & IORING_CQE_F_BUFFER)
        piece = ring_piece(&loop->ring, done);
    c->receiving = false;
    if (done->res == -ENOBUFS) // all pieces were in use: by now they have been given back
        serve(loop, c, NEED_BYTES);
    else if (done->res <= 0)
        drop(loop, c);
    else if (!c->out) // else a 408 is on its way: the bytes come too late
        serve(loop, c, client_received(c, piece, (size_t)done->res));
    if (piece)
        ring_give_back(&loop->ring, piece);
}

// Stops accepting. Clients that wait for an answer have STOP_MS more; after a second signal
// they have no more time.
static void signalled(struct loop *loop)
{
    struct signalfd_siginfo signal;
    watch_signals(loop);
    if (read(loop->stop_fd, &signal, sizeof signal) < 0)
        return;
    loop->stop_ns = loop->now_ns;
    if (loop->stopping)
        return;
    loop->stop_ns += STOP_MS * INT64_C(1000000);
    loop->stopping = true;
    atomic_store(&loop->worker->all->stopping, true);
    stop_accepting(loop);
    close(loop->listener);
    drop_clients(loop, false);
}

static void completed(struct loop *loop, const struct io_uring_cqe *done)
{
    enum what what = done->user_data & WHAT;
    struct client *c = (struct client *)(uintptr_t)(done->user_data & ~(uint64_t)WHAT);
    if (what == ACCEPTED)
        accepted(loop, done);
    if (what == SIGNALLED)
        signalled(loop);
    if (!c)
        return;
    c->under_way--;
    if (c->gone && done->flags & IORING_CQE_F_BUFFER)
        ring_give_back(&loop->ring, ring_piece(&loop->ring, done));
    if (c->gone && c->under_way == 0) {
        loop->gone--;
        client_free(c);
    } else if (!c->gone && what == RECEIVED) {
        received(loop, c, done);
    } else if (!c->gone && what == WROTE && done->res == c->write_kb * 1024 &&
               sync_record(loop, c)) {
        return; // now it is the disk's turn
    } else if (!c->gone && (what == WROTE || what == SYNCED)) {
        serve(loop, c, client_written(c, what == SYNCED && done->res == 0));
    } else if (!c->gone && done->res >= 0) {
        serve(loop, c, client_sent(c, (size_t)done->res));
    } else if (!c->gone) {
        drop(loop, c);
    }
}

// ---- the loop ------------------------------------------------------------------------------

// How long the loop may sleep, in nanoseconds; -1: until something happens. While it does not
// accept, it looks again after RETRY_MS.
static int64_t sleep_ns_max(const struct loop *loop)
{
    int64_t until_ns = timers_next_ns(&loop->timers);
    if (!loop->accepting)
        until_ns = earlier(until_ns, loop->now_ns + RETRY_MS * INT64_C(1000000));
    if (until_ns == NEVER)
        return -1;
    if (until_ns <= loop->now_ns)
        return 0;
    return until_ns - loop->now_ns;
}

static void round_of(struct loop *loop, int64_t sleep_ns)
{
    const struct io_uring_cqe *done;
    ring_wait(&loop->ring, sleep_ns);
    loop->now_ns = now_ns();
    while ((done = ring_next(&loop->ring)))
        completed(loop, done);
}

void run_uring(struct workers *workers, int listener, int stop_fd)
{
    static struct loop loop;
    loop.worker = &workers->worker[0];
    loop.listener = listener;
    loop.stop_fd = stop_fd;
    loop.clients_max = (uint32_t)workers->settings.connections + REFUSED_MAX;
    loop.timers.heap = calloc(loop.clients_max, sizeof *loop.timers.heap);
    if (!loop.timers.heap || !ring_open(&loop.ring) || !ring_add_pieces(&loop.ring))
        die("model uring: io_uring cannot be had: %s", strerror(errno));
    watch_signals(&loop);
    loop.now_ns = now_ns();
    while (!loop.stopping || (loop.timers.count > 0 && loop.now_ns < loop.stop_ns)) {
        accept_all(&loop);
        round_of(&loop, sleep_ns_max(&loop));
        while (timers_next_ns(&loop.timers) <= loop.now_ns) {
            struct client *c = (struct client *)loop.timers.heap[0];
            serve(&loop, c, client_timeout(c));
        }
    }
    drop_clients(&loop, true);
    for (int i = 0; loop.gone > 0 && i < LAST_WAITS; i++)
        round_of(&loop, LAST_MS * INT64_C(1000000));
    ring_close(&loop.ring);
    client_buffers_free(&loop.buffers);
    free(loop.timers.heap);
}
