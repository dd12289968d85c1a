// chat_server.c: see chat_server.h. Read take_bytes() first, then say().
#include "chat_server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "net.h"

#define PEOPLE_MAX 16
#define LINE_MAX   80
#define TOPIC      "rooms/lobby"

static struct person {
    int fd;
    char line[LINE_MAX]; // the part of a line that has come
    size_t length;
} people[PEOPLE_MAX];
static int count;

static struct player broker = {.client.fd = -1}; // the server's connection to the broker

static void tell_all(const char *line, size_t length)
{
    for (int i = 0; i < count; i++)
        if (!write_all(people[i].fd, line, length))
            die("cannot write to a person: %s", strerror(errno));
}

static void take_message(struct player *player, const struct mqtt_packet *packet)
{
    (void)player;
    tell_all(packet->payload.at, packet->payload.length);
}

// A person has said a line. All people of this server are told at once, or, with a broker, when
// the broker delivers the line to the servers.
static void say(const char *line, size_t length)
{
    struct mqtt_packet packet = {.type = MQTT_PUBLISH,
                                 .qos = 1,
                                 .topic = mqtt_text(TOPIC),
                                 .payload = {line, (uint32_t)length}};
    if (broker.client.fd < 0) {
        tell_all(line, length);
        return;
    }
    packet.id = client_next_id(&broker.client);
    if (!client_send(&broker.client, &packet))
        die("cannot publish: %s", broker.client.why);
}

static void welcome(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || count == PEOPLE_MAX)
        die("cannot accept a person");
    people[count++] = (struct person){.fd = fd};
    if (!write_all(fd, CHAT_WELCOME "\n", strlen(CHAT_WELCOME "\n")))
        die("cannot write to a person: %s", strerror(errno));
}

static void take_bytes(struct person *person)
{
    ssize_t got =
        read(person->fd, person->line + person->length, sizeof person->line - person->length);
    if (got <= 0)
        die("a person is gone, or says a line of more than %d bytes", LINE_MAX);
    person->length += (size_t)got;
    char *end = memchr(person->line, '\n', person->length);
    while (end) {
        size_t line = (size_t)(end + 1 - person->line);
        say(person->line, line);
        person->length -= line;
        memmove(person->line, end + 1, person->length);
        end = memchr(person->line, '\n', person->length);
    }
}

void chat_server_run(int listener, const char *name)
{
    struct pollfd polls[PEOPLE_MAX + 2];
    if (name) {
        broker.told = take_message;
        player_enter(&broker, name, true);
        player_subscribe(&broker, TOPIC, 1);
    }
    for (;;) {
        int known = count;
        polls[0] = (struct pollfd){listener, POLLIN, 0};
        polls[1] = (struct pollfd){broker.client.fd, POLLIN, 0}; // poll() passes over -1
        for (int i = 0; i < known; i++)
            polls[i + 2] = (struct pollfd){people[i].fd, POLLIN, 0};
        if (poll(polls, (nfds_t)known + 2, -1) < 0 && errno != EINTR)
            die("cannot wait for people: %s", strerror(errno));
        if (polls[0].revents)
            welcome(listener);
        while (polls[1].revents && client_step(&broker.client, 0) > 0)
            ;
        if (name && broker.client.fd < 0)
            die("the broker: %s", broker.client.why);
        for (int i = 0; i < known; i++)
            if (polls[i + 2].revents)
                take_bytes(&people[i]);
    }
}
