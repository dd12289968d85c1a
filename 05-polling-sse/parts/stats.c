// stats.c: see stats.h.
#include "stats.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "subscriber.h"

static const char *const names[TECHNIQUES] = {"other", "poll", "wait", "sse", "websocket"};

// Writes a text, and a number behind it.
static void put(struct http_out *out, const char *text, uint64_t number)
{
    http_put_text(out, text);
    http_put_number(out, number, 10);
}

// Bytes of memory that this process uses.
static uint64_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void put_technique(struct http_out *out, const struct service *service, int technique)
{
    const struct traffic *traffic = &service->traffic[technique];
    uint64_t queue = 0;
    for (const struct connection *c = service->subscribers; c; c = c->next)
        if (c->technique == technique && subscriber_queue(c) > queue)
            queue = subscriber_queue(c);
    http_put_text(out, ",\n  \"");
    http_put_text(out, names[technique]);
    put(out, "\": {\"clients\": ", (uint64_t)traffic->clients);
    put(out, ", \"requests\": ", traffic->requests);
    put(out, ", \"events\": ", traffic->events);
    put(out, ", \"bytes_in\": ", traffic->bytes_in);
    put(out, ", \"bytes_out\": ", traffic->bytes_out);
    put(out, ", \"longest_queue\": ", queue);
    http_put_text(out, "}");
}

void answer_stats(struct connection *c, const struct http_request *request)
{
    const struct service *service = c->service;
    char text[ANSWER_ROOM / 2];
    struct http_out out = {text, sizeof text, 0, false};
    (void)request;
    put(&out, "{\n  \"first\": ", service->news.first);
    put(&out, ", \"newest\": ", service->news.newest);
    put(&out, ", \"oldest\": ", service->news.oldest);
    put(&out, ", \"ring_bytes\": ", service->news.bytes);
    for (int technique = 0; technique < TECHNIQUES; technique++)
        put_technique(&out, service, technique);
    put(&out, ",\n  \"dropped\": {\"slow\": ", service->dropped_slow);
    put(&out, ", \"stalled\": ", service->dropped_stalled);
    put(&out, ", \"silent\": ", service->dropped_silent);
    put(&out, "},\n  \"users\": ", service->users);
    put(&out, ", \"cpu_us\": ", cpu_us());
    put(&out, ", \"resident_bytes\": ", resident_bytes());
    http_put_text(&out, "\n}\n");
    connection_answer(c, 200, "application/json", (struct http_text){text, out.length},
                      NO_STORE);
}
