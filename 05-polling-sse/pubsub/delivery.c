// delivery.c: see delivery.h. Read publish() first, then deliver().
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "retained.h"

#define WORKERS_ASKED 16 // of a shared subscription, to find the one with the least to do
#define ROOM_MIN      16 // bytes of room with which a message is begun

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
        uint32_t size = match_size ? 2 * match_size : 64;
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

// How many messages a worker has not finished yet. One that is away, or full, comes last.
static uint32_t work_of(const struct session *session)
{
    uint32_t work = session->queue_count + session->flight_count;
    if (!session->client || session->queue_count >= SESSION_MESSAGES_MAX)
        work += 2 * SESSION_MESSAGES_MAX;
    return work;
}

// Of those who share the work, the one with the least of it; if all have the same, in turn.
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
        uint8_t qos = matches[i].qos < message->qos ? matches[i].qos : message->qos;
        if (!session->client && qos == 0) // it is away: this message is not for later
            figures.missed++;
        else if (session_queue(session, message, qos, false) && session->client &&
                 !session->client->conn.wake)
            conn_wake(&session->client->conn);
    }
    if (match_size > 64) {
        free(matches);
        matches = NULL;
        match_size = match_count = 0;
    }
}

// ---- from the queue to the connection ------------------------------------------------------

// Writes the bytes from *at on of the text that stands at *from in the packet, as far as there
// is room.
static void write_some(struct client *client, const char *text, size_t length, size_t *from)
{
    size_t done = client->part_at > *from ? client->part_at - *from : 0;
    size_t room = conn_room(&client->conn);
    *from += length;
    if (done >= length)
        return;
    size_t some = length - done < room ? length - done : room;
    memcpy(conn_space(&client->conn), text + done, some);
    conn_wrote(&client->conn, some);
    client->part_at += some;
}

// Writes (the rest of) the message that was begun. A message is one head, its topic, its id and
// its payload; of a large one a part finds room.
static void write_part(struct client *client)
{
    const struct outgoing *part = &client->part;
    struct message *message = part->message;
    char head[MQTT_HEAD_MAX + 2], id[2] = {(char)(part->id >> 8), (char)part->id};
    size_t from = 0, id_length = part->qos ? sizeof id : 0;
    size_t rest = 2 + message->topic_length + id_length + message->payload_length;
    unsigned flags = (unsigned)part->dup << 3 | (unsigned)part->qos << 1 | part->retain;
    size_t head_length = mqtt_write_head(head, MQTT_PUBLISH, flags, rest);
    head[head_length++] = (char)(message->topic_length >> 8);
    head[head_length++] = (char)message->topic_length;
    write_some(client, head, head_length, &from);
    write_some(client, message->bytes, message->topic_length, &from);
    write_some(client, id, id_length, &from);
    write_some(client, message->bytes + message->topic_length, message->payload_length, &from);
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
            message_keep(next.message); // QoS 0: the session forgets it now
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
