// memory_cost.c: see memory_cost.h.
#include "memory_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "browser_request.h"
#include "fetch.h"
#include "h2_client.h"
#include "http1_loader.h"
#include "measure.h"
#include "spawn.h"

#define IMAGES HTTP1_CONNECTIONS // that a client asks for
#define IMAGE  "/img/1?size=200"

// The memory that a program has for itself (proc(5), /proc/PID/smaps_rollup).
static long private_kb(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    return number_in_file(path, "Private_Dirty:", "");
}

// The bytes that the kernel takes for a TCP socket without anything in its buffers, and without
// its file and its inode: column "size" of /proc/net/protocols. 0: this kernel does not say it.
static long socket_bytes(void)
{
    return number_in_file("/proc/net/protocols", "TCP ", ""); // not the line of TCPv6
}

// Each image over a connection of its own. Returns how many have come.
static int open_http1(int port, int fds[IMAGES])
{
    static struct fetch fetch;
    char text[BROWSER_TEXT_BYTES];
    int answered = 0;
    browser_text(text, IMAGE);
    for (int i = 0; i < IMAGES; i++) {
        fds[i] = net_connect_or_die("127.0.0.1", port);
        fetch = (struct fetch){.fd = fds[i]};
        fetch_or_die(&fetch, fetch_send(&fetch, "%s", text));
        fetch_or_die(&fetch, fetch_answer(&fetch));
        answered += fetch.head.status == 200 && fetch.head.keep_alive;
    }
    return answered;
}

// All images over one connection.
static int open_http2(int port, struct h2_client *client)
{
    struct hpack_field fields[BROWSER_FIELDS];
    uint32_t streams[IMAGES];
    int answered = 0;
    browser_fields(fields, IMAGE);
    h2_begin(client, net_connect_or_die("127.0.0.1", port), H2_WINDOW, NULL);
    for (int i = 0; i < IMAGES; i++)
        streams[i] = h2_request(client, fields, BROWSER_FIELDS);
    h2_await_all(client);
    for (int i = 0; i < IMAGES; i++)
        answered += h2_answer(client, streams[i])->status == 200;
    return answered;
}

struct memory_cost memory_cost(bool http2)
{
    static const char *const argv[] = {"./server", "--port", "0", "--quiet", NULL};
    static int fds[MEMORY_CLIENTS][IMAGES];
    struct h2_client *clients = calloc(MEMORY_CLIENTS, sizeof *clients);
    struct memory_cost cost = {.connections = http2 ? 1 : IMAGES};
    long before_kb = 0;
    pid_t pid;
    int port = spawn_server(&pid, argv);
    if (!port || !clients)
        die("cannot start a ./server of this scene's own (is this the lesson's folder?)");
    for (int i = 0; i < MEMORY_CLIENTS; i++) {
        if (http2)
            cost.answered += open_http2(port, &clients[i]);
        else
            cost.answered += open_http1(port, fds[i]);
        if (i == 0) // the first client's requests also use memory that all clients share
            before_kb = private_kb(pid);
    }
    cost.server_kb = (double)(private_kb(pid) - before_kb) / (MEMORY_CLIENTS - 1);
    cost.kernel_kb = (double)socket_bytes() * cost.connections / 1024;
    for (int i = 0; i < MEMORY_CLIENTS; i++) {
        if (http2)
            h2_close(&clients[i]);
        for (int j = 0; j < IMAGES && !http2; j++)
            close(fds[i][j]);
    }
    free(clients);
    spawn_stop(pid);
    return cost;
}
