// model_pool.c: a loop in front, N workers behind, a bounded queue between them: RAMCloud,
// Java's executors. The loop accepts, watches all connections, reads and parses requests, and
// puts each into the queue. The next worker that is free takes it and runs the handler. So it
// is work that is balanced, request by request. When the queue is full, the client is told so
// at once: 503.
//
//     loop: received() ──▶ queue `waiting` ──▶ worker: work() ──▶ queue `done` ──▶ loop:
//     answer()
//
// Only the loop touches connections. A worker has the job, which outlives the connection: a
// client may go away while a worker is busy with its request.
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
    struct conn conn;        // of the loop. The first member: a conn of the loop is a client
    struct job *job;         // its request, while a worker has it; NULL: none
    bool is_bell;            // it is no client: see below
    struct http_server http; // what is known of its request
    bool refused;            // the connection is one more than --connections allows
};

struct job {
    struct client *client; // NULL: it has gone. Only the loop looks at this
    struct request request;
    int status; // of the answer
    const char *text;
    size_t length;
    char *copy;       // of the text, if that was in the worker's memory
    bool finished;    // the loop has it back
    struct job *next; // in the list of jobs that are free
};

static struct workers *all;
static struct queue waiting;  // jobs for the workers: the bounded queue
static struct queue done;     // jobs with an answer, for the loop
static struct job *free_jobs; // so that a request as a rule needs no malloc()
static int jobs_under_way;

// A worker rings when it puts a job into the empty queue `done`: it writes a byte to bell[1].
// To the loop bell[0] is one more connection, from which bytes come.
static int bell[2];
static bool bell_is_open;

// ---- a worker ------------------------------------------------------------------------------

static void keep_answer(struct job *job, const struct answer *answer)
{
    job->status = answer->status;
    job->text = answer->text;
    job->length = answer->length;
    if (answer->text != answer->line) // a text that never changes
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
        handle(&job->request, worker, &answer);
        if (answer.wait_ms)
            sleep_ms(answer.wait_ms); // this worker does nothing else meanwhile
        keep_answer(job, &answer);
        queue_put(&done, job, &first); // there is room for all
        if (first && send(bell[1], "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            die("cannot ring the bell: %s", strerror(errno));
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
    }
    return job;
}

static void free_job(struct job *job)
{
    free(job->copy);
    job->next = free_jobs;
    free_jobs = job;
}

// Gives the request to the workers, if there is room in the queue. Until its answer is there,
// the client is not read from.
static void enqueue(struct client *client, const struct request *request)
{
    bool first;
    struct job *job = new_job();
    if (job) {
        job->client = client;
        job->request = *request;
    }
    if (job && queue_put(&waiting, job, &first)) {
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

// Takes the jobs back that the workers are done with. Their clients have their turn next: the
// loop calls woken() for them.
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
        shutdown(bell[1], SHUT_WR); // the bell will not ring again
}

static void opened(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    client->is_bell = conn->fd == bell[0];
    if (client->is_bell)
        return;
    if (!workers_admit(all)) {
        client->refused = true;
        workers_release(all); // it takes no room that other clients could have
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
    if (client->is_bell) {
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

// A worker has finished the client's job.
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
    if (client->is_bell)
        take_back();
    else if (!client->job)
        conn_close(conn);
}

static void closed(struct conn *conn)
{
    struct client *client = (struct client *)conn;
    if (client->job && client->job->finished)
        free_job(client->job);
    else if (client->job)
        client->job->client = NULL; // a worker still has the job, or will have it
    if (!client->is_bell && !client->refused)
        workers_release(all);
}

// The first connection of the loop is the bell.
static int accept_client(int listener)
{
    if (!bell_is_open) {
        bell_is_open = true;
        return bell[0];
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
                                       .timeout = timeout,
                                       .stop = stop,
                                       .closed = closed};
    all = workers;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, bell) ||
        !queue_open(&waiting, workers->settings.queue) || !queue_open(&done, connections_max))
        die("cannot set up a pool: %s", strerror(errno));
    for (int i = 0; i < workers->count; i++)
        if (workers_thread(workers, work, &workers->worker[i]))
            die("cannot start worker %d", i);
    loop_serve(listener, stop_fd, &server);
    queue_close(&waiting);
    if (jobs_under_way > 0 || !workers_wait(workers, stop_fd))
        return; // the end of the program ends the workers that are still busy
    queue_free(&waiting);
    queue_free(&done);
    while (free_jobs)
        free(new_job());
    if (!bell_is_open)
        close(bell[0]);
    close(bell[1]);
}
