// resolve.c: see resolve.h. Read resolve() first, then look_up(), which a thread runs.
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "net.h"
#include "options.h"

#define LOOKUPS_MAX 64 // at once, each in a thread, which needs a descriptor or two
#define FIXED_MAX   8

struct lookup {
    char server[HTTP_HOST_BYTES];
    resolve_found found; // NULL: this place is free
    void *context;
    int error; // of getaddrinfo()
    struct sockaddr_storage address;
};

static struct lookup lookups[LOOKUPS_MAX];
static int sockets[2] = {-1, -1}; // a thread writes the address of its look-up to the second

static struct {
    struct http_text name, addresses;
    struct http_text rest; // of the addresses: those whose turn is still to come
} fixed[FIXED_MAX];
static int fixed_count;

void resolve_fixed(const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1] || fixed_count == FIXED_MAX ||
        strlen(text) >= HTTP_HOST_BYTES)
        options_reject("--resolve takes NAME=ADDRESS,..., at most %d times, not '%s'",
                       FIXED_MAX, text);
    fixed[fixed_count].name = (struct http_text){text, (size_t)(equals - text)};
    fixed[fixed_count++].addresses = (struct http_text){equals + 1, strlen(equals + 1)};
}

// Writes the next address of a fixed name in place of the name.
static void replace_fixed(char host[HTTP_HOST_BYTES])
{
    for (int i = 0; i < fixed_count; i++) {
        struct http_text item = {"", 0};
        if (!http_is_token(fixed[i].name, host))
            continue;
        if (!fixed[i].rest.length)
            fixed[i].rest = fixed[i].addresses;
        http_next_item(&fixed[i].rest, &item);
        snprintf(host, HTTP_HOST_BYTES, "%.*s", (int)item.length, item.at);
        return;
    }
}

// Takes "[::1]:80" or "example.org:80" apart. The port is always there.
static void split(const char *server, char host[HTTP_HOST_BYTES], const char **port)
{
    *port = strrchr(server, ':') + 1;
    size_t length = (size_t)(*port - server) - 1;
    if (*server == '[' && (*port)[-2] == ']') {
        server++;
        length -= 2;
    }
    snprintf(host, HTTP_HOST_BYTES, "%.*s", (int)length, server);
}

// Returns 0, or the error of getaddrinfo().
static int find(const char *host, const char *port, int flags, struct sockaddr_storage *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *all;
    int error = getaddrinfo(host, port, &hints, &all);
    if (error)
        return error;
    memset(address, 0, sizeof *address);
    memcpy(address, all->ai_addr, all->ai_addrlen);
    freeaddrinfo(all);
    return 0;
}

int resolve_now(const char *server, int flags, struct sockaddr_storage *address)
{
    char host[HTTP_HOST_BYTES];
    const char *port;
    split(server, host, &port);
    return find(host, port, flags, address);
}

static void *look_up(void *context)
{
    struct lookup *l = context; // this thread's own, until it writes the address
    l->error = resolve_now(l->server, AI_ADDRCONFIG, &l->address);
    (void)write_all(sockets[1], &l, sizeof l); // it fails only if the program ends
    return NULL;
}

int resolve_socket(void)
{
    return sockets[0];
}

// A look-up that is not under way; NULL if all are.
static struct lookup *free_lookup(void)
{
    for (struct lookup *l = lookups; l < lookups + LOOKUPS_MAX; l++)
        if (!l->found)
            return l;
    return NULL;
}

static bool make_sockets(void)
{
    if (sockets[0] >= 0)
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
        return false;
    net_set_nonblocking(sockets[0]);
    return true;
}

bool resolve(const char *server, resolve_found found, void *context)
{
    char host[HTTP_HOST_BYTES];
    const char *port;
    struct sockaddr_storage address;
    pthread_t thread;
    split(server, host, &port);
    replace_fixed(host);
    if (!find(host, port, AI_NUMERICHOST | AI_NUMERICSERV, &address)) {
        found(context, &address);
        return true;
    }
    struct lookup *l = free_lookup();
    if (!l || !make_sockets())
        return false;
    *l = (struct lookup){.found = found, .context = context};
    snprintf(l->server, sizeof l->server, "%s", server);
    if (pthread_create(&thread, NULL, look_up, l)) {
        l->found = NULL;
        return false;
    }
    pthread_detach(thread);
    return true;
}

size_t resolve_received(const char *bytes, size_t length)
{
    size_t used = 0;
    struct lookup *l;
    for (; length - used >= sizeof l; used += sizeof l) {
        memcpy(&l, bytes + used, sizeof l);
        if (l->error)
            l->found(l->context, NULL);
        else
            l->found(l->context, &l->address);
        l->found = NULL; // its place is free
    }
    return used;
}
