// handler.c: see handler.h. Read handle() first.
#include "handler.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "log.h"
#include "net.h"

#define RETRY_AFTER_S "1"

static void say(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->text = text;
    answer->length = strlen(text);
}

// ---- the routes ----------------------------------------------------------------------------

static int64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

// Computes until this thread has used `ms` milliseconds of CPU time. On a busy machine more
// time than that passes.
static void burn(int ms)
{
    int64_t until_ns = cpu_ns() + ms * INT64_C(1000000);
    volatile unsigned sum = 1; // without `volatile` the compiler would leave the inner loop out
    while (cpu_ns() < until_ns)
        for (int i = 0; i < 1000; i++)
            sum = sum * 31 + 7;
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

// Workers that have served no request are not in the last line.
static void put_stats(const struct workers *workers, struct answer *answer)
{
    size_t size = sizeof answer->line;
    int length = snprintf(answer->line, size,
                          "model: %s\npid: %d\nopen: %d\nconnections: %ld\nrequests: %ld\n"
                          "refused: %ld\ncrashed: %ld\nserved:",
                          workers->model, workers->pid, atomic_load(&workers->open),
                          atomic_load(&workers->connections), workers_requests(workers),
                          atomic_load(&workers->refused), atomic_load(&workers->crashed));
    for (int i = 0; i < workers->count && (size_t)length + 30 < size; i++) {
        long served = atomic_load_explicit(&workers->worker[i].requests, memory_order_relaxed);
        if (served)
            length += snprintf(answer->line + length, 30, " %ld", served);
    }
    strcpy(answer->line + length, "\n");
    say(answer, 200, answer->line);
}

void handle(const struct request *request, struct worker *worker, struct answer *answer)
{
    answer->wait_ms = answer->write_kb = 0;
    switch (request->route) {
    case CPU:
        burn(request->ms);
        say(answer, 200, "burnt\n");
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
        put_stats(worker->all, answer);
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
