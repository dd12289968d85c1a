// cast.h: the clients of a scene: all in this program, each with a connection of its own.
#ifndef CAST_H
#define CAST_H

#include <sys/types.h>

#include "mqtt_client.h"

// One client of a scene.
struct player {
    struct mqtt_client client; // first
    const char *name;          // its client id, and its name on the timeline
    bool shown;                // its packets are on the timeline
    int messages;              // that have come
    int completed;             // of its own: for which PUBACK or PUBCOMP has come
    void (*told)(struct player *player, const struct mqtt_packet *packet);
    // In place of told(): false: the message is not acknowledged.
    bool (*asked)(struct player *player, const struct mqtt_packet *packet);
};

// Where the broker is.
void cast_broker(const char *host, int port);

// Connects a player, with a clean session or with the one that the broker has kept. Dies if it
// is refused.
void player_enter(struct player *player, const char *name, bool clean);

// The same with a will.
void player_enter_with(struct player *player, const char *name, bool clean, const char *topic,
                       const char *will);

void player_subscribe(struct player *player, const char *filter, uint8_t qos);
void player_publish(struct player *player, const char *topic, const char *text, uint8_t qos);

// Publishes, and does not wait for the answer. Returns the packet's id. `again`: the id of the
// one that this repeats (DUP), or 0.
uint16_t player_send(struct player *player, const char *topic, const char *text, uint8_t qos,
                     uint16_t again);

// Waits until there is something to read: what has come, nobody has seen.
void player_await(struct player *player);

// Steps all players whenever something comes for them, until until() is true. False: it was not
// within `ms`.
bool cast_play(struct player *const *players, int count, bool (*until)(void), int ms);

// Leaves: with DISCONNECT; without a word.
void player_leave(struct player *player);
void player_cut(struct player *player);

// Runs a part of the scene in a process of its own, which can be killed. It ends with this one.
pid_t cast_start(void (*run)(void));

// Ends it at once, as kill -9 and power failures do.
void cast_kill(pid_t pid);

// The text of a message, as a string in static memory; as a number.
const char *message_string(struct mqtt_text text);
int message_number(const struct mqtt_packet *packet);

// One of the broker's own figures, as it is now.
long broker_figure(const char *topic);

#endif
