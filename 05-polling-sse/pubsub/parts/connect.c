// connect.c: see connect.h. Read take_connect() first.
#include "connect.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "accounts.h"
#include "log.h"

#define CLIENT_ID_MAX 1024 // bytes; §3.1.3.1 asks for 23

int clients_max = CLIENTS_MAX;

// The connections without a CONNECT, the oldest first.
static struct client *first_silent, *last_silent;
static int silent_count;

// ---- connections without a CONNECT ---------------------------------------------------------

void expect_connect(struct client *client)
{
    if (silent_count >= SILENT_MAX)
        shutdown(first_silent->conn.fd, SHUT_RDWR); // the loop then finds it closed
    client->before = last_silent;
    if (last_silent)
        last_silent->behind = client;
    else
        first_silent = client;
    last_silent = client;
    client->waiting = true;
    silent_count++;
}

void forget_silent(struct client *client)
{
    if (!client->waiting)
        return;
    if (client->before)
        client->before->behind = client->behind;
    else
        first_silent = client->behind;
    if (client->behind)
        client->behind->before = client->before;
    else
        last_silent = client->before;
    client->waiting = false;
    silent_count--;
}

// ---- the end of a connection ---------------------------------------------------------------

// The client is gone. Without a DISCONNECT it still has its will, which the broker publishes
// (§3.1.2.5). Its session stays, unless it is a clean one.
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

// Logs what is wrong with a client. The caller then closes the connection: MQTT 3.1.1 has no
// packet that would tell the client (§4.8).
bool reject(struct client *client, const char *what)
{
    const struct session *session = client->session;
    if (session)
        log_line("%.*s: closed: %s", session->id_length, session->id, what);
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
        log_line("%.*s: taken over by another connection", (int)id.length, id.at);
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
    log_line("CONNECT of %.*s: %s session", client->session->id_length, client->session->id,
             present ? "its old" : "a new");
    return true;
}
