// relay.c: a layer-4 balancer: each connection goes to the next backend, and all of its bytes
// with it. It does not look at them: it works for every protocol, and for HTTP/2 it does not
// balance.
//
// Run:    ./relay --backend 127.0.0.1:9001 --backend 127.0.0.1:9002 ...; then ./client
// Watch:  100 requests, one backend. With ./client --connections 3 all of them have work.
//
// Read opened() first, then received() and produce(). A connection has two ends here, the
// client's and the backend's: what comes on one of them waits in `bytes` of the other one.
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "dial.h"
#include "log.h"
#include "options.h"
#include "smaller.h"

#define CLIENTS_MAX 2000
#define BACKLOG     1024
#define WAIT_BYTES  65536 // that may wait for one end; then the other end is not read from
#define IDLE_MS     3600000

struct end {
    struct conn conn; // the loop's part: the first
    struct end *other;
    struct backend *backend; // of this connection
    bool is_backend;         // this is the backend's end
    bool waits;              // the client's end: the backend's is being opened
    int tries;               // backends that were asked for a connection
    bool connected;          // the backend's end: the backend is there
    char bytes[WAIT_BYTES];  // what this end is to be sent
    size_t at, length;       // `length` of them wait, from `at` on
};

static int clients;
static long accepted; // clients, since the start

static struct end *end_of(struct conn *conn)
{
    return (struct end *)conn;
}

// ---- how a connection begins and ends ------------------------------------------------------

static int accept_client(int listener)
{
    return dial_accept(listener, clients >= CLIENTS_MAX);
}

// Asks for a connection to the next backend. The client is not read from until it is there.
static void connect_backend(struct end *client)
{
    struct backend *backend = backend_pick(client->backend, conn_now(&client->conn));
    client->conn.paused = true;
    client->backend = backend;
    client->waits = backend && client->tries++ < backend_count &&
                    dial(&backend->address, backend->address_length, client);
    if (!client->waits)
        client->conn.broken = true;
}

static void opened(struct conn *conn)
{
    struct end *end = end_of(conn), *client = dial_owner(conn);
    conn_deadline(conn, IDLE_MS);
    if (!client) {
        clients++;
        accepted++;
        connect_backend(end);
        return;
    }
    end->is_backend = true;
    end->backend = client->backend;
    end->other = client;
    client->other = end;
    client->waits = false;
}

// The backend has refused the connection. No byte has passed, so another one may have it.
static void try_another(struct end *end)
{
    struct end *client = end->other;
    log_line("no connection to %s", end->backend->name);
    end->backend->down_until_ns = conn_now(&end->conn) + BACKEND_DOWN_MS * INT64_C(1000000);
    if (!client)
        return;
    client->other = NULL;
    connect_backend(client);
    if (client->conn.broken)
        conn_wake(&client->conn);
}

// One end is gone: the other one gets what is left for it, and then ends, too.
static void closed(struct conn *conn)
{
    struct end *end = end_of(conn);
    dial_closed(conn);
    if (!end->is_backend)
        clients--;
    if (end->waits)
        dial_forget(end);
    if (end->is_backend && !end->connected) {
        try_another(end);
    } else if (end->other) {
        end->other->other = NULL;
        conn_wake(&end->other->conn);
    }
}

// ---- bytes ---------------------------------------------------------------------------------

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct end *end = end_of(conn), *other = end->other;
    if (!other)
        return length;
    if (other->length == 0)
        other->at = 0;
    else if (other->at > 0)
        memmove(other->bytes, other->bytes + other->at, other->length);
    other->at = 0;
    size_t used = smaller(length, WAIT_BYTES - other->length);
    memcpy(other->bytes + other->length, bytes, used);
    other->length += used;
    conn->paused = other->length == WAIT_BYTES;
    conn_deadline(conn, IDLE_MS);
    conn_wake(&other->conn);
    return used;
}

static bool produce(struct conn *conn)
{
    struct end *end = end_of(conn);
    size_t length = smaller(end->length, conn_room(conn));
    if (end->is_backend && !end->connected) {
        if (dial_is_opening(conn))
            return false;
        end->connected = true;
        end->backend->opened++;
        log_line("a connection for %s", end->backend->name);
        if (end->other)
            conn_wake(&end->other->conn); // now the client may be read from
    }
    memcpy(conn_space(conn), end->bytes + end->at, length);
    conn_wrote(conn, length);
    end->at += length;
    end->length -= length;
    if (length > 0 && end->other && end->other->conn.paused)
        conn_wake(&end->other->conn);
    if (end->length == 0 && !end->other && !end->waits)
        conn_close(conn);
    return length > 0;
}

// There is room at the other end again, or the other end is gone.
static void woken(struct conn *conn)
{
    struct end *end = end_of(conn);
    bool there = end->is_backend || !end->other || end->other->connected;
    conn->paused = end->waits || !there;
}

static void stop(struct conn *conn)
{
    conn->broken = true;
}

// There is no memory for a connection to the backend.
static void failed(void *owner)
{
    struct end *client = owner;
    client->waits = false;
    client->conn.broken = true;
    conn_wake(&client->conn);
}

static bool end_of_round(void)
{
    dial_open_all(failed);
    return false;
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct end),
        .conns_max = 2 * CLIENTS_MAX,
        .opened = opened,        // chooses a backend for a client, or brings the two together
        .received = received,    // copies what one end says to the other end's bytes
        .produce = produce,      // sends the bytes that wait for this end
        .woken = woken,          // the other end has moved, or is gone
        .stop = stop,            // cuts it: a relay does not know where a request ends
        .closed = closed,        // the other end sends what is left, and ends, too
        .round = end_of_round,   // connects to the backends that were chosen
        .accept = accept_client, // not while there are CLIENTS_MAX
    };
    static const char *host = "127.0.0.1";
    static int port = 8203;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"backend", OPTION_CALL, &backends_option, .help = backends_help},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each connection"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 03, fanout: bytes, to one backend.", options});
    backends_default();
    log_begin(quiet);
    loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: clients %ld\n", accepted);
    for (const struct backend *b = backends; b < backends + backend_count; b++)
        printf("  %-22s connections %ld\n", b->name, b->opened);
    return 0;
}
