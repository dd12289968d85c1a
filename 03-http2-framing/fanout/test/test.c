// test.c: tests of lesson 03, fanout. `make test` runs them, the scenes, real peers, and the
// patches in break/. Here: header fields, requests through proxy and relay, and what goes
// wrong.
#define SERVER "proxy"
#include "contract.h"

#include <poll.h>

#include "fields.h"
#include "frame_script.h"
#include "session.h"
#include "spread.h"
#include "timers.h"

#define PATIENCE_MS 10000

// Starts a program with these options, printf-like.
static int start(pid_t *pid, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int start(pid_t *pid, const char *format, ...)
{
    char command[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    int port = test_start(pid, command);
    CHECK(port > 0);
    return port;
}

// Lets a request go on until it is done.
static void await(struct session *session, struct ask *ask)
{
    int64_t end_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    while (!ask->done && session->socket.fd >= 0 && now_ns() < end_ns)
        sessions_step(&session, 1, 50);
    CHECK(ask->done);
}

// One request on a connection of its own.
static struct ask ask_once(int port, struct ask ask)
{
    struct session *session = session_open("127.0.0.1", port);
    if (session && session_ask(session, &ask))
        await(session, &ask);
    session_close(session);
    return ask;
}

static struct ask get(const char *path)
{
    return (struct ask){.method = "GET", .path = path};
}

// The proxy that the contract starts has no backend behind it.
static bool exchange(int port)
{
    return ask_once(port, get("/")).status == 502;
}

#include "test_backends.h"
#include "test_bad_backends.h"
#include "test_client.h"
#include "test_fields.h"
#include "test_bad_clients.h"
