// tries.c: the tries of a request: which endpoint gets it, and what happens when one has
// failed. Read try_begin() first, then try_failed(). The rules are in retry.c, parts/services.c
// and breaker.c.
#include "sidecar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "measure.h"
#include "upstream.h"

void try_end(struct downstream *d)
{
    if (d->endpoint) {
        d->endpoint->active--;
        breaker_forget(&d->endpoint->breaker); // where the try has had no result
    }
    d->endpoint = NULL;
}

void try_deadline(struct downstream *d, int ms)
{
    int64_t left_ms = (d->give_up_ns - downstream_now(d)) / 1000000 + 1;
    if (left_ms > ms)
        left_ms = ms;
    if (left_ms < 0)
        left_ms = 0;
    conn_deadline(conn_of(&d->link), left_ms);
}

static struct endpoint *choose(struct downstream *d)
{
    if (d->inbound)
        return &state.app;
    struct endpoint *endpoint = services_pick(d->service, d->tried);
    if (!endpoint && d->tried) { // all were tried: again from the first one
        d->tried = 0;
        endpoint = services_pick(d->service, 0);
    }
    return endpoint;
}

void try_wait(struct downstream *d)
{
    d->stage = STAGE_ANSWER;
    if (d->in_content && !conn_of(&d->link)->paused)
        conn_deadline(conn_of(&d->link), CONTENT_MS);
    else
        try_deadline(d, settings.answer_ms);
}

void try_begin(struct downstream *d)
{
    struct endpoint *endpoint = choose(d);
    if (d->tries) {
        enum retry_verdict verdict = RETRY_YES;
        if (!endpoint)
            verdict = RETRY_NO_INSTANCE;
        metrics_retry(d, verdict);
    }
    if (!endpoint) {
        downstream_answer(d, 503, "", "no instance is left: the breaker of each is open");
        return;
    }
    d->tries++;
    d->endpoint = endpoint;
    endpoint->active++;
    if (!d->inbound)
        d->tried |= services_bit(d->service, endpoint);
    if (!upstream_take(endpoint, d)) {
        // Other errors are this machine's: no descriptor is free.
        bool theirs = errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH;
        downstream_failed(d, RETRY_NOT_DELIVERED, 503, strerror(errno));
        if (theirs && d->inbound)
            state_app(false);
        if (theirs)
            services_result(endpoint, false);
    } else if (d->up) {
        try_wait(d);
    } else {
        d->stage = STAGE_CONNECT;
        try_deadline(d, settings.connect_ms);
    }
}

static enum retry_verdict may_try_again(const struct downstream *d)
{
    struct retry_request request = {d->failure, d->tries, d->idempotent, d->kept};
    if (d->inbound)
        return RETRY_NO_FAILURE; // the one that has asked decides about another try
    enum retry_verdict verdict = retry_decide(&settings.retry, &request, &d->service->budget);
    if (verdict != RETRY_YES) // that one is counted when it is sent
        metrics_retry(d, verdict);
    return verdict;
}

// Another try sends all of the request again. No part of it may be forgotten until then, also
// if so much content comes that a third try could not have it: take_content() forgets what is
// in front of `at`.
static void fail(struct downstream *d, const char *why)
{
    d->failed = true;
    d->request.at = 0;
    snprintf(d->why, sizeof d->why, "%s", why);
    link_wake(&d->link);
}

void downstream_failed(struct downstream *d, enum retry_failure failure, int status,
                       const char *why)
{
    d->up = NULL;
    d->failure = failure;
    d->failed_status = status;
    if (!d->status) // no part of an answer has been passed on
        d->verdict = may_try_again(d);
    fail(d, why);
}

bool downstream_sends_again(struct downstream *d, enum retry_failure failure, const char *why)
{
    d->failure = failure;
    d->verdict = may_try_again(d);
    if (d->verdict != RETRY_YES)
        return false;
    fail(d, why);
    return true;
}

static void back_off(struct downstream *d)
{
    static uint64_t random;
    if (!random)
        random = (uint64_t)now_ns();
    int ms = retry_backoff_ms(&settings.retry, d->tries, random_next(&random));
    log_line("%s %s: %s; again in %d ms", d->service->name, d->line, d->why, ms);
    d->stage = STAGE_BACKOFF;
    try_deadline(d, ms);
}

void try_failed(struct downstream *d)
{
    d->failed = false;
    try_end(d);
    if (d->status) { // a part of the answer has been passed on
        log_line("%s: the answer is cut: %s", d->line, d->why);
        d->cut = d->answered = true;
        return;
    }
    if (d->verdict == RETRY_YES) {
        back_off(d);
        return;
    }
    const char *fields = "";
    char why[LINK_WHY_BYTES];
    snprintf(why, sizeof why, "%s", d->why);
    if (d->inbound && d->failure == RETRY_NOT_DELIVERED)
        fields = HOP_FAILED ": " NOT_DELIVERED "\r\n";
    else if (d->inbound && d->failure == RETRY_BROKEN)
        fields = HOP_FAILED ": " PERHAPS_DELIVERED "\r\n";
    else if (!d->inbound)
        snprintf(why, sizeof why, "%.100s; %s", d->why, retry_words[d->verdict]);
    downstream_answer(d, d->failed_status, fields, why);
}

void try_give_up(struct downstream *d)
{
    char why[LINK_WHY_BYTES];
    enum retry_failure failure = RETRY_TIMED_OUT;
    const char *what = "answer";
    if (d->stage == STAGE_CONNECT) {
        what = "connection";
        failure = RETRY_NOT_DELIVERED;
    }
    if (downstream_now(d) >= d->give_up_ns) // there is no time for another try
        failure = RETRY_TIMED_OUT;
    snprintf(why, sizeof why, "%s: no %s in time", d->endpoint->name, what);
    services_result(d->endpoint, false);
    upstream_give_up(d);
    downstream_failed(d, failure, 504, why);
}
