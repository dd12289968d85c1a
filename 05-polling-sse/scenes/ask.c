// ask.c: see ask.h.
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sockaddr_storage server;

void ask_server(const char *host, int port)
{
    net_address(host, port, SOCK_STREAM, &server);
}

void ask_open(struct fetch *f)
{
    fetch_or_die(f, fetch_open(f, &server, 0));
}

int ask_connect(void)
{
    char name[NET_NAME];
    int fd = fetch_connect(&server, 0);
    if (fd < 0)
        die("cannot connect to %s: %s (is the server running?)", net_name(&server, name),
            strerror(errno));
    return fd;
}

int ask_status(struct fetch *f, const char *method, const char *target, const char *content)
{
    fetch_or_die(f, fetch_ask(f, method, target, "", content));
    return f->head.status;
}

uint64_t server_figure(const char *after, const char *name)
{
    static struct fetch f;
    char text[FETCH_BYTES], quoted[40];
    ask_open(&f);
    ask_status(&f, "GET", "/stats", NULL);
    fetch_close(&f);
    snprintf(text, sizeof text, "%.*s", (int)f.content.length, f.content.at);
    snprintf(quoted, sizeof quoted, "\"%s\": ", name);
    const char *at = strstr(text, after);
    if (at)
        at = strstr(at, quoted);
    if (!at)
        die("GET /stats says nothing of %s", name);
    return strtoull(at + strlen(quoted), NULL, 10);
}
