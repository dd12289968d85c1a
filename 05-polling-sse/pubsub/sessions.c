// sessions.c: see sessions.h. Read session_queue() first, then session_next() and what the
// acknowledgements do.
#include "sessions.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MIN      4    // places of a queue, at first
#define RECEIVED_BYTES 8192 // a bit for each of 65536 ids

static void *sessions; // by the client's id: a tree of tsearch(3)
// Those without a connection; the one that is away longest comes first.
static struct link away = {&away, &away, NULL};

struct figures figures;

static struct outgoing *queue_at(const struct session *session, uint32_t index)
{
    return &session->queue[(session->queue_first + index) & (session->queue_size - 1)];
}

// ---- all sessions --------------------------------------------------------------------------

struct session *session_find(struct mqtt_text id)
{
    struct session **found = tfind(&id, &sessions, mqtt_order);
    if (!found)
        return NULL;
    return *found;
}

struct session *session_new(struct mqtt_text id)
{
    if (figures.sessions >= SESSIONS_MAX && away.next != &away)
        session_end(away.next->owner);
    struct session *session = calloc(1, sizeof *session + id.length + 1);
    if (!session)
        return NULL;
    session->id = mqtt_copy(session->bytes, id);
    if (!tsearch(session, &sessions, mqtt_order)) {
        free(session);
        return NULL;
    }
    list_append(&away, &session->away, session);
    figures.sessions++;
    return session;
}

void session_end(struct session *session)
{
    tdelete(session, &sessions, mqtt_order);
    figures.sessions--;
    if (!session->client)
        list_remove(&session->away);
    topics_unsubscribe_all(session);
    for (uint32_t i = 0; i < session->queue_count; i++)
        message_drop(queue_at(session, i)->message);
    for (int i = 0; i < session->flight_count; i++)
        message_drop(session->flights[i].message);
    free(session->queue);
    free(session->flights);
    free(session->received);
    free(session);
}

void sessions_end(void)
{
    while (sessions)
        session_end(*(struct session **)sessions);
}

void session_connected(struct session *session, struct client *client)
{
    list_remove(&session->away);
    session->client = client;
}

void session_away(struct session *session)
{
    session->client = NULL;
    list_append(&away, &session->away, session);
    for (int i = 0; i < session->flight_count; i++)
        session->flights[i].unsent = true;
}

// ---- messages that wait --------------------------------------------------------------------

// Makes room for one more message. False: no memory.
static bool grow_queue(struct session *session)
{
    uint32_t size = QUEUE_MIN;
    if (session->queue_count < session->queue_size)
        return true;
    if (session->queue_size)
        size = 2 * session->queue_size;
    struct outgoing *queue = malloc(size * sizeof *queue);
    if (!queue)
        return false;
    for (uint32_t i = 0; i < session->queue_count; i++)
        queue[i] = *queue_at(session, i);
    free(session->queue);
    session->queue = queue;
    session->queue_size = size;
    session->queue_first = 0;
    return true;
}

// Makes room for messages on their way. False: no memory.
static bool have_flights(struct session *session)
{
    if (!session->flights)
        session->flights = calloc(SESSION_FLIGHTS_MAX, sizeof *session->flights);
    return session->flights;
}

// True if there is no room for one more message. All sessions together have a limit, too. But
// each session may always keep a little: so slow subscribers cannot take all from a quick one.
static bool is_full(const struct session *session, uint32_t size)
{
    uint32_t bytes = session->queue_bytes + size;
    if (session->queue_count >= SESSION_MESSAGES_MAX || bytes > SESSION_BYTES_MAX)
        return true;
    return messages_bytes() > MESSAGES_TOTAL && bytes > SESSION_BYTES_SURE;
}

bool session_queue(struct session *session, struct message *message, uint8_t qos, bool retain)
{
    uint32_t size = message_size(message);
    if (message->qos < qos)
        qos = message->qos;
    if (!session->client && qos == 0) // the client is away: QoS 0 does not wait for it
        return false;
    if (is_full(session, size) || !grow_queue(session) || (qos > 0 && !have_flights(session))) {
        figures.dropped++;
        return false;
    }
    *queue_at(session, session->queue_count++) =
        (struct outgoing){.message = message_keep(message), .qos = qos, .retain = retain};
    session->queue_bytes += size;
    return true;
}

// ---- messages on their way -----------------------------------------------------------------

static struct outgoing *find_flight(const struct session *session, uint16_t id)
{
    for (int i = 0; i < session->flight_count; i++)
        if (session->flights[i].id == id)
            return &session->flights[i];
    return NULL;
}

// An id that no message on its way to this client has (§2.3.1).
static uint16_t free_id(const struct session *session)
{
    uint16_t id = session->last_id;
    do
        id++;
    while (id == 0 || find_flight(session, id));
    return id;
}

static void leave_queue(struct session *session)
{
    session->queue_bytes -= message_size(queue_at(session, 0)->message);
    session->queue_first++;
    session->queue_count--;
    if (session->queue_count == 0 && session->queue_size > QUEUE_MIN) {
        free(session->queue);
        session->queue = NULL;
        session->queue_size = 0;
    }
}

bool session_next(struct session *session, struct outgoing *next)
{
    for (int i = 0; i < session->flight_count; i++) {
        struct outgoing *flight = &session->flights[i];
        if (!flight->unsent)
            continue;
        *next = *flight;
        message_keep(flight->message);
        flight->unsent = false;
        return true;
    }
    if (session->queue_count == 0)
        return false;
    const struct outgoing *first = queue_at(session, 0);
    if (first->qos > 0 && session->flight_count == SESSION_FLIGHTS_MAX)
        return false; // the messages behind it wait, too: the order is kept (§4.6)
    *next = *first;
    leave_queue(session);
    if (next->qos == 0)
        return true;
    next->id = session->last_id = free_id(session);
    struct outgoing *flight = &session->flights[session->flight_count++];
    *flight = *next;
    flight->dup = true; // if it is sent again
    message_keep(flight->message);
    return true;
}

static void land(struct session *session, struct outgoing *flight)
{
    struct outgoing *end = session->flights + session->flight_count--;
    message_drop(flight->message);
    memmove(flight, flight + 1, (size_t)(end - flight - 1) * sizeof *flight);
}

void session_puback(struct session *session, uint16_t id)
{
    struct outgoing *flight = find_flight(session, id);
    if (flight && flight->qos == 1)
        land(session, flight);
}

void session_pubrec(struct session *session, uint16_t id)
{
    struct outgoing *flight = find_flight(session, id);
    if (!flight || flight->qos != 2)
        return;
    message_drop(flight->message);
    flight->message = NULL;
    flight->unsent = false;
}

void session_pubcomp(struct session *session, uint16_t id)
{
    struct outgoing *flight = find_flight(session, id);
    if (flight && flight->qos == 2 && !flight->message)
        land(session, flight);
}

// ---- messages of QoS 2 that come -----------------------------------------------------------

bool session_receive(struct session *session, uint16_t id, bool *is_new)
{
    if (!session->received)
        session->received = calloc(1, RECEIVED_BYTES);
    if (!session->received)
        return false;
    uint8_t bit = (uint8_t)(1 << (id & 7)), *byte = &session->received[id >> 3];
    *is_new = !(*byte & bit);
    *byte |= bit;
    session->received_count += *is_new;
    return true;
}

void session_release(struct session *session, uint16_t id)
{
    uint8_t bit = (uint8_t)(1 << (id & 7));
    if (!session->received || !(session->received[id >> 3] & bit))
        return;
    session->received[id >> 3] &= (uint8_t)~bit;
    if (--session->received_count == 0) {
        free(session->received);
        session->received = NULL;
    }
}
