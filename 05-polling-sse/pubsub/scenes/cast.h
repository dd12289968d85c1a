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
    int messages;              // how many have come for it
    int completed;             // how many PUBACK or PUBCOMP have come for its own messages
    void (*told)(struct player *player, const struct mqtt_packet *packet);
    // In place of told(): false: the message is not acknowledged.
    bool (*asked)(struct player *player, const struct mqtt_packet *packet);
};

// Where the broker is.
void cast_broker(const char *host, int port);

// Connects a player, with a clean session or with the one that the broker has kept. Dies if it
// is refused.
void player_enter(struct player *player, const char *name, bool clean);

void player_subscribe(struct player *player, const char *filter, uint8_t qos);
void player_publish(struct player *player, const char *topic, const char *text, uint8_t qos);

// Publishes, and does not wait for the answer. Returns the packet's id. `again`: the id of the
// one that this repeats (DUP), or 0.
uint16_t player_send(struct player *player, const char *topic, const char *text, uint8_t qos,
                     uint16_t again);

// Waits until bytes have come, and reads none of them.
void player_await(struct player *player);

// Steps each player for which something comes, until until() is true. False: it has not become
// true within `ms`.
bool cast_play(struct player *const *players, int count, bool (*until)(void), int ms);

// Ends the connection: with DISCONNECT; without it, as a network does.
void player_leave(struct player *player);
void player_cut(struct player *player);

// Runs a part of the scene in a process of its own, which can be killed. That process ends when
// the scene's does.
pid_t cast_start(void (*run)(void));

// Ends such a process at once, as kill -9 and power failures do.
void cast_kill(pid_t pid);

// The text of a message: as a string in static memory, until the next call; as a number.
const char *message_string(struct mqtt_text text);
int message_number(const struct mqtt_packet *packet);

// One of the broker's own figures, as it is now.
long broker_figure(const char *topic);

#endif
