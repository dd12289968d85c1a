// client.c: asks through a proxy, and shows where each answer has come from.
//
// Run:    ./client                          one page four times: ./proxy in front of ./origin
//         ./client /page?cc=no-store /page?cc=no-store
//         ./client --head --fields 'Accept-Language: de' '/page?vary=accept-language'
//         ./client http://example.org/      through ./proxy, as a forward proxy
// Watch:  X-Cache and Age.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"
#include "options.h"
#include "output.h"

#define FIELDS_BYTES 4000
#define STALE_MS     1100 // then max-age=1 is over
#define TEXT_BYTES   46   // of the content, that are shown: a line has 80 columns

static const char *host = "127.0.0.1", *method = "GET";
static int port = 8208;
static bool show_head;
static char fields[FIELDS_BYTES];

static void add_field(const char *line)
{
    size_t length = strlen(fields);
    if (length + strlen(line) + 3 > sizeof fields || strpbrk(line, "\r\n") ||
        !strchr(line, ':'))
        options_reject("--fields takes a line 'Name: value', not '%s'", line);
    snprintf(fields + length, sizeof fields - length, "%s\r\n", line);
}

static char text[TEXT_BYTES + 1]; // how the content begins
static size_t text_length;

// A part of an answer's content. Of a long one the connection keeps nothing.
static void take_piece(struct fetch *f, struct http_text part)
{
    (void)f;
    for (size_t i = 0; i < part.length && text_length < sizeof text; i++)
        text[text_length++] = part.at[i];
}

static void print_field(const struct fetch *f, const char *name, int width)
{
    struct http_text value = http_field(&f->head, name);
    char cell[40] = "-";
    if (value.at)
        snprintf(cell, sizeof cell, "%.*s", (int)value.length, value.at);
    printf("%-*s", width, cell);
}

// The host that a URI names: "http://example.org/a" is for example.org.
static void host_of(const char *target, char name[HTTP_HOST_BYTES])
{
    const char *at = strstr(target, "://");
    if (at)
        snprintf(name, HTTP_HOST_BYTES, "%.*s", (int)strcspn(at + 3, "/?"), at + 3);
    else
        http_authority(host, port, 80, name);
}

static void print_answer(const struct fetch *f)
{
    const char *end = memchr(text, '\n', text_length);
    if (end) {
        text_length = (size_t)(end - text);
    } else if (text_length > TEXT_BYTES) {
        text_length = TEXT_BYTES;
        memcpy(text + TEXT_BYTES - 3, "...", 3);
    }
    printf("%3d ", f->head.status);
    print_field(f, "x-cache", 12);
    print_field(f, "age", 4);
    printf("%7llu bytes ", (unsigned long long)f->content_bytes);
    output_bytes(text, text_length);
    printf("\n");
    if (show_head)
        output_bytes(f->bytes, f->head.length);
}

// Asks once, on the connection that is there, or on a new one.
static void ask(struct fetch *f, const struct sockaddr_storage *proxy, const char *target)
{
    char name[HTTP_HOST_BYTES];
    host_of(target, name);
    if (f->fd < 0)
        fetch_or_die(f, fetch_open(f, proxy, 0));
    fetch_or_die(
        f, fetch_send(f, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, target, name, fields));
    f->head_only = !strcmp(method, "HEAD");
    f->piece = take_piece;
    text_length = 0;
    fetch_or_die(f, fetch_answer(f));
    print_answer(f);
    output_flush();
    if (!f->head.keep_alive)
        fetch_close(f);
}

static void demonstrate(struct fetch *f, const struct sockaddr_storage *proxy)
{
    static const char page[] = "/page?cc=max-age=1&etag=v1";
    printf("GET %s\n", page);
    ask(f, proxy, page);
    printf("GET %s, again\n", page);
    ask(f, proxy, page);
    printf("GET %s, when it is stale\n", page);
    output_flush();
    sleep_ms(STALE_MS);
    ask(f, proxy, page);
    printf("GET /page?cc=no-store, twice\n");
    ask(f, proxy, "/page?cc=no-store");
    ask(f, proxy, "/page?cc=no-store");
}

int main(int argc, char **argv)
{
    static struct fetch f = {.fd = -1};
    static option_call add = add_field;
    struct sockaddr_storage proxy;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the proxy"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"method", OPTION_TEXT, &method, .help = "method of the requests"},
        {"fields", OPTION_CALL, &add, .help = "'Name: value', a further field; may come again"},
        {"head", OPTION_FLAG, &show_head, .help = "print the answers' heads"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[TARGET...]",
                          "Lesson 08, proxy. Without a TARGET one page several times.",
                          options});
    output_begin();
    net_address(host, port, SOCK_STREAM, &proxy);
    printf("    X-Cache     Age\n");
    if (first == argc)
        demonstrate(&f, &proxy);
    for (int i = first; i < argc; i++)
        ask(&f, &proxy, argv[i]);
    output_flush();
    fetch_close(&f);
    return 0;
}
