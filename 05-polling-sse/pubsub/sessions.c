// sessions.c: see sessions.h. Read session_queue() first, then session_next(), session_sent()
// and what the acknowledgements do.
#include "sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS        16384 // a power of two
#define QUEUE_MIN      4     // places of a queue, at first
#define RECEIVED_BYTES 8192  // a bit for each of 65536 ids

static struct session *buckets[BUCKETS];
static struct session *oldest, *newest; // the list of sessions without a connection
static uint64_t seed, dropped;
static uint32_t count;

// ---- all sessions --------------------------------------------------------------------------

static struct session **bucket_of(struct mqtt_text id)
{
    uint64_t hash = seed;
    for (uint32_t i = 0; i < id.length; i++)
        hash = (hash ^ (uint8_t)id.at[i]) * 0x100000001b3;
    return &buckets[(hash ^ hash >> 32) & (BUCKETS - 1)];
}

struct session *session_find(struct mqtt_text id)
{
    struct session *session = *bucket_of(id);
    while (session && !mqtt_same((struct mqtt_text){session->id, session->id_length}, id))
        session = session->next;
    return session;
}

// Puts a session at the end of the list of sessions without a connection; takes it out.
static void enlist(struct session *session)
{
    session->older = newest;
    session->newer = NULL;
    if (newest)
        newest->newer = session;
    else
        oldest = session;
    newest = session;
}

static void delist(struct session *session)
{
    if (session->older)
        session->older->newer = session->newer;
    else
        oldest = session->newer;
    if (session->newer)
        session->newer->older = session->older;
    else
        newest = session->older;
    session->older = session->newer = NULL;
}

struct session *session_new(struct mqtt_text id)
{
    if (!seed && getrandom(&seed, sizeof seed, 0) < 0)
        return NULL;
    if (count >= SESSIONS_MAX && oldest)
        session_end(oldest);
    struct session *session = calloc(1, sizeof *session + id.length);
    if (!session)
        return NULL;
    struct session **bucket = bucket_of(id);
    session->id_length = (uint16_t)id.length;
    if (id.length)
        memcpy(session->id, id.at, id.length);
    session->next = *bucket;
    *bucket = session;
    count++;
    enlist(session);
    return session;
}

void session_end(struct session *session)
{
    struct session **at = bucket_of((struct mqtt_text){session->id, session->id_length});
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    count--;
    if (!session->client)
        delist(session);
    topics_unsubscribe_all(session);
    for (uint32_t i = 0; i < session->queue_count; i++)
        message_drop(
            session->queue[(session->queue_first + i) & (session->queue_size - 1)].message);
    for (int i = 0; i < session->flight_count; i++)
        message_drop(session->flights[i].message);
    free(session->queue);
    free(session->flights);
    free(session->received);
    free(session);
}

void sessions_end(void)
{
    for (int i = 0; i < BUCKETS; i++)
        while (buckets[i])
            session_end(buckets[i]);
}

void session_connected(struct session *session, struct client *client)
{
    delist(session);
    session->client = client;
}

void session_away(struct session *session)
{
    session->client = NULL;
    enlist(session);
    for (int i = 0; i < session->flight_count; i++)
        session->flights[i].unsent = true;
}

uint32_t sessions_count(void)
{
    return count;
}

uint64_t sessions_dropped(void)
{
    return dropped;
}

// ---- messages that wait --------------------------------------------------------------------

// The queue is a ring. Makes it twice as large. False: no memory.
static bool grow_queue(struct session *session)
{
    uint32_t size = QUEUE_MIN;
    if (session->queue_size)
        size = 2 * session->queue_size;
    struct waiting *queue = malloc(size * sizeof *queue);
    if (!queue)
        return false;
    for (uint32_t i = 0; i < session->queue_count; i++)
        queue[i] = session->queue[(session->queue_first + i) & (session->queue_size - 1)];
    free(session->queue);
    session->queue = queue;
    session->queue_size = size;
    session->queue_first = 0;
    return true;
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
    if (is_full(session, size) ||
        (session->queue_count == session->queue_size && !grow_queue(session))) {
        session->dropped++;
        dropped++;
        return false;
    }
    uint32_t at = (session->queue_first + session->queue_count) & (session->queue_size - 1);
    session->queue[at] = (struct waiting){message_keep(message), qos, retain};
    session->queue_count++;
    session->queue_bytes += size;
    return true;
}

// ---- messages on their way -----------------------------------------------------------------

static struct flight *find_flight(const struct session *session, uint16_t id)
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

bool session_next(const struct session *session, struct outgoing *next)
{
    for (int i = 0; i < session->flight_count; i++) {
        const struct flight *flight = &session->flights[i];
        if (!flight->unsent)
            continue;
        *next = (struct outgoing){flight->message, flight->id, flight->qos, flight->dup,
                                  flight->retain};
        return true;
    }
    if (session->queue_count == 0)
        return false;
    const struct waiting *first = &session->queue[session->queue_first];
    if (first->qos > 0 && session->flight_count == SESSION_FLIGHTS_MAX)
        return false; // the messages behind it wait, too: the order is kept (§4.6)
    *next = (struct outgoing){first->message, 0, first->qos, false, first->retain};
    if (first->qos > 0)
        next->id = free_id(session);
    return true;
}

static void sent_first(struct session *session, const struct outgoing *sent)
{
    session->queue_first = (session->queue_first + 1) & (session->queue_size - 1);
    session->queue_count--;
    session->queue_bytes -= message_size(sent->message);
    if (session->queue_count == 0 && session->queue_size > QUEUE_MIN) {
        free(session->queue);
        session->queue = NULL;
        session->queue_size = session->queue_first = 0;
    }
    if (sent->qos == 0) {
        message_drop(sent->message);
        return;
    }
    session->last_id = sent->id;
    session->flights[session->flight_count++] =
        (struct flight){sent->message, sent->id, sent->qos, sent->retain, true, false};
}

bool session_sent(struct session *session, const struct outgoing *sent)
{
    struct flight *flight = find_flight(session, sent->id); // QoS 0: no flight has the id 0
    if (flight) {
        flight->unsent = false;
        flight->dup = true;
        return true;
    }
    if (sent->qos > 0 && !session->flights)
        session->flights = calloc(SESSION_FLIGHTS_MAX, sizeof *session->flights);
    if (sent->qos > 0 && !session->flights)
        return false;
    sent_first(session, sent);
    return true;
}

static void land(struct session *session, struct flight *flight)
{
    struct flight *end = session->flights + session->flight_count--;
    message_drop(flight->message);
    memmove(flight, flight + 1, (size_t)(end - flight - 1) * sizeof *flight);
}

void session_puback(struct session *session, uint16_t id)
{
    struct flight *flight = find_flight(session, id);
    if (flight && flight->qos == 1)
        land(session, flight);
}

bool session_pubrec(struct session *session, uint16_t id)
{
    struct flight *flight = find_flight(session, id);
    if (!flight || flight->qos != 2)
        return false;
    message_drop(flight->message);
    flight->message = NULL;
    flight->unsent = false;
    return true;
}

void session_pubcomp(struct session *session, uint16_t id)
{
    struct flight *flight = find_flight(session, id);
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
