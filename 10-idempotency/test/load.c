// load.c: so many clients at once, each of which makes one charge after another, and waits for
// the answer; for bench.sh. Not a client to learn from: it knows what the answers look like.
//
// Run:    build/load --port 8010 --clients 16
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net.h"
#include "options.h"

#define CLIENTS_MAX  1000
#define ANSWER_BYTES 1024
#define DIGITS       16 // of a key

#define CONTENT "{\"amount\":500,\"currency\":\"eur\",\"source\":\"tok_visa\"}"
#define HEAD    "POST /charges HTTP/1.1\r\nHost: bench\r\nContent-Length: 51\r\nIdempotency-Key: "

_Static_assert(sizeof CONTENT - 1 == 51, "as the head says");

struct client {
    int fd;
    size_t length;
    char answer[ANSWER_BYTES];
};

static struct client clients[CLIENTS_MAX];
static char request[] = HEAD "0000000000000000\r\n\r\n" CONTENT;
static uint64_t next_key;

static void ask(struct client *client)
{
    uint64_t key = next_key++;
    for (int i = DIGITS - 1; i >= 0; i--, key /= 10)
        request[sizeof HEAD - 1 + (size_t)i] = (char)('0' + key % 10);
    if (send(client->fd, request, sizeof request - 1, 0) != sizeof request - 1)
        die("cannot send: %s", strerror(errno));
    client->length = 0;
}

// True if the answer is whole: they all end with "}" and a line feed.
static bool hear(struct client *client)
{
    ssize_t got =
        read(client->fd, client->answer + client->length, ANSWER_BYTES - client->length);
    if (got <= 0)
        die("no answer: %s", got ? strerror(errno) : "the server closed the connection");
    client->length += (size_t)got;
    if (memcmp(client->answer + client->length - 2, "}\n", 2) != 0)
        return false;
    if (memcmp(client->answer, "HTTP/1.1 201 ", 13) != 0)
        die("not a charge: %.*s", (int)client->length, client->answer);
    return true;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8010, count = 1, most = 0;
    static double seconds = 2;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"clients", OPTION_INT, &count, 1, CLIENTS_MAX, "at once"},
        {"seconds", OPTION_NUMBER, &seconds, 0.01, 3600, "that it lasts"},
        {"charges", OPTION_INT, &most, 0, 100000000, "that it lasts instead; 0: by the clock"},
        {0}};
    struct epoll_event events[CLIENTS_MAX];
    int on = 1, epoll = epoll_create1(0);
    long done = 0;
    options_parse(argc, argv, &(struct command){"", "A load of charges.", options});
    next_key = (uint64_t)now_ns();
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {EPOLLIN, {.ptr = &clients[i]}};
        clients[i].fd = net_connect_or_die(host, port);
        setsockopt(clients[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event))
            die("cannot wait in epoll_wait(): %s", strerror(errno));
    }
    int64_t begin_ns = now_ns(), end_ns = begin_ns;
    for (int i = 0; i < count; i++)
        ask(&clients[i]);
    while (most ? done < most : (double)(end_ns - begin_ns) < seconds * 1e9) {
        int ready = epoll_wait(epoll, events, CLIENTS_MAX, -1);
        for (int i = 0; i < ready; i++)
            if (hear(events[i].data.ptr)) {
                done++;
                ask(events[i].data.ptr);
            }
        end_ns = now_ns();
    }
    printf("%.0f\n", (double)done / ((double)(end_ns - begin_ns) * 1e-9));
    return 0;
}
