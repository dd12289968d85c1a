// clients.c: see clients.h. Read take_connect() first, then take_subscribe().
#include "clients.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "accounts.h"
#include "log.h"
#include "retained.h"

#define CLIENT_ID_MAX 1024 // bytes; §3.1.3.1 asks for 23

int clients_max = CLIENTS_MAX;

static struct link silent = {&silent, &silent, NULL}; // the oldest comes first
static int silent_count;

// ---- connections without a CONNECT ---------------------------------------------------------

void expect_connect(struct client *client)
{
    if (silent_count >= SILENT_MAX) {
        const struct client *oldest = silent.next->owner;
        shutdown(oldest->conn.fd, SHUT_RDWR); // the loop then finds it closed
    }
    list_append(&silent, &client->silent, client);
    client->waiting = true;
    silent_count++;
}

void forget_silent(struct client *client)
{
    if (!client->waiting)
        return;
    list_remove(&client->silent);
    client->waiting = false;
    silent_count--;
}

// ---- the end of a connection ---------------------------------------------------------------

// Without a DISCONNECT a client still has its will, which the broker publishes (§3.1.2.5).
void leave(struct client *client)
{
    struct session *session = client->session;
    struct message *will = client->will;
    if (!session)
        return;
    client->session = NULL;
    client->will = NULL;
    client->left = true;
    figures.connected--;
    if (session->clean)
        session_end(session);
    else
        session_away(session);
    if (will)
        publish(will);
    message_drop(will);
}

bool reject(struct client *client, const char *what)
{
    const struct session *session = client->session;
    if (session)
        log_line("%s: closed: %s", session->id.at, what);
    else
        log_line("closed: %s", what);
    leave(client);
    return false;
}

// ---- CONNECT -------------------------------------------------------------------------------

static enum mqtt_code may_connect(const struct mqtt_connect *connect)
{
    if (!connect->known_level)
        return MQTT_WRONG_LEVEL;
    if (connect->client_id.length > CLIENT_ID_MAX)
        return MQTT_BAD_CLIENT_ID;
    if (connect->client_id.length == 0 && !connect->clean) // a kept session needs a name
        return MQTT_BAD_CLIENT_ID;
    enum mqtt_code code = accounts_check(connect);
    const struct session *own = session_find(connect->client_id);
    bool takes_over = own && own->client; // the older connection of this client will be closed
    if (code == MQTT_ACCEPTED && !takes_over && figures.connected >= (uint32_t)clients_max)
        return MQTT_UNAVAILABLE;
    return code;
}

// A client without an id gets one that no session has.
static struct mqtt_text make_id(char text[40])
{
    static unsigned long number;
    struct mqtt_text id;
    do {
        snprintf(text, 40, "client-%lu", ++number);
        id = mqtt_text(text);
    } while (session_find(id));
    return id;
}

// Finds or makes the client's session. If another connection has this session, the broker
// closes the other connection: the new one is the client's (§3.1.4).
static bool open_session(struct client *client, const struct mqtt_connect *connect,
                         bool *present)
{
    char text[40];
    struct mqtt_text id = connect->client_id;
    if (id.length == 0)
        id = make_id(text);
    struct session *session = session_find(id);
    if (session && session->client) {
        struct client *other = session->client;
        log_line("%s: taken over by another connection", session->id.at);
        leave(other);
        shutdown(other->conn.fd, SHUT_RDWR); // the loop then finds it closed
        session = session_find(id);
    }
    if (session && connect->clean) {
        session_end(session);
        session = NULL;
    }
    *present = session;
    if (!session)
        session = session_new(id);
    if (!session)
        return false;
    session->clean = connect->clean;
    session_connected(session, client);
    client->session = session;
    figures.connected++;
    return true;
}

bool take_connect(struct client *client, const struct mqtt_connect *connect)
{
    bool present = false;
    char *answer = conn_space(&client->conn);
    enum mqtt_code code = may_connect(connect);
    if (code == MQTT_ACCEPTED && connect->has_will) {
        client->will = message_new(connect->will_topic, connect->will_payload,
                                   connect->will_qos, connect->will_retain);
        if (!client->will)
            code = MQTT_UNAVAILABLE;
    }
    if (code == MQTT_ACCEPTED && !open_session(client, connect, &present))
        code = MQTT_UNAVAILABLE;
    size_t length = mqtt_write_head(answer, MQTT_CONNACK, 0, 2);
    answer[length++] = present;
    answer[length++] = (char)code;
    conn_wrote(&client->conn, length);
    forget_silent(client);
    if (code != MQTT_ACCEPTED)
        return reject(client, mqtt_code_name(code));
    client->keep_alive_s = connect->keep_alive_s;
    log_line("CONNECT of %s: %s session", client->session->id.at,
             present ? "its old" : "a new");
    return true;
}

// ---- SUBSCRIBE and UNSUBSCRIBE -------------------------------------------------------------

static void retain(const char *topic, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    struct message *message = message_new(mqtt_text(topic), mqtt_text(text), 0, true);
    if (message)
        retained_set(message);
    message_drop(message);
}

// The broker's own figures, under the topics that mosquitto has for them, are retained when a
// filter asks for them. (mosquitto publishes them every 10 seconds.)
static void refresh_figures(struct mqtt_text filter)
{
    if (filter.length < 4 || memcmp(filter.at, "$SYS", 4) != 0)
        return;
    retain("$SYS/broker/clients/connected", figures.connected);
    retain("$SYS/broker/clients/total", figures.sessions);
    retain("$SYS/broker/messages/stored", figures.retained);
    retain("$SYS/broker/publish/messages/received", figures.received);
    retain("$SYS/broker/publish/messages/sent", figures.sent);
    retain("$SYS/broker/publish/messages/dropped", figures.dropped);
}

struct retained_for {
    struct session *session;
    uint8_t qos;
};

static void give_retained(struct message *message, void *data)
{
    const struct retained_for *to = data;
    session_queue(to->session, message, to->qos, true);
}

// A shared subscription gets no retained messages (MQTT 5.0 §4.8.2).
static void match_retained(struct session *session, struct mqtt_text filter, uint8_t qos)
{
    struct mqtt_text share, bare;
    struct retained_for to = {session, qos};
    if (!filter_split(filter, &share, &bare) || share.length > 0)
        return;
    refresh_figures(bare);
    retained_match(bare, give_retained, &to);
}

bool take_subscribe(struct client *client, const struct mqtt_packet *packet)
{
    uint8_t codes[FILTERS_MAX], qos;
    size_t count = 0;
    struct mqtt_text filters = packet->payload, filter;
    while (mqtt_next_filter(&filters, &filter, &qos))
        if (++count > FILTERS_MAX)
            return reject(client, "a SUBSCRIBE with too many filters");
    count = 0;
    filters = packet->payload;
    while (mqtt_next_filter(&filters, &filter, &qos)) {
        if (topics_subscribe(client->session, filter, qos))
            match_retained(client->session, filter, qos);
        else
            qos = MQTT_FILTER_REFUSED;
        codes[count++] = qos;
    }
    char *answer = conn_space(&client->conn);
    size_t length = mqtt_write_head(answer, MQTT_SUBACK, 0, 2 + count);
    length += mqtt_write_number(answer + length, packet->id);
    memcpy(answer + length, codes, count);
    conn_wrote(&client->conn, length + count);
    return true;
}

void take_unsubscribe(struct client *client, const struct mqtt_packet *packet)
{
    struct mqtt_text filters = packet->payload, filter;
    while (mqtt_next_filter(&filters, &filter, NULL))
        topics_unsubscribe(client->session, filter);
    answer_id(client, MQTT_UNSUBACK, packet->id);
}
