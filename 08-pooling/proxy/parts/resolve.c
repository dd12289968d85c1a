// resolve.c: see resolve.h. Read resolve() first, then look_up(), which the threads run.
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

#define THREADS     4
#define LOOKUPS_MAX 256
#define FIXED_MAX   8

struct lookup {
    char server[HTTP_HOST_BYTES];
    resolve_found found;
    void *context;
    bool taken, known;
    struct sockaddr_storage address;
};

static struct lookup lookups[LOOKUPS_MAX];
static int waiting[LOOKUPS_MAX], first_waiting, waiting_count; // numbers of lookups, a ring
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int sockets[2] = {-1, -1};

static struct {
    char name[HTTP_HOST_BYTES];
    char addresses[HTTP_HOST_BYTES];
    int next;
} fixed[FIXED_MAX];
static int fixed_count;

void resolve_fixed(const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1] || fixed_count == FIXED_MAX ||
        strlen(text) >= HTTP_HOST_BYTES)
        options_reject("--resolve takes NAME=ADDRESS,..., at most %d times, not '%s'",
                       FIXED_MAX, text);
    snprintf(fixed[fixed_count].name, HTTP_HOST_BYTES, "%.*s", (int)(equals - text), text);
    snprintf(fixed[fixed_count].addresses, HTTP_HOST_BYTES, "%s", equals + 1);
    fixed_count++;
}

// Writes the next address of a fixed name in place of the name.
static void replace_fixed(char host[HTTP_HOST_BYTES])
{
    for (int i = 0; i < fixed_count; i++) {
        struct http_text list = {fixed[i].addresses, strlen(fixed[i].addresses)}, item;
        int at = 0;
        if (strcasecmp(fixed[i].name, host))
            continue;
        while (http_next_item(&list, &item) && at++ < fixed[i].next)
            ;
        fixed[i].next++;
        if (!list.length)
            fixed[i].next = 0;
        snprintf(host, HTTP_HOST_BYTES, "%.*s", (int)item.length, item.at);
        return;
    }
}

// Takes "[::1]:80" or "example.org:80" apart. The port is always there.
static void split(const char *server, char host[HTTP_HOST_BYTES], const char **port)
{
    *port = strrchr(server, ':') + 1;
    size_t length = (size_t)(*port - server) - 1;
    if (*server == '[') {
        server++;
        length -= 2;
    }
    snprintf(host, HTTP_HOST_BYTES, "%.*s", (int)length, server);
}

static bool find(const char *host, const char *port, int flags,
                 struct sockaddr_storage *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *all;
    if (getaddrinfo(host, port, &hints, &all))
        return false;
    memset(address, 0, sizeof *address);
    memcpy(address, all->ai_addr, all->ai_addrlen);
    freeaddrinfo(all);
    return true;
}

static void *look_up(void *unused)
{
    (void)unused;
    for (;;) {
        char host[HTTP_HOST_BYTES];
        const char *port;
        pthread_mutex_lock(&lock);
        while (!waiting_count)
            pthread_cond_wait(&more, &lock);
        int number = waiting[first_waiting];
        first_waiting = (first_waiting + 1) % LOOKUPS_MAX;
        waiting_count--;
        pthread_mutex_unlock(&lock);
        struct lookup *l = &lookups[number]; // this thread's own, until it writes the number
        split(l->server, host, &port);
        l->known = find(host, port, AI_ADDRCONFIG, &l->address);
        if (!write_all(sockets[1], &number, sizeof number))
            return NULL; // the program ends
    }
}

int resolve_socket(void)
{
    static bool given;
    if (sockets[0] < 0 || given)
        return -1;
    given = true;
    return sockets[0];
}

static bool start(void)
{
    static bool started;
    pthread_t thread;
    if (started)
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
        return false;
    net_set_nonblocking(sockets[0]);
    started = true;
    for (int i = 0; i < THREADS; i++)
        if (!pthread_create(&thread, NULL, look_up, NULL))
            pthread_detach(thread);
    return true;
}

static int free_lookup(void)
{
    for (int i = 0; i < LOOKUPS_MAX; i++)
        if (!lookups[i].taken)
            return i;
    return -1;
}

bool resolve(const char *server, resolve_found found, void *context)
{
    char host[HTTP_HOST_BYTES];
    const char *port;
    struct sockaddr_storage address;
    split(server, host, &port);
    replace_fixed(host);
    if (find(host, port, AI_NUMERICHOST | AI_NUMERICSERV, &address)) {
        found(context, &address);
        return true;
    }
    int number = free_lookup();
    if (number < 0 || !start())
        return false;
    lookups[number] = (struct lookup){.found = found, .context = context, .taken = true};
    snprintf(lookups[number].server, HTTP_HOST_BYTES, "%s", server);
    pthread_mutex_lock(&lock);
    waiting[(first_waiting + waiting_count++) % LOOKUPS_MAX] = number;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
    return true;
}

size_t resolve_received(const char *bytes, size_t length)
{
    size_t used = 0;
    int number;
    for (; length - used >= sizeof number; used += sizeof number) {
        memcpy(&number, bytes + used, sizeof number);
        struct lookup *l = &lookups[number];
        l->taken = false;
        if (l->known)
            l->found(l->context, &l->address);
        else
            l->found(l->context, NULL);
    }
    return used;
}
