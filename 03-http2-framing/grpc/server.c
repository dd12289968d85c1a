// server.c: a list of to-dos, whose functions other programs call over the network: gRPC, on
// the frames, HPACK and streams of lesson 03, in clear text (h2c).
//
// Run:    ./server, then ./client create "Do laundry" and ./client list; or any program with a
//         library of gRPC and todo.proto
// Watch:  one line for each call: its method, its status, its messages.
//
// Read todo_service.c first: what the methods do. Then call_receive.c: how messages become
// calls of those functions; call.c: how answers are sent; rpc.c and protobuf.c: the bytes.
// Here: a connection between common's loop and the calls on it.
#include <stddef.h>
#include <stdio.h>

#include "call.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "services.h"
#include "todo.h"

// Further limits: rpc.h (messages), ../parts/bytes.h (memory), call.h (output of a call),
// todo.h (items), ../parts/abuse_budget.h (frames that lead to nothing).
#define CONNECTIONS_MAX 10000
#define BACKLOG         1024
#define FIRST_BYTES_MS  10000 // until a client has sent its preface and SETTINGS
#define NS_PER_MS       INT64_C(1000000)

struct connection {
    struct conn conn; // the loop's part: the first, so that both have the same address
    struct calls calls;
    int64_t opened_ns;
};

static int streams_max = 100, idle_ms = 300000;
static long calls_ended;
static const struct handler *services[] = {todo_service, health_service, NULL, NULL};

static struct connection *connection_of(struct conn *conn)
{
    return (struct connection *)conn;
}

// Lends the loop's room for output, and tells the time.
static struct transport *begin_round(struct conn *conn)
{
    struct transport *transport = &connection_of(conn)->calls.transport;
    transport_lend(transport, conn_now(conn), conn_space(conn), conn_room(conn));
    return transport;
}

// When the connection ends if nothing happens.
static int64_t end_ns(const struct connection *c)
{
    const struct transport *transport = &c->calls.transport;
    if (transport->state < TRANSPORT_OPEN)
        return c->opened_ns + FIRST_BYTES_MS * NS_PER_MS;
    if (transport->streams.count > 0)
        return NEVER;
    return transport->quiet_ns + idle_ms * NS_PER_MS;
}

static void end_round(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    struct transport *transport = &c->calls.transport;
    int64_t due_ns = end_ns(c);
    if (transport_room(transport) >= TRANSPORT_ROOM)
        transport_stop_on(transport);
    conn_wrote(conn, transport->out_length);
    if (transport->closing)
        conn_close(conn);
    if (c->calls.due_ns < due_ns)
        due_ns = c->calls.due_ns;
    if (transport->state == TRANSPORT_STOPPING && transport->leave_ns < due_ns)
        due_ns = transport->leave_ns;
    if (due_ns == NEVER)
        conn_deadline(conn, NEVER);
    else
        conn_deadline(conn, (due_ns - conn_now(conn) + NS_PER_MS - 1) / NS_PER_MS);
}

// ---- what the loop calls -------------------------------------------------------------------

// A call of another connection has woken one of this connection.
static void wake(struct calls *calls)
{
    struct connection *c =
        (struct connection *)((char *)calls - offsetof(struct connection, calls));
    conn_wake(&c->conn);
}

static void opened(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->opened_ns = conn_now(conn);
    c->calls.services = services;
    c->calls.wake = wake;
    c->calls.counter = &calls_ended;
    c->calls.due_ns = NEVER;
    conn_deadline(conn, FIRST_BYTES_MS);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct transport *transport = begin_round(conn);
    if (!transport->user)
        calls_begin(&connection_of(conn)->calls, false, (uint32_t)streams_max);
    size_t used = transport_take(transport, (const uint8_t *)bytes, length);
    end_round(conn);
    return used;
}

static bool produce(struct conn *conn)
{
    struct transport *transport = begin_round(conn);
    if (!transport->user)
        return false;
    calls_due(&connection_of(conn)->calls);
    bool sent = transport_send(transport);
    end_round(conn);
    return sent;
}

static void timeout(struct conn *conn)
{
    struct transport *transport = begin_round(conn);
    if (transport->now_ns >= end_ns(connection_of(conn)))
        transport_fail(transport, connection_fault(NO_ERROR, "nothing has come for too long"));
    else
        calls_due(&connection_of(conn)->calls);
    end_round(conn);
}

static void woken(struct conn *conn)
{
    begin_round(conn);
    calls_due(&connection_of(conn)->calls);
    end_round(conn);
}

// The server stops. Calls that are under way may end; those that would go on for ever are told.
static void stop(struct conn *conn)
{
    struct transport *transport = begin_round(conn);
    if (transport->state < TRANSPORT_OPEN)
        transport->closing = true; // the client has not asked for anything yet
    else
        transport_stop(transport);
    calls_wake_all(&connection_of(conn)->calls);
    end_round(conn);
}

static void closed(struct conn *conn)
{
    begin_round(conn);
    transport_end(&connection_of(conn)->calls.transport);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct connection), // HTTP/2's streams, and a call on each
        .conns_max = CONNECTIONS_MAX,
        .opened = opened,     // the client has FIRST_BYTES_MS for its preface and SETTINGS
        .received = received, // frames: messages go to the calls of their streams
        .produce = produce,   // writes the messages of the calls that have some
        .timeout = timeout,   // a call's deadline has passed, or nothing has come for long
        .woken = woken,       // a call of another connection has changed a call of this one
        .stop = stop,         // says GOAWAY, and the calls under way may end
        .closed = closed,     // ends the calls that are left
    };
    static const char *host = "127.0.0.1";
    static int port = 8103;
    static bool quiet, interop;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"streams", OPTION_INT, &streams_max, 1, 10000, "calls of a connection at once"},
        {"idle-ms", OPTION_INT, &idle_ms, 1, 3600000, "ms without a call"},
        {"interop", OPTION_FLAG, &interop, .help = "serves grpc.testing.TestService, too"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each call"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 03, grpc: a list of to-dos.", options});
    log_begin(quiet);
    if (interop)
        services[2] = test_service;
    long accepted = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, calls %ld\n", accepted, calls_ended);
    todo_free_all();
    return 0;
}
