// spread.c: see spread.h. Read spread_next() first.
#include "spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "fetch.h"
#include "net.h"

#define AT_ONCE_MAX 1000
#define TRIES_MAX   4     // backends that the service names, none of which is there
#define PATIENCE_MS 20000 // that nothing at all may happen

int spread_add(struct spread *spread, const char *host, int port)
{
    int i = spread->count;
    if (i == SPREAD_SESSIONS)
        return -1;
    snprintf(spread->places[i].host, sizeof spread->places[i].host, "%s", host);
    spread->places[i].port = port;
    spread->count++;
    return i;
}

// The connection of a place, which is opened if need be. A lost one is opened anew: the server
// may be back. NULL: no server is there.
static struct session *session_of(struct spread *spread, int place)
{
    struct session *session = spread->places[place].session;
    if (session && session->socket.fd >= 0 && !session->transport.went_away)
        return session;
    if (session && session->transport.streams.count > 0) // its answers are still to come
        return NULL;
    session_close(session);
    session = session_open(spread->places[place].host, spread->places[place].port);
    spread->places[place].session = session;
    spread->opened += session != NULL;
    return session;
}

// ---- solution 3: a service says which backend ----------------------------------------------

static struct fetch service = {.fd = -1};

// Asks the service, which speaks HTTP/1.1. `lost` is what the client could not reach, or "".
static bool ask_service(struct spread *spread, const char *lost, char name[300])
{
    char host[256], target[400];
    int port;
    struct sockaddr_storage address;
    if (!backend_split(spread->lookaside, host, &port))
        return false;
    if (service.fd < 0) {
        net_address(host, port, SOCK_STREAM, &address);
        if (fetch_open(&service, &address, 0) != FETCH_OK)
            return false;
    }
    snprintf(target, sizeof target, *lost ? "/next?lost=%s" : "/next%s", lost);
    if (fetch_ask(&service, "GET", target, "", NULL) != FETCH_OK ||
        service.head.status != 200) {
        fetch_close(&service);
        return false;
    }
    snprintf(name, 300, "%.*s", (int)service.content.length, service.content.at);
    name[strcspn(name, "\n")] = '\0';
    return true;
}

// The place of this backend: its own, or a new one; -1: there are too many.
static int place_of(struct spread *spread, const char *host, int port)
{
    for (int i = 0; i < spread->count; i++)
        if (!strcmp(spread->places[i].host, host) && spread->places[i].port == port)
            return i;
    return spread_add(spread, host, port);
}

static struct session *as_service_says(struct spread *spread)
{
    char name[300], lost[300] = "", host[256];
    int port;
    for (int tries = 0; tries < TRIES_MAX && ask_service(spread, lost, name); tries++) {
        int place = -1;
        if (backend_split(name, host, &port))
            place = place_of(spread, host, port);
        if (place < 0)
            return NULL;
        struct session *session = session_of(spread, place);
        if (session)
            return session;
        snprintf(lost, sizeof lost, "%s", name);
    }
    return NULL;
}

// ---- solutions 2 and 4: in turn ------------------------------------------------------------

struct session *spread_next(struct spread *spread)
{
    if (spread->lookaside)
        return as_service_says(spread);
    for (int tries = 0; tries < spread->count; tries++) {
        struct session *session = session_of(spread, spread->next++ % spread->count);
        if (session)
            return session;
    }
    return NULL;
}

void spread_close(struct spread *spread)
{
    for (int i = 0; i < spread->count; i++)
        session_close(spread->places[i].session);
    *spread = (struct spread){0};
    fetch_close(&service);
}

// Sends and takes what there is, and waits at most `ms` for something.
static void step(struct spread *spread, int ms)
{
    struct session *sessions[SPREAD_SESSIONS];
    for (int i = 0; i < spread->count; i++)
        sessions[i] = spread->places[i].session;
    sessions_step(sessions, spread->count, ms);
}

// ---- a number of requests ------------------------------------------------------------------

static bool is_good(const struct ask *ask)
{
    return !ask->failed && ask->status == 200 && ask->grpc_status <= 0;
}

static void begin(struct spread *spread, struct load *load, struct ask *ask)
{
    struct session *session = spread_next(spread);
    *ask = load->like;
    while (session && !session_ask(session, ask)) {
        if (session->socket.fd < 0 || session->transport.went_away)
            session = spread_next(spread);
        else // as many as the server allows are under way
            step(spread, 10);
    }
    if (!session)
        ask->done = ask->failed = true;
}

void spread_run(struct spread *spread, struct load *load)
{
    static struct ask asks[AT_ONCE_MAX];
    int begun = 0, done = 0;
    int64_t patience_ns = now_ns() + PATIENCE_MS * INT64_C(1000000);
    bool used[AT_ONCE_MAX] = {false};
    while (done < load->requests && now_ns() < patience_ns) {
        for (int i = 0; i < load->at_once; i++) {
            if (used[i] && asks[i].done) {
                used[i] = false;
                done++;
                load->errors += !is_good(&asks[i]);
                if (load->ended)
                    load->ended(&asks[i]);
            }
            if (!used[i] && begun < load->requests) {
                used[i] = true;
                begun++;
                begin(spread, load, &asks[i]);
                if (load->sent) {
                    step(spread, 0);
                    load->sent(begun);
                }
            }
        }
        bool ready = done == load->requests;
        for (int i = 0; i < load->at_once; i++)
            ready = ready || (used[i] && asks[i].done);
        if (!ready)
            step(spread, 1000);
    }
    if (done < load->requests)
        die("%d of %d requests have no answer", load->requests - done, load->requests);
}
