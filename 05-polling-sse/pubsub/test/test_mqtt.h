// test_mqtt.h: MQTT for tests: packets written by hand, and the clients of the tests.
#ifndef TEST_MQTT_H
#define TEST_MQTT_H

#include <poll.h>

#include "mqtt.h"
#include "mqtt_client.h"
#include "test_server.h"

// Bytes written in a string: {BYTES("\x10\x00")}.
#define BYTES(text) text, sizeof(text) - 1

#define CONNECT_A "\x10\x0d\0\4MQTT\4\2\0\0\0\1a"
#define CONNACK   "\x20\2\0\0"

// Starts a broker with these options.
static inline int start_broker(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./broker --quiet --port 0 %s", options);
    int port = test_start(pid, command);
    CHECK(port > 0);
    return port;
}

// Reads until nothing has come for `ms` milliseconds, or the connection is closed. Returns how
// many bytes; *open says whether the connection is still open.
static inline size_t listen_for(int fd, char *bytes, size_t size, int ms, bool *open)
{
    size_t length = 0;
    struct pollfd in = {fd, POLLIN, 0};
    *open = true;
    while (length < size && poll(&in, 1, ms) == 1) {
        ssize_t got = read(fd, bytes + length, size - length);
        if (got <= 0) {
            *open = false;
            break;
        }
        length += (size_t)got;
    }
    return length;
}

// Reads exactly these bytes, and no others before them.
static inline bool get_bytes(int fd, const char *expected, size_t length)
{
    static char bytes[70000];
    struct pollfd in = {fd, POLLIN, 0};
    size_t got = 0;
    while (got < length && poll(&in, 1, 5000) == 1) {
        ssize_t part = read(fd, bytes + got, length - got);
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    return got == length && !memcmp(bytes, expected, length);
}

// Sends bytes, and expects exactly this answer.
static inline bool ask(int fd, const char *bytes, size_t length, const char *expected,
                       size_t expected_length)
{
    return write_all(fd, bytes, length) && get_bytes(fd, expected, expected_length);
}

// A connection that has said CONNECT, as "a", with a clean session.
static inline int connected(int port)
{
    int fd = net_connect("127.0.0.1", port);
    CHECK(fd >= 0 && ask(fd, BYTES(CONNECT_A), BYTES(CONNACK)));
    return fd;
}

// True if the broker closes the connection, with or without bytes before.
static inline bool is_closed(int fd)
{
    char bytes[1000];
    bool open = true;
    struct pollfd in = {fd, POLLIN, 0};
    while (open && poll(&in, 1, 5000) == 1)
        open = read(fd, bytes, sizeof bytes) > 0;
    return !open;
}

// ---- clients -------------------------------------------------------------------------------

// The messages that a client has got, as "topic=text;".
struct taker {
    struct mqtt_client client; // first
    char got[20000];
    int count;
};

static inline bool take_text(struct mqtt_client *client, const struct mqtt_packet *packet)
{
    struct taker *taker = (struct taker *)client;
    size_t length = strlen(taker->got);
    snprintf(taker->got + length, sizeof taker->got - length, "%.*s=%.*s%s;",
             (int)packet->topic.length, packet->topic.at, (int)packet->payload.length,
             packet->payload.length ? packet->payload.at : "",
             packet->retain ? "(retained)" : "");
    taker->count++;
    return true;
}

static inline bool enter_as(struct taker *taker, int port, struct mqtt_connect as)
{
    signal(SIGPIPE, SIG_IGN);
    taker->client.host = "127.0.0.1";
    taker->client.port = port;
    taker->client.message = take_text;
    taker->got[0] = '\0';
    taker->count = 0;
    return client_connect(&taker->client, &as);
}

static inline bool enter(struct taker *taker, int port, const char *id, bool clean)
{
    return enter_as(taker, port,
                    (struct mqtt_connect){.clean = clean, .client_id = mqtt_text(id)});
}

// Waits for so many messages, and then for any more that should not come.
static inline const char *take_messages(struct taker *taker, int count)
{
    for (int i = 0; i < 100 && taker->count < count; i++)
        if (client_step(&taker->client, 100) < 0)
            break;
    // Messages that the broker sent before it answers this have come before the answer.
    client_send(&taker->client, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    client_wait(&taker->client, MQTT_PINGRESP, 0);
    return taker->got;
}

#endif
