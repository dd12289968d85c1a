// model_pool.c: a loop in front, N workers behind, a bounded queue between them: RAMCloud,
// Java's executors. The loop accepts, watches all connections, reads and parses requests, and
// puts each into the queue. The next worker that is free takes the request and runs the
// handler: requests are balanced one by one, not connections. When the queue is full, the
// client is told so at once: 503.
//
//     loop    received(), enqueue()  parses a request, puts a job into `waiting`
//     loop    round_ends()           wakes a worker, once for all requests of a round
//     worker  work()                 takes the job, calls handle(), puts the job into `done`
//     loop    take_back()            takes the job from `done`, wakes its connection
//     loop    woken(), put_answer()  writes the answer, which the loop then sends
//
// The loop is ../common/loop.c with conn.c, which accepts, reads and sends; its functions are
// named conn_*() and explained in loop.h. Only the loop touches connections. A worker has only
// the job, which may outlive the connection: a client can go away while a worker is busy with
// its request.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler.h"
#include "loop.h"
#include "model.h"
#include "net.h"
#include "queue.h"

#define REFUSED_MAX 256 // connections over the limit, while they read their 503

struct client {
    struct conn conn;        // what the loop keeps. The first member, so it can be cast
    struct job *job;         // its request, until the answer is written; NULL: none
    bool is_notifier;        // not a client but notify_fds[0]: see below
    struct http_server http; // what is known of its request
    bool refused;            // the connection is one more than --connections allows
};

struct job {
    struct client *client; // NULL: the client has gone. Only the loop uses this
    struct request request;
    int status; // of the answer
    const char *text;
    size_t length;
    char *copy;       // of the text, if the text was on the worker's stack
    bool finished;    // the loop has taken the job back
    atomic_bool gone; // the client has gone: for the worker, see --look
    struct job *next; // in the list free_jobs
};

static struct workers *all;   // the server's
static struct queue waiting;  // jobs for the workers: the bounded queue
static struct queue done;     // jobs with an answer, for the loop
static struct job *free_jobs; // used again, so most requests need no malloc()
static int jobs_under_way;    // jobs that the loop has not taken back yet

// The loop sleeps in epoll_wait(), which cannot watch a queue. So a worker that puts a job into
// the empty queue `done` sends a byte to notify_fds[1]. For the loop notify_fds[0] is one more
// connection: the byte can be read from it, and received() is called.
static int notify_fds[2];
static bool notify_is_open;

// ---- a worker ------------------------------------------------------------------------------

// Copies what the loop needs of the answer, which lies on the worker's stack.
static void keep_answer(struct job *job, const struct answer *answer)
{
    job->status = answer->status;
    job->text = answer->text;
    job->length = answer->length;
    if (answer->text != answer->line) // a string constant
        return;
    job->copy = malloc(answer->length);
    if (job->copy)
        memcpy(job->copy, answer->text, answer->length);
    else
        job->length = 0;
    job->text = job->copy;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct job *job;
    struct answer answer;
    while ((job = queue_take(&waiting))) {
        bool first;
        worker->client_gone = &job->gone;
        handle(&job->request, worker, -1, &answer);
        answer_wait(&answer); // this worker does nothing else meanwhile
        keep_answer(job, &answer);
        queue_put(&done, job, &first); // `done` has room for a job of every connection
        if (first && send(notify_fds[1], "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
            errno != EAGAIN)
            die("cannot notify the loop: %s", strerror(errno));
    }
    workers_thread_ends(worker->all);
    return NULL;
}

// ---- the loop ------------------------------------------------------------------------------

static void put_answer(struct client *client, const struct answer *answer)
{
    struct conn *conn = &client->conn;
    struct http_out out = {conn_space(conn), conn_room(conn), 0, false};
    if (atomic_load(&all->stopping))
        client->http.keep_alive = false;
    answer_put(&client->http, &out, answer);
    conn_wrote(conn, out.length);
    if (!client->http.keep_alive)
        conn_close(conn);
}

static struct job *new_job(void)
{
    struct job *job = free_jobs;
    if (job)
        free_jobs = job->next;
    else
        job = malloc(sizeof *job);
    if (job) {
        job->copy = NULL;
        job->finished = false;
        atomic_store(&job->gone, false);
    }
    return job;
}

static void free_job(struct job *job)
{
    free(job->copy);
    job->next = free_jobs;
    free_jobs = job;
}

// Puts the request into the queue for the workers, or answers 503 if the queue is full. Until
// the answer is written, nothing is read from this client (paused).
static void enqueue(struct client *client, const struct request *request)
{
    bool first;
    struct job *job = new_job();
    if (job) {
        job->client = client;
        job->request = *request;
    }
    // Each job under way needs a place in `done` later, even if its client has gone by then.
    bool room = (unsigned)jobs_under_way < done.size;
    if (job && room && queue_put(&waiting, job, &first)) {
        jobs_under_way++;
        client->job = job;
        client->conn.paused = true;
        conn_deadline(&client->conn, NEVER);
        return;
    }
    if (job)
        free_job(job);
    atomic_fetch_add(&all->refused, 1);
    put_answer(client, &answer_busy);
}

// Takes back the jobs that the workers have finished. conn_wake() has the loop call woken() for
// the client of each, still in this round.
static void take_back(void)
{
    struct job *job;
    while ((job = queue_try(&done))) {
        jobs_under_way--;
        job->finished = true;
        if (job->client)
            conn_wake(&job->client->conn);
        else
            free_job(job);
    }
    if (jobs_under_way == 0 && atomic_load(&all->stopping))
        shutdown(notify_fds[1], SHUT_WR); // the loop closes notify_fds[0] then
}

static void opened(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    client->is_notifier = conn->fd == notify_fds[0];
    if (client->is_notifier)
        return;
    if (!workers_admit(all)) {
        client->refused = true;
        workers_release(all); // a refused connection counts as open no longer
        atomic_fetch_add(&all->refused, 1);
        put_answer(client, &answer_busy);
    }
    conn_deadline(conn, all->settings.idle_ms);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct client *client = (struct client *)conn;
    struct request request;
    size_t used = 0, part = 1;
    bool began = client->http.began;
    if (client->is_notifier) {
        take_back();
        return length;
    }
    if (atomic_load(&all->stopping))
        conn_close(conn);
    while (!conn->paused && !conn->closing && conn_room(conn) >= ANSWER_ROOM &&
           (part = request_read(&client->http, bytes + used, length - used, &request)) > 0) {
        used += part;
        enqueue(client, &request);
    }
    if (client->http.began && !began)
        conn_deadline(conn, all->settings.head_ms); // for all of it, however slowly it comes
    else if (!client->http.began && !client->job)
        conn_deadline(conn, all->settings.idle_ms);
    return used;
}

// A worker has finished the client's job: writes the answer.
static void woken(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    struct job *job = client->job;
    struct answer answer;
    answer.status = job->status;
    answer.text = job->text;
    answer.length = job->length;
    client->job = NULL;
    conn->paused = false;
    put_answer(client, &answer);
    free_job(job);
    conn_deadline(conn, all->settings.idle_ms);
}

// All requests that came in this round are in the queue: now a worker is woken for them.
static bool round_ends(void)
{
    queue_wake(&waiting);
    return false; // the loop may sleep
}

// The client was too slow.
static void timeout(struct conn *conn)
{
    static const struct answer late = {
        .status = 408, .text = "Request Timeout\n", .length = 16};
    struct client *client = (struct client *)conn;
    if (client->http.began) {
        client->http = (struct http_server){.keep_alive = false};
        put_answer(client, &late);
    } else {
        conn_close(conn);
    }
}

static void stop(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    if (!atomic_load(&all->stopping))
        workers_stop(all);
    if (client->is_notifier)
        take_back();
    else if (!client->job)
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    if (client->job && client->job->finished)
        free_job(client->job);
    else if (client->job) { // a worker still has the job, or will have it
        client->job->client = NULL;
        atomic_store(&client->job->gone, true);
    }
    if (!client->is_notifier && !client->refused)
        workers_release(all);
}

// The loop calls this when a client has connected. The first call returns notify_fds[0], so the
// loop watches that before any worker can have a job; the client is taken by the next call.
static int accept_client(int listener)
{
    if (!notify_is_open) {
        notify_is_open = true;
        return notify_fds[0];
    }
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void run_pool(struct workers *workers, int listener, int stop_fd)
{
    int connections_max = workers->settings.connections + REFUSED_MAX;
    const struct loop_server server = {.conn_bytes = sizeof(struct client),
                                       .conns_max = connections_max + 1,
                                       .accept = accept_client,
                                       .opened = opened,
                                       .received = received,
                                       .woken = woken,
                                       .round = round_ends,
                                       .timeout = timeout,
                                       .stop = stop,
                                       .closed = closed};
    all = workers;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, notify_fds) ||
        !queue_open(&waiting, workers->settings.queue, workers->count) ||
        !queue_open(&done, connections_max, 0))
        die("cannot set up a pool: %s", strerror(errno));
    for (int i = 0; i < workers->count; i++)
        if (workers_start_thread(workers, work, &workers->worker[i]))
            die("cannot start worker %d", i);
    loop_serve(listener, stop_fd, &server);
    queue_close(&waiting);
    if (jobs_under_way > 0 || !workers_wait(workers, stop_fd))
        return; // the end of the program ends the workers that are still busy
    queue_free(&waiting);
    queue_free(&done);
    while (free_jobs)
        free(new_job());
    if (!notify_is_open)
        close(notify_fds[0]);
    close(notify_fds[1]);
}
