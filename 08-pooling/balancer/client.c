// client.c: sends requests to the balancer, and counts which backend has answered each.
//
// Run:    ./client                       100 requests on one connection
//         ./client --new                 each on a connection of its own
//         ./client --method POST /pay    what may not be repeated
//         ./client --cookies             keeps the balancer's cookie
// Watch:  the bars. At layer 4 all requests of one connection go to the same backend.
//
// Read main() from top to bottom.
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "text.h"

#define NAMES_MAX 40
#define BAR       40 // columns of the longest bar

static const char *host = "127.0.0.1", *method = "GET";
static int port = 8108, count = 100, wait_ms = 10000;
static bool each_new, cookies;

// Who has answered, or what went wrong, and how often.
static struct {
    char name[FETCH_WHY_BYTES];
    int count;
} tally[NAMES_MAX];
static int names;

static void count_one(const char *name)
{
    int i = 0;
    while (i < names && strcmp(tally[i].name, name))
        i++;
    if (i == names && names < NAMES_MAX)
        snprintf(tally[names++].name, sizeof tally[0].name, "%s", name);
    if (i < names)
        tally[i].count++;
}

// The name of the backend, and the status where it is not 200.
static void count_answer(const struct fetch *f)
{
    char name[60];
    struct http_text backend = http_field(&f->head, "x-backend");
    if (!backend.at)
        backend = (struct http_text){"nobody", strlen("nobody")};
    snprintf(name, sizeof name, "%.*s", (int)backend.length, backend.at);
    if (f->head.status != 200)
        snprintf(name, sizeof name, "%.*s, %d", (int)backend.length, backend.at,
                 f->head.status);
    make_printable(name);
    count_one(name);
}

// Keeps "NAME=VALUE" of a Set-Cookie field, for the next request.
static void keep_cookie(const struct fetch *f, char fields[300])
{
    struct http_text cookie = http_field(&f->head, "set-cookie");
    if (!cookies || !cookie.at)
        return;
    const char *end = memchr(cookie.at, ';', cookie.length);
    if (!end)
        end = cookie.at + cookie.length;
    snprintf(fields, 300, "Cookie: %.*s\r\n", (int)(end - cookie.at), cookie.at);
}

static void print_bars(void)
{
    for (int i = 0; i < names; i++) {
        printf("  %-20s ", tally[i].name);
        repeat("█", (tally[i].count * BAR + count - 1) / count);
        printf(" %d\n", tally[i].count);
    }
}

int main(int argc, char **argv)
{
    static struct fetch f = {.fd = -1};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the balancer"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"count", OPTION_INT, &count, 1, 1000000, "requests"},
        {"new", OPTION_FLAG, &each_new, .help = "each on a connection of its own"},
        {"method", OPTION_TEXT, &method, .help = "GET, POST, ..."},
        {"cookies", OPTION_FLAG, &cookies, .help = "keeps the cookie that it is given"},
        {"wait-ms", OPTION_INT, &wait_ms, 1, 3600000, "ms to wait for an answer"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[PATH]", "Sends requests, and counts who has answered.", options});
    const char *path = argv[first];
    if (!path)
        path = "/";
    char fields[300] = "", why[FETCH_WHY_BYTES];
    struct sockaddr_storage address;
    net_address(host, port, SOCK_STREAM, &address);
    output_begin();
    int64_t began = now_ns();
    for (int i = 0; i < count; i++) {
        enum fetch_result result = FETCH_OK;
        int64_t deadline = now_ns() + wait_ms * INT64_C(1000000);
        if (f.fd < 0)
            result = fetch_open(&f, &address, deadline);
        if (result == FETCH_REFUSED && i == 0)
            die("no connection to %s, port %d (is the server running?)", host, port);
        f.deadline_ns = deadline;
        if (result == FETCH_OK)
            result = fetch_ask(&f, method, path, fields, strcmp(method, "POST") ? NULL : "x");
        if (result == FETCH_OK) {
            count_answer(&f);
            keep_cookie(&f, fields);
        } else
            count_one(fetch_why(&f, result, why));
        if (result != FETCH_OK || each_new || !f.head.keep_alive)
            fetch_close(&f);
    }
    printf("%d requests in %.0f ms; answered by:\n", count, ms_since(began));
    print_bars();
    output_flush();
    return 0;
}
