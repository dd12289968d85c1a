// delivery.h: the way of a message through the broker: from the publisher into the queue of
// each session that has a filter for it, and from this queue to the session's connection.
#ifndef DELIVERY_H
#define DELIVERY_H

#include "buffer.h"
#include "loop.h"
#include "sessions.h"

// A connection, and what belongs to it alone. What outlives the connection is in its session.
struct client {
    struct conn conn;        // of the loop: first
    struct link silent;      // neighbours in the list of connections without a CONNECT
    struct session *session; // NULL: no CONNECT yet, or the client has left
    struct message *will;    // the broker publishes it when the client is lost
    struct buffer gathered;  // the bytes of a large packet that have come so far
    struct outgoing part;    // a message that is written in part
    size_t part_at;          // how many of its bytes are written
    uint16_t keep_alive_s;
    bool begun;   // a packet has begun to come, or CONNECT is due: it has a deadline, too
    bool left;    // the client has left: the broker ignores what still comes
    bool waiting; // the connection is in the list of those without a CONNECT
};

// Puts the message into the queue of each session that has a filter for it, and keeps it if its
// publisher asked to retain it.
void publish(struct message *message);

// Writes the messages that wait for a client, as far as there is room. True if it wrote any.
bool deliver(struct client *client);

// Answers with a packet that is only an id. The caller knows that there is room for it.
void answer_id(struct client *client, enum mqtt_type type, uint16_t id);

#endif
