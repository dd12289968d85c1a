// delivery.c: see delivery.h. Read publish() first, then deliver().
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "retained.h"

#define WORKERS_ASKED 16 // of a shared subscription, to find the worker with the least work
#define ROOM_MIN      16 // bytes of room with which a message is begun
#define MATCHES_MIN   64 // sessions of one message for which there is always room

struct figures figures;

// The sessions that get the message that is being published.
static struct match {
    struct session *session;
    uint8_t qos;
    bool shared;
} * matches;
static uint32_t match_count, match_size;

static void add_match(const struct subscription *subscription, bool shared)
{
    struct session *session = subscription->session;
    struct match *same = NULL;
    if (session->match < match_count)
        same = &matches[session->match];
    // Two filters of one client match: it gets the message once, with the higher QoS (§3.3.5).
    if (!shared && same && same->session == session && !same->shared) {
        if (same->qos < subscription->qos)
            same->qos = subscription->qos;
        return;
    }
    if (match_count == match_size) {
        uint32_t size = 2 * match_size + MATCHES_MIN;
        struct match *more = realloc(matches, size * sizeof *more);
        if (!more) {
            figures.dropped++;
            return;
        }
        matches = more;
        match_size = size;
    }
    if (!shared)
        session->match = match_count;
    matches[match_count++] = (struct match){session, subscription->qos, shared};
}

// How many messages a worker has not finished yet. A worker that is away or full counts as one
// with more work than all others.
static uint32_t work_of(const struct session *session)
{
    uint32_t work = session->queue_count + session->flight_count;
    if (!session->client || session->queue_count >= SESSION_MESSAGES_MAX)
        work += 2 * SESSION_MESSAGES_MAX;
    return work;
}

// Chooses, of the workers that share a subscription, the one with the least work. If all have
// the same, they take turns.
static const struct subscription *choose_worker(struct group *group)
{
    const struct subscription *best = NULL;
    uint32_t turn = group->turn % group->count, best_at = turn;
    for (uint32_t i = 0; i < group->count && i < WORKERS_ASKED; i++) {
        uint32_t at = (turn + i) % group->count;
        const struct subscription *one = group->members[at];
        if (!best || work_of(one->session) < work_of(best->session)) {
            best = one;
            best_at = at;
        }
    }
    group->turn = best_at + 1;
    return best;
}

static void match_group(struct group *group)
{
    if (group->name.length > 0) {
        add_match(choose_worker(group), true);
        return;
    }
    for (uint32_t i = 0; i < group->count; i++)
        add_match(group->members[i], false);
}

void publish(struct message *message)
{
    if (message->bytes[0] == '$') // these topics are the broker's own (§4.7.2)
        return;
    if (message->retain && !retained_set(message))
        figures.dropped++;
    match_count = 0;
    topics_match(message_topic(message), match_group);
    for (uint32_t i = 0; i < match_count; i++) {
        struct session *session = matches[i].session;
        uint8_t qos = matches[i].qos;
        if (message->qos < qos)
            qos = message->qos;
        if (!session->client && qos == 0) // the client is away: QoS 0 does not wait for it
            figures.missed++;
        else if (session_queue(session, message, qos, false) && session->client &&
                 !session->client->conn.wake)
            conn_wake(&session->client->conn);
    }
    if (match_size > MATCHES_MIN) {
        free(matches);
        matches = NULL;
        match_size = match_count = 0;
    }
}

// ---- from the queue to the connection ------------------------------------------------------

// Writes a text that begins at byte *from of the packet, as far as there is room, and without
// the bytes of it that are written already. Moves *from behind the text.
static void write_some(struct client *client, const char *text, size_t length, size_t *from)
{
    size_t done = 0, room = conn_room(&client->conn);
    if (client->part_at > *from)
        done = client->part_at - *from;
    *from += length;
    if (done >= length)
        return;
    size_t some = length - done;
    if (some > room)
        some = room;
    memcpy(conn_space(&client->conn), text + done, some);
    conn_wrote(&client->conn, some);
    client->part_at += some;
}

// Writes the rest of the message that was begun, or as much of it as there is room for.
static void write_part(struct client *client)
{
    static char head[MQTT_HEAD_MAX + 2 + MQTT_TEXT_MAX + 2]; // all but the payload
    const struct outgoing *part = &client->part;
    struct message *message = part->message;
    struct mqtt_packet packet = {.dup = part->dup,
                                 .retain = part->retain,
                                 .qos = part->qos,
                                 .id = part->id,
                                 .topic = message_topic(message),
                                 .payload = message_payload(message)};
    size_t from = 0;
    write_some(client, head, mqtt_write_publish(head, &packet), &from);
    write_some(client, packet.payload.at, packet.payload.length, &from);
    if (client->part_at == from) {
        message_drop(message);
        client->part.message = NULL;
    }
}

static void begin_message(struct client *client, const struct outgoing *next)
{
    const struct session *session = client->session;
    client->part = *next;
    client->part_at = 0;
    figures.sent++;
    write_part(client);
    if (next->qos > 0)
        log_line("PUBLISH to %.*s, QoS %d, id %d%s", session->id_length, session->id, next->qos,
                 next->id, next->dup ? ", DUP" : "");
    else
        log_line("PUBLISH to %.*s, QoS 0", session->id_length, session->id);
}

bool deliver(struct client *client)
{
    struct conn *conn = &client->conn;
    size_t room = conn_room(conn);
    struct outgoing next;
    if (client->part.message)
        write_part(client);
    while (client->session && conn_room(conn) >= ROOM_MIN &&
           session_next(client->session, &next)) {
        if (next.message)
            message_keep(next.message); // session_sent() drops a message of QoS 0
        if (!session_sent(client->session, &next)) {
            message_drop(next.message);
            conn_close(conn);
            break;
        }
        if (next.message) {
            begin_message(client, &next);
        } else {
            conn_wrote(conn, mqtt_write_id(conn_space(conn), MQTT_PUBREL, next.id));
            log_line("PUBREL to %.*s, id %d", client->session->id_length, client->session->id,
                     next.id);
        }
    }
    return conn_room(conn) != room;
}

void answer_id(struct client *client, enum mqtt_type type, uint16_t id)
{
    conn_wrote(&client->conn, mqtt_write_id(conn_space(&client->conn), type, id));
}
