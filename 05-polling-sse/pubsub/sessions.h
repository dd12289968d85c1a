// sessions.h: what the broker knows of a client, connected or not: its subscriptions, the
// messages that wait for it, and the messages that are on their way to it (§4.1).
//
// The broker sends a message of QoS 0 and forgets it. It keeps a message of QoS 1 until PUBACK
// says that it has come. It keeps a message of QoS 2 until PUBREC says so, and its id until
// PUBCOMP. The receiver remembers this id until PUBREL, and so recognizes a message that comes
// again (§4.3).
#ifndef SESSIONS_H
#define SESSIONS_H

#include "list.h"
#include "message.h"
#include "mqtt.h"
#include "topics.h"

#define SESSIONS_MAX              10000   // for one more, the one that is away longest ends
#define SESSION_SUBSCRIPTIONS_MAX 100     // filters of a session
#define SESSION_MESSAGES_MAX      1000    // that wait for a session
#define SESSION_BYTES_MAX         1048576 // of the messages that wait
#define SESSION_BYTES_SURE        16384   // of the same, even when MESSAGES_TOTAL is reached
#define SESSION_FLIGHTS_MAX       20      // messages of QoS 1 and 2 that are on their way

struct client;

// What a client is to get: a PUBLISH, or, without a message, the PUBREL of an id.
struct outgoing {
    struct message *message;
    uint16_t id; // of QoS 1 and 2, once it is sent
    uint8_t qos;
    bool retain; // it was retained before the client subscribed
    bool dup;    // it was sent before; of a flight: it is sent again, if at all
    bool unsent; // it has to be sent (again)
};

struct session {
    struct mqtt_text id;        // first: mqtt_order() compares sessions by it; a NUL follows it
    struct link away;           // neighbours in the list of sessions without a connection
    struct session *next_match; // the next one that gets the message: publish()
    struct client *client;      // its connection, or NULL
    struct subscription *subscriptions;
    struct outgoing *queue;   // what waits: a ring of `queue_size`, a power of two
    struct outgoing *flights; // what was sent, and is not acknowledged to the end: QoS 1 and 2
    uint8_t *received;        // a bit for each id of QoS 2 that has come and is not released
    uint32_t subscription_count;
    uint32_t queue_first, queue_count, queue_size, queue_bytes;
    uint32_t received_count;
    uint16_t last_id;
    uint8_t flight_count;
    bool clean;        // the session ends with its connection
    bool matched;      // the session gets the message that is being published
    uint8_t match_qos; // with this QoS
    char bytes[];      // of the id
};

// What the broker has done since its start, and what it has now.
struct figures {
    uint64_t received, sent; // PUBLISH packets
    uint64_t dropped;        // messages for which there was no room, or no memory
    uint32_t connected, sessions, retained;
};
extern struct figures figures;

// The session of a client id; NULL: there is none.
struct session *session_find(struct mqtt_text id);

// A new session, not connected; NULL: no memory.
struct session *session_new(struct mqtt_text id);

// Ends a session, and frees all that belongs to it.
void session_end(struct session *session);
void sessions_end(void); // all of them

// The session has got a connection; has lost it. Messages that the client has not acknowledged
// are sent again when it comes back.
void session_connected(struct session *session, struct client *client);
void session_away(struct session *session);

// Puts a message into a session's queue, with the lower one of its own QoS and the
// subscriber's. False: it is of QoS 0 and the client is away; or there is no room, or no
// memory: then it is counted as dropped.
bool session_queue(struct session *session, struct message *message, uint8_t qos, bool retain);

// Takes what to send next: the caller sends it, and drops its message. False: there is nothing
// to send now.
bool session_next(struct session *session, struct outgoing *next);

// The acknowledgements of the receiver. An id that no message of this QoS has is ignored; the
// caller answers PUBREC with PUBREL in any case.
void session_puback(struct session *session, uint16_t id);
void session_pubrec(struct session *session, uint16_t id);
void session_pubcomp(struct session *session, uint16_t id);

// A message of QoS 2 has come; *is_new: it had not come before. False: there is no memory to
// remember its id.
bool session_receive(struct session *session, uint16_t id, bool *is_new);

// PUBREL has come: the sender may use the id for another message.
void session_release(struct session *session, uint16_t id);

#endif
