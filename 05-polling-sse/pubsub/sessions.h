// sessions.h: what the broker knows of a client, connected or not: its subscriptions, the
// messages that wait for it, and those that are on their way (§4.1).
//
// With QoS 0 a message is sent, and forgotten. With QoS 1 it is kept until PUBACK says that it
// has come. With QoS 2 it is kept until PUBREC says so, and its id until PUBCOMP; the receiver,
// too, remembers the id until PUBREL: so it knows a message that comes again (§4.3).
#ifndef SESSIONS_H
#define SESSIONS_H

#include "message.h"
#include "mqtt.h"
#include "topics.h"

#define SESSIONS_MAX              10000   // when there are more, the one longest away is lost
#define SESSION_SUBSCRIPTIONS_MAX 100     // filters of a session
#define SESSION_MESSAGES_MAX      1000    // that wait for a session
#define SESSION_BYTES_MAX         1048576 // of the messages that wait
#define SESSION_BYTES_SURE        16384   // of them a session may have even if all are full
#define SESSION_FLIGHTS_MAX       20      // messages of QoS 1 and 2 that are on their way

struct client;

// A message that waits.
struct waiting {
    struct message *message;
    uint8_t qos;
    bool retain; // it was retained: this is no news
};

// A message of QoS 1 or 2 that was sent, and is not through yet.
struct flight {
    struct message *message; // NULL: it has come (PUBREC), and PUBREL is the next step
    uint16_t id;
    uint8_t qos;
    bool retain;
    bool dup;    // it was sent before
    bool unsent; // it, or its PUBREL, has to be sent (again)
};

struct session {
    struct session *next;          // in the same bucket
    struct session *older, *newer; // of those without a connection
    struct client *client;         // its connection, or NULL
    struct subscription *subscriptions;
    struct waiting *queue; // a ring of `queue_size`, a power of two
    struct flight *flights;
    uint8_t *received; // a bit for each id of QoS 2 that has come and is not released
    uint32_t subscription_count;
    uint32_t queue_first, queue_count, queue_size, queue_bytes;
    uint32_t received_count;
    uint32_t match;   // where among those who get this message it stands; see publish()
    uint32_t dropped; // messages for which there was no room
    uint16_t last_id;
    uint8_t flight_count;
    bool clean; // it ends with its connection
    uint16_t id_length;
    char id[];
};

// What is to be sent next: a PUBLISH, or, without a message, the PUBREL of an id.
struct outgoing {
    struct message *message;
    uint16_t id;
    uint8_t qos;
    bool dup, retain;
};

// The session of a client id; NULL: there is none.
struct session *session_find(struct mqtt_text id);

// A new session, not connected; NULL: no memory.
struct session *session_new(struct mqtt_text id);

// Ends a session, and forgets all that belongs to it.
void session_end(struct session *session);
void sessions_end(void); // all of them

// The connection of a session is there, or is gone: what is not acknowledged will be sent
// again.
void session_connected(struct session *session, struct client *client);
void session_away(struct session *session);

uint32_t sessions_count(void);

// Lets a message wait for a session. False: there is no room, and it is dropped and counted.
bool session_queue(struct session *session, struct message *message, uint8_t qos, bool retain);

// What to send next. False: nothing, for now.
bool session_next(const struct session *session, struct outgoing *next);

// That was written. False: there is no memory to remember it; then it was not sent.
bool session_sent(struct session *session, const struct outgoing *sent);

// What the receiver says of a message that was sent. PUBREC: false for an id that no message of
// QoS 2 has; the caller answers with PUBREL in any case.
void session_puback(struct session *session, uint16_t id);
bool session_pubrec(struct session *session, uint16_t id);
void session_pubcomp(struct session *session, uint16_t id);

// A message of QoS 2 has come; *is_new: it had not come before. False: no memory to remember
// it.
bool session_receive(struct session *session, uint16_t id, bool *is_new);

// PUBREL: the id may be used for another message.
void session_release(struct session *session, uint16_t id);

// Messages that were dropped because a session was full, since the start.
uint64_t sessions_dropped(void);

#endif
