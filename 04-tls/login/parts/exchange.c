// exchange.c: see exchange.h.
#include "exchange.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "log.h"

#define IDLE_MS 60000 // a connection without a request is closed after this time

static struct sessions *sessions; // NULL: they are in a store
static struct remote remote;
static long questions; // to a store
static int waiting;    // exchanges that wait for a job

// ---- in the threads ------------------------------------------------------------------------

static void check_passwords(struct job *list)
{
    struct exchange *x = (struct exchange *)list;
    x->role = password_check(x->user, x->password);
    OPENSSL_cleanse(x->password, sizeof x->password);
}

static void ask_store(struct job *list)
{
    struct remote_question all[QUESTIONS_MAX];
    int count = 0;
    for (; list; list = list->next) {
        struct exchange *x = (struct exchange *)list;
        all[count++] = (struct remote_question){&x->question, &x->reply};
    }
    remote_ask(&remote, all, count);
}

static struct jobs password_jobs = {
    .work = check_passwords, .threads = PASSWORD_THREADS, .max = PASSWORDS_MAX};
static struct jobs store_jobs = {
    .work = ask_store, .threads = 1, .max = QUESTIONS_MAX, .all = true};

// ---- in the loop's thread ------------------------------------------------------------------

int exchange_begin(const struct settings *settings)
{
    remote = settings->remote;
    if (remote.host)
        jobs_begin(&store_jobs);
    else
        sessions = sessions_open(settings->store, time(NULL));
    jobs_begin(&password_jobs);
    return jobs_socket();
}

void exchange_end(void)
{
    jobs_end(&password_jobs);
    if (remote.host)
        jobs_end(&store_jobs);
    exchange_take_done();
    if (remote.host)
        remote_close(&remote);
    else
        sessions_close(sessions);
}

bool exchange_open(struct connection *c)
{
    if (!c->exchange)
        c->exchange = calloc(1, sizeof *c->exchange);
    return c->exchange;
}

static void free_exchange(struct exchange *x)
{
    OPENSSL_cleanse(x, sizeof *x);
    free(x);
}

void exchange_close(struct connection *c)
{
    if (c->exchange && c->exchange->waiting)
        c->exchange->job.owner = NULL; // exchange_take_done() frees it
    else if (c->exchange)
        free_exchange(c->exchange);
    c->exchange = NULL;
}

int exchange_take_done(void)
{
    struct job *next;
    for (struct job *job = jobs_take_done(); job; job = next) {
        struct exchange *x = (struct exchange *)job;
        next = job->next;
        waiting--;
        x->waiting = false;
        if (job->owner)
            conn_wake(job->owner);
        else
            free_exchange(x);
    }
    return waiting;
}

// Meanwhile nothing more is read from this client.
static bool wait_for(struct connection *c, struct jobs *jobs, void (*next)(struct connection *))
{
    struct exchange *x = c->exchange;
    x->job.owner = &c->tls.conn;
    x->next = next;
    if (!jobs_add(jobs, &x->job))
        return false;
    x->waiting = true;
    waiting++;
    c->tls.paused = c->tls.conn.paused = true;
    conn_deadline(&c->tls.conn, NEVER);
    return true;
}

bool exchange_check_password(struct connection *c, void (*next)(struct connection *))
{
    return wait_for(c, &password_jobs, next);
}

bool exchange_ask_sessions(struct connection *c, void (*next)(struct connection *))
{
    struct exchange *x = c->exchange;
    if (!remote.host) {
        sessions_do(sessions, &x->question, &x->reply, time(NULL));
        next(c);
        return true;
    }
    enum session_operation operation = x->question.operation;
    questions += operation == SESSION_GET || operation == SESSION_ROTATE;
    return wait_for(c, &store_jobs, next);
}

void exchange_count(int *count, long *lookups)
{
    *count = 0;
    *lookups = questions;
    if (sessions) {
        *count = sessions_count(sessions);
        *lookups = sessions_lookups(sessions);
    }
}

void exchange_answer(struct connection *c, int status, const char *type, const char *fields,
                     const char *content)
{
    char bytes[CONTENT_BYTES + 1024];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    log_line("%s: %d", c->line, status);
    http_server_answer(&c->http, &out, status, type, fields,
                       (struct http_text){content, strlen(content)});
    tls_write(&c->tls, bytes, out.length);
    bool more = c->http.keep_alive && !c->tls.conn.told_to_stop;
    http_server_done(&c->http);
    c->tls.paused = c->tls.conn.paused = false;
    conn_deadline(&c->tls.conn, IDLE_MS);
    OPENSSL_cleanse(bytes, sizeof bytes); // it may have had a token
    if (!more)
        tls_close(&c->tls);
}

void exchange_answer_json(struct connection *c, int status, const char *fields,
                          const char *format, ...)
{
    char content[CONTENT_BYTES], all[FIELDS_BYTES + 100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(content, sizeof content, format, arguments);
    va_end(arguments);
    snprintf(all, sizeof all,
             "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s", fields);
    exchange_answer(c, status, "application/json", all, content);
    OPENSSL_cleanse(content, sizeof content);
}
