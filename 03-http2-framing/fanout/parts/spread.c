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

// A connection is open, or is opened now. A lost one is opened anew: the server may be back.
static bool is_there(struct spread *spread, int i, const char *host, int port)
{
    struct session *session = spread->sessions[i];
    bool old = session && (session->socket.fd < 0 || session->transport.went_away);
    if (session && !old)
        return true;
    if (session && session->under_way > 0) // its answers are still to come
        return false;
    session_close(session);
    spread->sessions[i] = session_open(host, port);
    spread->opened += spread->sessions[i] != NULL;
    if (i >= spread->count)
        spread->count = i + 1;
    return spread->sessions[i] != NULL;
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

// The place of the connection to this backend: its own, or a new one.
static int place_of(const struct spread *spread, const char *name)
{
    int i = 0;
    while (i < spread->count && strcmp(spread->hosts[i], name))
        i++;
    return i;
}

static struct session *as_service_says(struct spread *spread)
{
    char name[300] = "", lost[300] = "", host[256];
    int port;
    for (int tries = 0; tries < TRIES_MAX && ask_service(spread, lost, name); tries++) {
        int i = place_of(spread, name);
        if (i == SPREAD_SESSIONS || !backend_split(name, host, &port))
            return NULL;
        snprintf(spread->hosts[i], sizeof spread->hosts[i], "%.255s", name);
        if (is_there(spread, i, host, port))
            return spread->sessions[i];
        snprintf(lost, sizeof lost, "%s", name);
    }
    return NULL;
}

// ---- solutions 2 and 4: in turn ------------------------------------------------------------

struct session *spread_next(struct spread *spread)
{
    int places = spread->backend_count;
    if (spread->lookaside)
        return as_service_says(spread);
    if (places == 0)
        places = spread->connections ? spread->connections : 1;
    for (int tries = 0; tries < places; tries++) {
        int i = spread->next++ % places;
        const char *host = spread->host;
        int port = spread->port;
        if (spread->backend_count > 0) {
            host = spread->backends[i].host;
            port = spread->backends[i].port;
        }
        if (is_there(spread, i, host, port))
            return spread->sessions[i];
    }
    return NULL;
}

void spread_close(struct spread *spread)
{
    for (int i = 0; i < spread->count; i++) {
        session_close(spread->sessions[i]);
        spread->sessions[i] = NULL;
    }
    spread->count = spread->next = spread->opened = 0;
    fetch_close(&service);
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
            sessions_step(spread->sessions, spread->count, 10);
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
                    sessions_step(spread->sessions, spread->count, 0);
                    load->sent(begun);
                }
            }
        }
        bool ready = done == load->requests;
        for (int i = 0; i < load->at_once; i++)
            ready = ready || (used[i] && asks[i].done);
        if (!ready)
            sessions_step(spread->sessions, spread->count, 1000);
    }
    if (done < load->requests)
        die("%d of %d requests have no answer", load->requests - done, load->requests);
}
