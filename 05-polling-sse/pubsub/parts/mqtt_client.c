// mqtt_client.c: see mqtt_client.h. Read client_step() first.
#include "mqtt_client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "net.h"

// The most bytes behind the head of a CONNECT: the protocol's name, its numbers, five strings.
#define REST_BYTES_MAX (6 + 6 + 5 * (2 + MQTT_TEXT_MAX))

// Says why something failed, and ends the connection. Returns false.
static bool fails(struct mqtt_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fails(struct mqtt_client *client, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->why, sizeof client->why, format, arguments);
    va_end(arguments);
    client_cut(client);
    return false;
}

static bool send_bytes(struct mqtt_client *client, const char *bytes, size_t length)
{
    if (!write_all(client->fd, bytes, length))
        return fails(client, "the connection is gone: %s", strerror(errno));
    return true;
}

// ---- sending -------------------------------------------------------------------------------

static size_t write_connect(char *out, const struct mqtt_connect *as)
{
    int flags = as->clean << 1 | as->has_will << 2 | as->will_qos << 3 | as->will_retain << 5 |
                as->has_password << 6 | as->has_user << 7; // §3.1.2.3
    size_t length = mqtt_write_text(out, mqtt_text("MQTT"));
    out[length++] = 4;
    out[length++] = (char)flags;
    length += mqtt_write_number(out + length, as->keep_alive_s);
    length += mqtt_write_text(out + length, as->client_id);
    if (as->has_will) {
        length += mqtt_write_text(out + length, as->will_topic);
        length += mqtt_write_text(out + length, as->will_payload);
    }
    if (as->has_user)
        length += mqtt_write_text(out + length, as->user);
    if (as->has_password)
        length += mqtt_write_text(out + length, as->password);
    return length;
}

// The rest of a CONNECT or a SUBSCRIBE is written first. Then its length is known, and the head
// is written in front of it, so that both leave with one send().
static char written[MQTT_HEAD_MAX + REST_BYTES_MAX], *const rest = written + MQTT_HEAD_MAX;

static bool send_rest(struct mqtt_client *client, enum mqtt_type type, unsigned flags,
                      size_t length)
{
    char head[MQTT_HEAD_MAX];
    size_t head_length = mqtt_write_head(head, type, flags, length);
    if (client->seen)
        client->seen(client, true, &(struct mqtt_packet){.type = type});
    memcpy(rest - head_length, head, head_length);
    return send_bytes(client, rest - head_length, head_length + length);
}

bool client_send(struct mqtt_client *client, const struct mqtt_packet *packet)
{
    static char out[MQTT_PACKET_MAX];
    size_t length;
    if (client->fd < 0)
        return false;
    if (packet->type == MQTT_PUBLISH && mqtt_publish_size(packet) > sizeof out)
        return fails(client, "a message of more than %d bytes", MQTT_PACKET_MAX);
    if (packet->type == MQTT_PUBLISH) {
        length = mqtt_write_publish(out, packet);
        length += mqtt_copy(out + length, packet->payload).length;
    } else if (packet->id) {
        length = mqtt_write_id(out, packet->type, packet->id);
    } else {
        length = mqtt_write_head(out, packet->type, 0, 0);
    }
    if (client->seen)
        client->seen(client, true, packet);
    return send_bytes(client, out, length);
}

uint16_t client_next_id(struct mqtt_client *client)
{
    if (++client->last_id == 0)
        client->last_id = 1;
    return client->last_id;
}

// ---- receiving -----------------------------------------------------------------------------

// Reads the next packet, if it comes in time.
static int read_packet(struct mqtt_client *client, int timeout_ms)
{
    int64_t until_ns = now_ns() + timeout_ms * INT64_C(1000000);
    if (client->in_used > 0) {
        client->in_length -= client->in_used;
        memmove(client->in, client->in + client->in_used, client->in_length);
        client->in_used = 0;
    }
    for (;;) {
        ssize_t size =
            mqtt_read(client->in, client->in_length, MQTT_FROM_SERVER, &client->last);
        if (size > 0) {
            client->in_used = (size_t)size;
            return 1;
        }
        if (size < 0) {
            fails(client, "the broker's %s is malformed: %s", mqtt_name(client->last.type),
                  client->last.why);
            return -1;
        }
        double left_ms = ms_between(now_ns(), until_ns);
        int wait_ms = 0;
        if (left_ms > 0)
            wait_ms = (int)left_ms + 1;
        if (poll(&(struct pollfd){client->fd, POLLIN, 0}, 1, wait_ms) == 0)
            return 0;
        ssize_t got = read(client->fd, client->in + client->in_length,
                           MQTT_PACKET_MAX - client->in_length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            fails(client, "the broker has closed the connection: %s", strerror(errno));
        if (got == 0)
            fails(client, "the broker has closed the connection");
        if (got <= 0)
            return -1;
        client->in_length += (size_t)got;
    }
}

// Gives a message to the caller, unless it has come before, and acknowledges it. (The packet is
// a copy: the caller may wait for other packets meanwhile.)
static void take_message(struct mqtt_client *client, const struct mqtt_packet packet)
{
    uint8_t bit = (uint8_t)(1 << (packet.id & 7)), *byte = &client->received[packet.id >> 3];
    bool known = packet.qos == 2 && *byte & bit, taken = true;
    if (!known)
        taken = client->message(client, &packet);
    if (packet.qos == 0 || !taken)
        return;
    if (packet.qos == 2 && !known) {
        *byte |= bit;
        client->unreleased++;
    }
    if (client->no_answers)
        return;
    enum mqtt_type answer = packet.qos == 2 ? MQTT_PUBREC : MQTT_PUBACK;
    client_send(client, &(struct mqtt_packet){.type = answer, .id = packet.id});
}

// PUBREL: the sender knows that the message has come, and may use its id for another one.
static void take_release(struct mqtt_client *client, uint16_t id)
{
    uint8_t bit = (uint8_t)(1 << (id & 7)), *byte = &client->received[id >> 3];
    if (*byte & bit)
        client->unreleased--;
    *byte &= (uint8_t)~bit;
    client_send(client, &(struct mqtt_packet){.type = MQTT_PUBCOMP, .id = id});
}

int client_step(struct mqtt_client *client, int timeout_ms)
{
    if (client->fd < 0)
        return -1;
    int got = read_packet(client, timeout_ms);
    if (got <= 0)
        return got;
    const struct mqtt_packet *last = &client->last;
    if (client->seen)
        client->seen(client, false, last);
    if (last->type == MQTT_PUBLISH)
        take_message(client, *last);
    else if (last->type == MQTT_PUBREC && !client->no_answers)
        client_send(client, &(struct mqtt_packet){.type = MQTT_PUBREL, .id = last->id});
    else if (last->type == MQTT_PUBREL && !client->no_answers)
        take_release(client, last->id);
    return 1;
}

bool client_wait(struct mqtt_client *client, enum mqtt_type type, uint16_t id)
{
    int64_t until_ns = now_ns() + CLIENT_PATIENCE_MS * INT64_C(1000000);
    while (now_ns() < until_ns) {
        int got = client_step(client, (int)ms_between(now_ns(), until_ns) + 1);
        if (got < 0)
            return false;
        if (got > 0 && client->last.type == type && (id == 0 || client->last.id == id))
            return true;
    }
    return fails(client, "no %s has come for %d seconds", mqtt_name(type),
                 CLIENT_PATIENCE_MS / 1000);
}

// ---- what a client does --------------------------------------------------------------------

bool client_connect(struct mqtt_client *client, const struct mqtt_connect *as)
{
    client->in_length = client->in_used = 0;
    if (!client->in && !(client->in = malloc(MQTT_PACKET_MAX)))
        die("no memory for a client");
    client->fd = net_connect(client->host, client->port);
    if (client->fd >= 0)
        net_send_at_once(client->fd);
    if (client->fd < 0)
        return fails(client, "cannot connect to %s:%d: %s (is the server running?)",
                     client->host, client->port, strerror(errno));
    if (!send_rest(client, MQTT_CONNECT, 0, write_connect(rest, as)) ||
        !client_wait(client, MQTT_CONNACK, 0))
        return false;
    if (client->last.code != MQTT_ACCEPTED)
        return fails(client, "the broker refuses the connection, code %d: %s",
                     client->last.code, mqtt_code_name(client->last.code));
    return true;
}

bool client_subscribe(struct mqtt_client *client, const char *filter, uint8_t qos)
{
    uint16_t id = client_next_id(client);
    if (strlen(filter) > MQTT_TEXT_MAX)
        return fails(client, "a filter of more than %d bytes", MQTT_TEXT_MAX);
    size_t length = mqtt_write_number(rest, id);
    length += mqtt_write_text(rest + length, mqtt_text(filter));
    rest[length++] = (char)qos;
    if (!send_rest(client, MQTT_SUBSCRIBE, 2, length) || !client_wait(client, MQTT_SUBACK, id))
        return false;
    if (client->last.payload.length != 1 ||
        (uint8_t)client->last.payload.at[0] == MQTT_FILTER_REFUSED)
        return fails(client, "the broker refuses the filter");
    return true;
}

bool client_publish(struct mqtt_client *client, const char *topic, const char *text,
                    uint8_t qos, bool retain)
{
    struct mqtt_packet packet = {.type = MQTT_PUBLISH,
                                 .qos = qos,
                                 .retain = retain,
                                 .topic = mqtt_text(topic),
                                 .payload = mqtt_text(text)};
    if (qos > 0)
        packet.id = client_next_id(client);
    if (!client_send(client, &packet))
        return false;
    if (qos == 0)
        return true;
    return client_wait(client, qos == 2 ? MQTT_PUBCOMP : MQTT_PUBACK, packet.id);
}

void client_disconnect(struct mqtt_client *client)
{
    client_send(client, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
    client_cut(client);
}

void client_cut(struct mqtt_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    free(client->in);
    client->in = NULL;
    client->in_length = client->in_used = 0;
}
