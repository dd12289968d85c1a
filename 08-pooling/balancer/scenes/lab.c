// lab.c: see lab.h. Read run_client() first.
#include "lab.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "net.h"
#include "spawn.h"

#define WORDS_MAX 60
#define REQUESTS  20000 // of one load
#define WAIT_MS   20000 // for an answer
#define AWAIT_MS  20000
#define BACKEND   "./backend --quiet "
#define BALANCER  "./balancer --quiet --port 0 "

// ---- programs ------------------------------------------------------------------------------

// Starts a program from its command line.
static int start(pid_t *pid, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int start(pid_t *pid, const char *format, ...)
{
    char line[LAB_OPTIONS * 2];
    const char *words[WORDS_MAX + 1];
    int count = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *rest = line;
    for (char *word; count < WORDS_MAX && (word = strtok_r(rest, " ", &rest));)
        words[count++] = word;
    words[count] = NULL;
    int port = spawn_server(pid, words);
    if (!port)
        die("%s does not start", words[0]);
    return port;
}

int lab_backend(struct lab *lab, const char *options)
{
    int i = lab->count++;
    lab->ports[i] = start(&lab->backends[i], BACKEND "--port 0 --name %c %s", 'a' + i, options);
    return i;
}

void lab_restart(struct lab *lab, int backend, const char *options)
{
    start(&lab->backends[backend], BACKEND "--port %d --name %c %s", lab->ports[backend],
          'a' + backend, options);
}

int lab_start_balancer(pid_t *pid, const char *options)
{
    return start(pid, BALANCER "%s", options);
}

void lab_balancer(struct lab *lab, const char *options, const int *weights)
{
    char text[LAB_OPTIONS];
    int length = snprintf(text, sizeof text, "%s", options);
    for (int i = 0; i < lab->count; i++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length, " --backend 127.0.0.1:%d,%d",
                     lab->ports[i], weights ? weights[i] : 1);
    lab->port = lab_start_balancer(&lab->balancer, text);
}

void lab_kill(struct lab *lab, int backend)
{
    kill(lab->backends[backend], SIGKILL);
    spawn_wait(lab->backends[backend]);
    lab->backends[backend] = 0;
}

void lab_end(struct lab *lab)
{
    if (lab->balancer > 0)
        spawn_stop(lab->balancer);
    for (int i = 0; i < lab->count; i++) {
        if (lab->backends[i] <= 0)
            continue;
        kill(lab->backends[i], SIGCONT); // a scene may have stopped it
        spawn_stop(lab->backends[i]);
    }
    *lab = (struct lab){.count = 0};
}

// ---- the balancer's own page ---------------------------------------------------------------

static void open_or_die(struct fetch *f, int port)
{
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    fetch_or_die(f, fetch_open(f, &address, 0));
}

void lab_change(const struct lab *lab, const char *format, ...)
{
    static struct fetch f;
    char change[100], target[120];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(change, sizeof change, format, arguments);
    va_end(arguments);
    snprintf(target, sizeof target, "/balancer?%s", change);
    open_or_die(&f, lab->port);
    fetch_or_die(&f, fetch_ask(&f, "PUT", target, "", NULL));
    if (f.head.status != 200)
        die("the balancer refuses %s: %d", target, f.head.status);
    fetch_close(&f);
}

// The part of the page, as JSON, that is about this backend.
static const char *read_page(const struct lab *lab, int backend, char page[FETCH_BYTES])
{
    static struct fetch f;
    char name[40];
    open_or_die(&f, lab->port);
    fetch_or_die(&f, fetch_ask(&f, "GET", "/balancer?format=json", "", NULL));
    snprintf(page, FETCH_BYTES, "%.*s", (int)f.content.length, f.content.at);
    fetch_close(&f);
    snprintf(name, sizeof name, "127.0.0.1:%d", lab->ports[backend]);
    const char *at = strstr(page, name);
    if (!at)
        die("the balancer does not know %s", name);
    return at;
}

double lab_figure(const struct lab *lab, int backend, const char *name)
{
    char page[FETCH_BYTES], key[40];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(read_page(lab, backend, page), key);
    if (!at)
        die("the balancer's page has no %s", name);
    return strtod(at + strlen(key), NULL);
}

void lab_await(const struct lab *lab, int backend, const char *state)
{
    char page[FETCH_BYTES], key[40];
    int64_t until_ns = now_ns() + AWAIT_MS * INT64_C(1000000);
    snprintf(key, sizeof key, "\"state\":\"%s\"", state);
    for (;;) {
        const char *at = read_page(lab, backend, page), *end = strchr(at, '}');
        const char *found = strstr(at, key);
        if (found && found < end)
            return;
        if (now_ns() > until_ns)
            die("the balancer does not find backend %c %s", 'a' + backend, state);
        sleep_ms(5);
    }
}

// ---- clients -------------------------------------------------------------------------------

int lab_who(const struct fetch *f)
{
    struct http_text name = http_field(&f->head, "x-backend");
    if (name.length != 1 || *name.at < 'a' || *name.at >= 'a' + LAB_BACKENDS)
        return -1;
    return *name.at - 'a';
}

struct worker {
    const struct load *load;
    pthread_t thread;
    struct outcome outcome;
    char fields[400];
    int last; // which backend has answered before
    struct fetch f;
};

static atomic_int taken, answered; // requests of the present load
static double times_ms[REQUESTS];

static void keep_cookie(struct worker *w)
{
    struct http_text cookie = http_field(&w->f.head, "set-cookie");
    const char *end = cookie.at ? memchr(cookie.at, ';', cookie.length) : NULL;
    if (w->load->cookies && end)
        snprintf(w->fields, sizeof w->fields, "Cookie: %.*s\r\n", (int)(end - cookie.at),
                 cookie.at);
}

static void count(struct worker *w, enum fetch_result result)
{
    int who = -1;
    if (result == FETCH_OK && w->f.head.status < 500)
        who = lab_who(&w->f);
    w->outcome.connection_errors += result != FETCH_OK;
    w->outcome.errors += who < 0;
    if (who < 0)
        return;
    w->outcome.answers[who]++;
    w->outcome.moved += w->last >= 0 && w->last != who;
    w->last = who;
    keep_cookie(w);
}

static void *run_client(void *argument)
{
    struct worker *w = argument;
    const struct load *load = w->load;
    struct sockaddr_storage address;
    net_address("127.0.0.1", load->port, SOCK_STREAM, &address);
    w->f.fd = -1;
    for (int i; (i = taken++) < load->requests;) {
        int64_t began = now_ns(), deadline = began + WAIT_MS * INT64_C(1000000);
        enum fetch_result result = FETCH_OK;
        if (w->f.fd < 0)
            result = fetch_open(&w->f, &address, deadline);
        w->f.deadline_ns = deadline;
        if (result == FETCH_OK)
            result = fetch_ask(&w->f, load->method ? load->method : "GET",
                               load->paths ? load->paths[i % load->path_count] : "/", w->fields,
                               NULL);
        times_ms[i] = ms_since(began);
        count(w, result);
        if (result != FETCH_OK || load->new_connections || !w->f.head.keep_alive)
            fetch_close(&w->f);
        if (++answered == load->requests / 2 && load->at_half)
            load->at_half();
    }
    fetch_close(&w->f);
    return NULL;
}

struct outcome lab_load(const struct load *load)
{
    struct outcome all = {.errors = 0};
    struct worker *workers = calloc((size_t)load->clients, sizeof *workers);
    int64_t began = now_ns();
    if (!workers || load->requests > REQUESTS || load->clients > LAB_CLIENTS)
        die("too many clients or requests");
    taken = answered = 0;
    for (int i = 0; i < load->clients; i++) {
        workers[i].load = load;
        workers[i].last = -1;
        snprintf(workers[i].fields, sizeof workers[i].fields, "%s",
                 load->fields ? load->fields : "");
        if (pthread_create(&workers[i].thread, NULL, run_client, &workers[i]))
            die("cannot start a thread");
    }
    for (int i = 0; i < load->clients; i++) {
        const struct outcome *one = &workers[i].outcome;
        pthread_join(workers[i].thread, NULL);
        for (int b = 0; b < LAB_BACKENDS; b++)
            all.answers[b] += one->answers[b];
        all.errors += one->errors;
        all.connection_errors += one->connection_errors;
        all.moved += one->moved;
    }
    free(workers);
    all.total_ms = ms_since(began);
    all.median_ms = median_of(times_ms, (size_t)load->requests); // sorts them
    all.p99_ms = times_ms[load->requests * 99 / 100];
    return all;
}
