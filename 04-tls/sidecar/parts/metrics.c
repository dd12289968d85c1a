// metrics.c: what the sidecar counts of each request, without the app: how many, how they
// ended, how long they took. Prometheus reads it as text: GET /metrics on the admin port. Read
// metrics_request() first, then write_requests(); see sidecar.h.
#include "sidecar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "measure.h"

#define ROWS_MAX 64 // of one direction and one other end; those beyond share the last one
#define CODES    6  // "gone", 1xx (never), 2xx, 3xx, 4xx, 5xx

// Upper ends of the histogram's buckets, in seconds.
static const double buckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                 0.1,    0.25,  0.5,    1,     2.5,  5,     10};
#define BUCKETS (int)(sizeof buckets / sizeof *buckets)

static struct row {
    const char *direction;
    char peer[LINK_PEER]; // the client of these requests, or the service that they are for
    unsigned long long codes[CODES], in_bucket[BUCKETS + 1], limited;
    unsigned long long retries[RETRY_NO_INSTANCE + 1];
    double seconds;
} rows[ROWS_MAX];
static int row_count;

// The other end in a word: the service that is asked, or the last part of the asker's identity.
static const char *peer_of(const struct downstream *d)
{
    if (d->inbound && strrchr(d->link.peer, '/'))
        return strrchr(d->link.peer, '/') + 1;
    if (!d->inbound && d->service)
        return d->service->name;
    return "unknown";
}

static struct row *row_of(const struct downstream *d)
{
    const char *peer = peer_of(d), *direction = "outbound";
    if (d->inbound)
        direction = "inbound";
    for (int i = 0; i < row_count; i++)
        if (!strcmp(rows[i].direction, direction) && !strcmp(rows[i].peer, peer))
            return &rows[i];
    if (row_count == ROWS_MAX)
        return &rows[ROWS_MAX - 1];
    struct row *row = &rows[row_count++];
    row->direction = direction;
    if (row_count == ROWS_MAX)
        peer = "others";
    snprintf(row->peer, sizeof row->peer, "%s", peer);
    return row;
}

void metrics_request(const struct downstream *d, int64_t took_ns)
{
    struct row *row = row_of(d);
    double seconds = (double)took_ns / 1e9;
    int code = d->status / 100, bucket = 0;
    if (code >= CODES)
        code = CODES - 1;
    while (bucket < BUCKETS && seconds > buckets[bucket])
        bucket++;
    row->codes[code]++;
    row->in_bucket[bucket]++;
    row->seconds += seconds;
}

void metrics_limited(const struct downstream *d)
{
    row_of(d)->limited++;
}

void metrics_retry(const struct downstream *d, enum retry_verdict verdict)
{
    row_of(d)->retries[verdict]++;
}

// ---- the text ------------------------------------------------------------------------------

static struct buffer *to;
static bool good;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    char line[600];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    good = good && length < (int)sizeof line && buffer_put(to, line, (size_t)length);
}

static void head(const char *name, const char *type, const char *help)
{
    put("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_requests(void)
{
    static const char *const codes[CODES] = {"gone", "1xx", "2xx", "3xx", "4xx", "5xx"};
    head("sidecar_requests_total", "counter",
         "Requests that have ended, by the answer's class.");
    for (const struct row *row = rows; row < rows + row_count; row++)
        for (int code = 0; code < CODES; code++)
            if (row->codes[code])
                put("sidecar_requests_total{direction=\"%s\",peer=\"%s\",code=\"%s\"} %llu\n",
                    row->direction, row->peer, codes[code], row->codes[code]);
    head("sidecar_request_duration_seconds", "histogram",
         "Time from a request's head to its answer's end.");
    for (const struct row *row = rows; row < rows + row_count; row++) {
        unsigned long long sum = 0;
        char labels[200];
        snprintf(labels, sizeof labels, "direction=\"%s\",peer=\"%s\"", row->direction,
                 row->peer);
        for (int bucket = 0; bucket < BUCKETS; bucket++) {
            sum += row->in_bucket[bucket];
            put("sidecar_request_duration_seconds_bucket{%s,le=\"%g\"} %llu\n", labels,
                buckets[bucket], sum);
        }
        sum += row->in_bucket[BUCKETS];
        put("sidecar_request_duration_seconds_bucket{%s,le=\"+Inf\"} %llu\n"
            "sidecar_request_duration_seconds_sum{%s} %.6f\n"
            "sidecar_request_duration_seconds_count{%s} %llu\n",
            labels, sum, labels, row->seconds, labels, sum);
    }
}

static void write_retries(void)
{
    static const char *const verdicts[] = {"sent",     "no_failure_for_it", "unsafe",
                                           "no_tries", "no_budget",         "no_instance"};
    head("sidecar_retries_total", "counter", "Tries that failed: sent again, or why not.");
    for (const struct row *row = rows; row < rows + row_count; row++)
        for (int verdict = 0; verdict <= RETRY_NO_INSTANCE; verdict++)
            if (row->retries[verdict])
                put("sidecar_retries_total{peer=\"%s\",verdict=\"%s\"} %llu\n", row->peer,
                    verdicts[verdict], row->retries[verdict]);
    head("sidecar_rate_limited_total", "counter", "Requests that were answered 429.");
    for (const struct row *row = rows; row < rows + row_count; row++)
        if (row->limited)
            put("sidecar_rate_limited_total{peer=\"%s\"} %llu\n", row->peer, row->limited);
}

static void write_endpoints(void)
{
    static const struct {
        const char *name, *type, *help;
    } metrics[] = {
        {"sidecar_breaker_open", "gauge", "1 while an instance gets no requests."},
        {"sidecar_breaker_opened_total", "counter", "How often a breaker has opened."},
        {"sidecar_upstream_connections", "gauge", "Open connections to an instance."}};
    for (int i = 0; i < 3; i++) {
        head(metrics[i].name, metrics[i].type, metrics[i].help);
        for (const struct endpoint *e = endpoints; e < endpoints + ENDPOINTS_MAX; e++) {
            long values[] = {e->breaker.state != BREAKER_CLOSED, e->breaker.opened, e->links};
            if (e->service && !e->gone)
                put("%s{service=\"%s\",instance=\"%s\"} %ld\n", metrics[i].name,
                    e->service->name, e->name, values[i]);
        }
    }
}

static void write_process(void)
{
    head("sidecar_handshakes_total", "counter", "TLS handshakes, by direction and result.");
    put("sidecar_handshakes_total{direction=\"inbound\",result=\"done\"} %ld\n"
        "sidecar_handshakes_total{direction=\"inbound\",result=\"refused\"} %ld\n"
        "sidecar_handshakes_total{direction=\"outbound\",result=\"done\"} %ld\n"
        "sidecar_handshakes_total{direction=\"outbound\",result=\"refused\"} %ld\n",
        identity_inbound.handshakes, identity_inbound.refused, identity_outbound.handshakes,
        identity_outbound.refused);
    head("sidecar_certificate_expiry_timestamp_seconds", "gauge",
         "When this sidecar's certificate ends.");
    put("sidecar_certificate_expiry_timestamp_seconds %ld\n", identity_ends());
    head("sidecar_requests_under_way", "gauge", "Requests without the end of their answer.");
    put("sidecar_requests_under_way %d\n", state.under_way);
    head("process_resident_memory_bytes", "gauge", "Resident memory of the sidecar.");
    put("process_resident_memory_bytes %ld\n",
        number_in_file("/proc/self/status", "VmRSS:", "") * 1024);
    head("process_cpu_seconds_total", "counter", "CPU time of the sidecar.");
    put("process_cpu_seconds_total %.3f\n", cpu_ms() / 1e3);
}

bool metrics_write(struct buffer *out)
{
    to = out;
    good = true;
    write_requests();
    write_retries();
    write_endpoints();
    write_process();
    return good;
}
