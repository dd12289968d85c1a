// cast.c: see cast.h.
#include "cast.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "measure.h"
#include "net.h"
#include "spawn.h"
#include "story.h"

#define PLAYERS_MAX 64

static const char *broker_host;
static int broker_port;

void cast_broker(const char *host, int port)
{
    broker_host = host;
    broker_port = port;
}

// "subscriber sends PUBACK, id 3"
static void show(struct mqtt_client *client, bool sent, const struct mqtt_packet *packet)
{
    struct player *player = (struct player *)client;
    char id[16] = "", flags[40] = "";
    if (!sent && (packet->type == MQTT_PUBACK || packet->type == MQTT_PUBCOMP))
        player->completed++;
    if (!player->shown || packet->type == MQTT_CONNACK || packet->type == MQTT_SUBACK)
        return;
    if (packet->id && packet->type != MQTT_SUBSCRIBE)
        snprintf(id, sizeof id, ", id %d", packet->id);
    if (packet->type == MQTT_PUBLISH)
        snprintf(flags, sizeof flags, " QoS %d%s", packet->qos, packet->dup ? ", DUP" : "");
    story_event("%s %s %s%s%s", player->name, sent ? "sends" : "gets", mqtt_name(packet->type),
                flags, id);
}

static bool take(struct mqtt_client *client, const struct mqtt_packet *packet)
{
    struct player *player = (struct player *)client;
    player->messages++;
    if (player->asked)
        return player->asked(player, packet);
    if (player->told)
        player->told(player, packet);
    return true;
}

void player_enter(struct player *player, const char *name, bool clean)
{
    struct mqtt_connect as = {.clean = clean, .client_id = mqtt_text(name)};
    player->name = name;
    player->client.host = broker_host;
    player->client.port = broker_port;
    player->client.seen = show;
    player->client.message = take;
    if (!client_connect(&player->client, &as))
        die("%s", player->client.why);
}

void player_subscribe(struct player *player, const char *filter, uint8_t qos)
{
    if (!client_subscribe(&player->client, filter, qos))
        die("%s cannot subscribe to %s: %s", player->name, filter, player->client.why);
}

void player_publish(struct player *player, const char *topic, const char *text, uint8_t qos)
{
    if (!client_publish(&player->client, topic, text, qos, false))
        die("%s cannot publish to %s: %s", player->name, topic, player->client.why);
}

uint16_t player_send(struct player *player, const char *topic, const char *text, uint8_t qos,
                     uint16_t again)
{
    struct mqtt_packet packet = {.type = MQTT_PUBLISH,
                                 .qos = qos,
                                 .dup = again,
                                 .id = again,
                                 .topic = mqtt_text(topic),
                                 .payload = mqtt_text(text)};
    if (qos > 0 && !again)
        packet.id = client_next_id(&player->client);
    if (!client_send(&player->client, &packet))
        die("%s cannot publish to %s: %s", player->name, topic, player->client.why);
    return packet.id;
}

void player_await(struct player *player)
{
    struct pollfd in = {player->client.fd, POLLIN, 0};
    if (poll(&in, 1, CLIENT_PATIENCE_MS) != 1)
        die("nothing has come for %s", player->name);
}

// True if a whole packet may wait in memory, where poll() does not see it.
static bool has_bytes(const struct player *player)
{
    return player->client.in_length > player->client.in_used;
}

static void step(struct player *player)
{
    while (client_step(&player->client, 0) > 0)
        ;
    if (player->client.fd < 0)
        die("%s: %s", player->name, player->client.why);
}

bool cast_play(struct player *const *players, int count, bool (*until)(void), int ms)
{
    int64_t end_ns = now_ns() + ms * INT64_C(1000000);
    struct pollfd polls[PLAYERS_MAX];
    while (!until()) {
        double left_ms = ms_between(now_ns(), end_ns);
        if (left_ms <= 0)
            return false;
        int wait_ms = (int)left_ms + 1;
        for (int i = 0; i < count; i++) {
            polls[i] = (struct pollfd){players[i]->client.fd, POLLIN, 0};
            if (has_bytes(players[i]))
                wait_ms = 0;
        }
        if (poll(polls, (nfds_t)count, wait_ms) < 0 && errno != EINTR)
            die("cannot wait for messages: %s", strerror(errno));
        for (int i = 0; i < count; i++)
            if (players[i]->client.fd >= 0 && (polls[i].revents || has_bytes(players[i])))
                step(players[i]);
    }
    return true;
}

void player_leave(struct player *player)
{
    client_disconnect(&player->client);
}

void player_cut(struct player *player)
{
    if (player->shown)
        story_event("%s: cut", player->name);
    client_cut(&player->client);
}

pid_t cast_start(void (*run)(void))
{
    pid_t pid = fork();
    if (pid < 0)
        die("cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run();
        _exit(0);
    }
    return pid;
}

void cast_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    spawn_wait(pid);
}

const char *message_string(struct mqtt_text text)
{
    static char string[200];
    snprintf(string, sizeof string, "%.*s", (int)text.length, text.at);
    return string;
}

int message_number(const struct mqtt_packet *packet)
{
    return atoi(message_string(packet->payload));
}

static long figure;

static void read_figure(struct player *player, const struct mqtt_packet *packet)
{
    (void)player;
    figure = atol(message_string(packet->payload));
}

static bool has_figure(void)
{
    return figure >= 0;
}

long broker_figure(const char *topic)
{
    static struct player reader = {.client.fd = -1, .told = read_figure};
    struct player *const readers[] = {&reader};
    figure = -1;
    player_enter(&reader, "figures", true);
    player_subscribe(&reader, topic, 0);
    if (!cast_play(readers, 1, has_figure, CLIENT_PATIENCE_MS))
        die("the broker does not say %s", topic);
    player_leave(&reader);
    return figure;
}
