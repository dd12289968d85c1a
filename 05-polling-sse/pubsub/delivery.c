// delivery.c: see delivery.h. Read publish() first, then deliver().
#include "delivery.h"

#include <string.h>

#include "log.h"
#include "retained.h"
#include "smaller.h"

#define WORKERS_ASKED 16 // of a shared subscription, to find the worker with the least work
#define ROOM_MIN      16 // bytes of room with which a message is begun

static struct message *published; // while publish() finds its subscribers
static struct session *matches;   // those that get it because of filters of their own

// ---- from the publisher to the queues ------------------------------------------------------

static void queue_for(struct session *session, uint8_t qos)
{
    if (session_queue(session, published, qos, false) && session->client &&
        !session->client->conn.wake)
        conn_wake(&session->client->conn);
}

// Two filters of one client may match: it gets the message once, with the higher QoS (§3.3.5).
static void add_match(const struct subscription *subscription)
{
    struct session *session = subscription->session;
    if (!session->matched) {
        session->matched = true;
        session->match_qos = subscription->qos;
        session->next_match = matches;
        matches = session;
    } else if (session->match_qos < subscription->qos) {
        session->match_qos = subscription->qos;
    }
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

// Chooses, of the workers that share a subscription, the one with the least work; it goes to
// the end of the list. So, if all have the same, they take turns.
static const struct subscription *choose_worker(struct group *group)
{
    struct link *list = &group->members, *link = list->next;
    struct subscription *best = NULL;
    for (int i = 0; link != list && i < WORKERS_ASKED; i++, link = link->next) {
        struct subscription *one = link->owner;
        if (!best || work_of(one->session) < work_of(best->session))
            best = one;
    }
    list_remove(&best->member);
    list_append(list, &best->member, best);
    return best;
}

static void match_group(struct group *group)
{
    const struct link *list = &group->members, *link = list->next;
    if (group->name.length > 0) {
        const struct subscription *worker = choose_worker(group);
        queue_for(worker->session, worker->qos);
        return;
    }
    for (; link != list; link = link->next)
        add_match(link->owner);
}

void publish(struct message *message)
{
    if (message->topic.at[0] == '$') // these topics are the broker's own (§4.7.2)
        return;
    if (message->retain && !retained_set(message))
        figures.dropped++;
    published = message;
    topics_match(message->topic, match_group);
    for (; matches; matches = matches->next_match) {
        matches->matched = false;
        queue_for(matches, matches->match_qos);
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
    size_t some = smaller(length - done, room);
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
                                 .topic = message->topic,
                                 .payload = message->payload};
    size_t from = 0;
    write_some(client, head, mqtt_write_publish(head, &packet), &from);
    write_some(client, packet.payload.at, packet.payload.length, &from);
    if (client->part_at == from) {
        message_drop(message);
        client->part.message = NULL;
    }
}

static void begin_message(struct client *client)
{
    const struct outgoing part = client->part;
    const char *id = client->session->id.at;
    figures.sent++;
    client->part_at = 0;
    write_part(client);
    if (part.qos > 0)
        log_line("PUBLISH to %s, QoS %d, id %d%s", id, part.qos, part.id,
                 part.dup ? ", DUP" : "");
    else
        log_line("PUBLISH to %s, QoS 0", id);
}

bool deliver(struct client *client)
{
    struct conn *conn = &client->conn;
    struct outgoing *part = &client->part;
    size_t room = conn_room(conn);
    if (part->message)
        write_part(client);
    while (client->session && conn_room(conn) >= ROOM_MIN &&
           session_next(client->session, part)) {
        if (part->message) {
            begin_message(client);
        } else {
            answer_id(client, MQTT_PUBREL, part->id);
            log_line("PUBREL to %s, id %d", client->session->id.at, part->id);
        }
    }
    return conn_room(conn) != room;
}

void answer_id(struct client *client, enum mqtt_type type, uint16_t id)
{
    conn_wrote(&client->conn, mqtt_write_id(conn_space(&client->conn), type, id));
}
