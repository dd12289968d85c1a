// handler.c: see handler.h. Read handle() first.
#include "handler.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "log.h"
#include "measure.h"
#include "net.h"

#define RETRY_AFTER_S "1"

static void say(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->text = text;
    answer->length = strlen(text);
}

// ---- the routes ----------------------------------------------------------------------------

// Computes until this thread has used a millisecond of CPU time. On a busy machine more time
// than that passes.
static void burn(void)
{
    int64_t until_ns = thread_cpu_ns() + 1000000;
    volatile unsigned sum = 1; // without `volatile` the compiler would leave the inner loop out
    while (thread_cpu_ns() < until_ns)
        for (int i = 0; i < 1000; i++)
            sum = sum * 31 + 7;
}

// With --look: true if the client has closed its connection. poll() reports a reset without
// being asked for it. POLLRDHUP: the client will send no more. That is a close(), or a
// shutdown() after which the client would still read: the server cannot tell them apart.
static bool client_has_gone(const struct worker *worker, int client_fd)
{
    struct pollfd client = {client_fd, POLLRDHUP, 0};
    if (!worker->all->settings.look)
        return false;
    if (worker->client_gone)
        return atomic_load(worker->client_gone);
    return poll(&client, 1, 0) > 0;
}

static void compute(const struct request *request, const struct worker *worker, int client_fd,
                    struct answer *answer)
{
    bool gone = false;
    for (int i = 0; i < request->ms && !gone; i++) {
        burn();
        gone = client_has_gone(worker, client_fd);
    }
    if (gone)
        say(answer, 500, "given up: the client has closed\n");
    else
        say(answer, 200, "burnt\n");
}

// Does what a bug would do. SIGSEGV ends the whole process, with all its threads.
__attribute__((no_sanitize("undefined"))) static void crash(void)
{
    volatile int *volatile nowhere = NULL; // else the compiler would leave the store out
    signal(SIGSEGV, SIG_DFL);              // a build with a sanitizer would catch the signal
    *nowhere = 1;
}

static void put_who(const struct worker *worker, struct answer *answer)
{
    snprintf(answer->line, sizeof answer->line, "model: %s\npid: %d\ntid: %d\nworker: %d\n",
             worker->all->model, getpid(), gettid(), worker->number);
    say(answer, 200, answer->line);
}

static void put_count(const struct request *request, struct answer *answer)
{
    // One function for each `how`: PLAIN, MUTEX, ATOMIC. They are in parts/counters.c.
    static unsigned long (*const count[])(int) = {count_plain, count_mutex, count_atomic};
    snprintf(answer->line, sizeof answer->line, "%lu\n", count[request->how](request->times));
    say(answer, 200, answer->line);
}

static void put_refusal(const struct request *request, struct answer *answer)
{
    const char *reason = http_reason(request->status), *why = request->why;
    if (why)
        snprintf(answer->line, sizeof answer->line, "%s: %s\n", reason, why);
    else
        snprintf(answer->line, sizeof answer->line, "%s\n", reason);
    say(answer, request->status, answer->line);
}

void handle(const struct request *request, struct worker *worker, int client_fd,
            struct answer *answer)
{
    answer->wait_ms = answer->write_kb = 0;
    switch (request->route) {
    case CPU:
        compute(request, worker, client_fd, answer);
        break;
    case IO:
        say(answer, 200, "waited\n");
        answer->wait_ms = request->ms;
        break;
    case WRITE:
        say(answer, 200, "written\n");
        answer->write_kb = request->kb;
        break;
    case CRASH:
        if (worker->all->settings.allow_crash)
            crash();
        say(answer, 403, "only with --allow-crash\n");
        break;
    case COUNT:
        put_count(request, answer);
        break;
    case WHO:
        put_who(worker, answer);
        break;
    case STATS:
        answer->text = answer->line;
        answer->status = 200;
        answer->length = workers_report(worker->all, answer->line, sizeof answer->line);
        break;
    case CHEAP:
        say(answer, 200, "cheap\n");
        break;
    case REFUSED:
        put_refusal(request, answer);
        break;
    }
    // Only this worker changes its counter, so no addition can be lost, and the slower
    // atomic_fetch_add() is not needed. /stats may read the counter in another thread
    // meanwhile.
    long served = atomic_load_explicit(&worker->requests, memory_order_relaxed);
    atomic_store_explicit(&worker->requests, served + 1, memory_order_relaxed);
    if (worker->all->settings.log)
        log_line("worker %d, %s: %d, %zu bytes", worker->number, route_path(request->route),
                 answer->status, answer->length);
}

// ---- waiting, and writing ------------------------------------------------------------------

void answer_written(struct answer *answer, bool written)
{
    if (written)
        say(answer, 200, "written\n");
    else
        say(answer, 500, "the disk does not take it\n");
}

void answer_wait(struct answer *answer)
{
    if (answer->wait_ms)
        sleep_ms(answer->wait_ms);
    if (answer->write_kb)
        answer_written(answer, disk_write(answer->write_kb));
}

void answer_put(const struct http_server *http, struct http_out *out,
                const struct answer *answer)
{
    const char *fields = "";
    if (answer->status == 405)
        fields = "Allow: GET, HEAD\r\n";
    if (answer->status == 503)
        fields = "Retry-After: " RETRY_AFTER_S "\r\n";
    http_server_answer(http, out, answer->status, "text/plain", fields,
                       (struct http_text){answer->text, answer->length});
}

const struct answer answer_busy = {.status = 503, .text = "busy\n", .length = 5};
