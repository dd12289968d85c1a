// layer4.c: bytes. A client has one backend for as long as its connection lasts; the balancer
// passes on what comes and looks at none of it. All the same these are two connections, each
// with its own handshake and its own sequence numbers.
//
// Read layer4_opened() first, then connect_backend() and connected(): it joins the two, and
// parts/leg.c passes on what comes.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

#include "balancer.h"
#include "log.h"

#define PROXY_LINE_BYTES 140 // longer than any of the PROXY protocol version 1 (107 bytes)

// One end of a relay: the client's or the backend's.
struct relay_end {
    struct leg leg;
    struct relay_end *peer;  // NULL: it is gone, or not there yet
    struct backend *backend; // for both ends
    struct pick_for what;    // of a client's end, as is its address
    struct sockaddr_storage address;
};

static const struct leg_kind layer4_backend;

static struct relay_end *end_of(struct leg *leg)
{
    return (struct relay_end *)leg; // it begins with it
}

uint32_t address_hash(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return pick_hash(&((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    return pick_hash(&((const struct sockaddr_in *)address)->sin_addr, 4);
}

// Connects a client to the backend that the algorithm picks. If that fails, it is tried with
// another one, once: no byte of the client has been sent.
static void connect_backend(struct relay_end *client)
{
    struct backend *b;
    while ((b = pick(settings.algorithm, &groups[0], &client->what))) {
        bool first = client->what.tried == 0;
        struct leg *leg = leg_connect(&layer4_backend, &b->address, settings.connect_ms);
        client->what.tried |= 1u << b->index;
        if (leg) {
            client->peer = end_of(leg);
            client->peer->peer = client;
            client->backend = client->peer->backend = b;
            b->active++;
            b->requests++;
            return;
        }
        health_failed(b, strerror(errno));
        if (!first || !settings.retry)
            break;
    }
    log_line("no backend for a client");
    leg_abort(&client->leg, true);
}

void layer4_opened(struct leg *leg, const struct sockaddr_storage *address)
{
    struct relay_end *client = end_of(leg);
    client->address = *address;
    client->what.address_hash = address_hash(address);
    leg_pause(leg); // what the client sends waits in the kernel
    connect_backend(client);
}

// The first line that the backend gets, which says who the client is (haproxy.org, The PROXY
// protocol, §2.1). Both ends have to be set to it: for others it is nonsense.
static void send_proxy_line(struct relay_end *backend)
{
    char line[PROXY_LINE_BYTES], from[48], to[48], from_port[8], to_port[8];
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    const struct sockaddr_storage *client = &backend->peer->address;
    if (getsockname(backend->peer->leg.fd, (struct sockaddr *)&own, &length) ||
        getnameinfo((const struct sockaddr *)client, sizeof *client, from, sizeof from,
                    from_port, sizeof from_port, NI_NUMERICHOST | NI_NUMERICSERV) ||
        getnameinfo((struct sockaddr *)&own, sizeof own, to, sizeof to, to_port, sizeof to_port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(line, sizeof line, "PROXY UNKNOWN\r\n");
    else
        snprintf(line, sizeof line, "PROXY TCP%c %s %s %s %s\r\n",
                 client->ss_family == AF_INET6 ? '6' : '4', from, to, from_port, to_port);
    leg_send(&backend->leg, line, strlen(line));
}

static void connected(struct leg *leg)
{
    struct relay_end *end = end_of(leg);
    health_succeeded(end->backend);
    end->backend->connections++;
    if (settings.proxy_protocol)
        send_proxy_line(end);
    leg_join(leg, &end->peer->leg, settings.tunnel_ms);
    leg_resume(&end->peer->leg);
}

static void moved(struct leg *leg, size_t length)
{
    backend_moved(end_of(leg)->backend, length);
}

static void client_closed(struct leg *leg)
{
    struct relay_end *backend = end_of(leg)->peer;
    if (!backend)
        return;
    backend->peer = NULL;
    if (backend->leg.connecting)
        leg_abort(&backend->leg, true);
}

static void backend_closed(struct leg *leg)
{
    struct relay_end *end = end_of(leg), *client = end->peer;
    end->backend->active--;
    if (leg->connecting && leg->error) {
        end->backend->errors++;
        health_failed(end->backend, strerror(leg->error));
    }
    if (!client)
        return;
    client->peer = NULL;
    bool first = (client->what.tried & (client->what.tried - 1)) == 0;
    if (leg->connecting && first && settings.retry)
        connect_backend(client);
    else if (leg->connecting)
        leg_abort(&client->leg, true);
}

const struct leg_kind layer4_client = {
    .bytes = sizeof(struct relay_end), .moved = moved, .closed = client_closed};
static const struct leg_kind layer4_backend = {.bytes = sizeof(struct relay_end),
                                               .moved = moved,
                                               .connected = connected,
                                               .closed = backend_closed};
