// delivery.h: the way of a message through the broker: from the publisher to the sessions whose
// filters match, and from each session's queue to its connection.
#ifndef DELIVERY_H
#define DELIVERY_H

#include "buffer.h"
#include "loop.h"
#include "sessions.h"

// A connection, and what belongs to it alone. What outlives it is in its session.
struct client {
    struct conn conn;               // of the loop: first
    struct client *before, *behind; // of those that have not said CONNECT yet
    struct session *session;        // NULL: not connected yet, or not any more
    struct message *will;           // to be published when the client is lost
    struct buffer gathered;         // a large packet of which the rest has to come
    struct outgoing part;           // a message of which the rest has to be written
    size_t part_at;                 // bytes of it that are written
    int64_t silent_ns, packet_ns;   // when it has been silent, a packet late, too long
    uint16_t keep_alive_s;
    bool left;    // it was a client's, and is not any more: what still comes counts for nothing
    bool waiting; // for its CONNECT
};

// What the broker has done since its start.
struct figures {
    uint64_t received, sent; // PUBLISH packets
    uint64_t missed;         // messages of QoS 0 for a client that was away
    uint64_t dropped;        // messages for which there was no memory
    uint32_t connected;
};
extern struct figures figures;

// Gives the message to all sessions with a filter that matches it; keeps it, if it is to be
// retained.
void publish(struct message *message);

// Writes what waits for a client, as far as there is room. True if it wrote anything.
bool deliver(struct client *client);

// Answers with a packet that is only an id: there is room for it.
void answer_id(struct client *client, enum mqtt_type type, uint16_t id);

#endif
