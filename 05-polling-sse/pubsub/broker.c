// broker.c: a publisher sends a message under a topic to the broker. The broker passes the
// message on to each client that has subscribed to this topic. Neither side knows the other.
// The broker speaks MQTT 3.1.1, so that any MQTT client can use it.
//
// Run:    ./broker                               in one terminal, and in other ones
//         ./client sub 'home/#'                  or: mosquitto_sub -p 8105 -t 'home/#' -v
//         ./client pub home/kitchen 21.5         or: mosquitto_pub -p 8105 -t home/hall -m 19
// Watch:  each packet that comes and goes. Then subscribe with --id NAME --qos 1, stop this
//         subscriber, publish with --qos 1, and start the subscriber again: the broker has kept
//         the message for it.
//
// Read received() first: what comes from a client; then handle() and take_publish(). delivery.c
// finds the subscribers of a message, sessions.c keeps the messages of a client, topics.c keeps
// the subscriptions, and mqtt.c reads and writes packets. How a client connects and subscribes
// is in parts/clients.c.
#include <stdio.h>

#include "accounts.h"
#include "clients.h"
#include "delivery.h"
#include "log.h"
#include "loop.h"
#include "mqtt.h"
#include "net.h"
#include "options.h"
#include "retained.h"
#include "sessions.h"
#include "smaller.h"

#define CONNECTIONS_MAX (CLIENTS_MAX + 2 * SILENT_MAX)
#define BACKLOG         4096
#define CONNECT_MS      10000 // until a connection has said CONNECT
#define PACKET_MS       30000 // for a packet that has begun
#define ANSWER_ROOM     1100  // bytes that the longest answer takes, a SUBACK
#define GATHER_BYTES    32768 // a larger packet gets memory of its own while it comes

// ---- PUBLISH, and what belongs to it -------------------------------------------------------

static void pass_on(const struct mqtt_packet *packet)
{
    struct message *message =
        message_new(packet->topic, packet->payload, packet->qos, packet->retain);
    if (message)
        publish(message);
    else
        figures.dropped++;
    message_drop(message);
}

static bool take_publish(struct client *client, const struct mqtt_packet *packet)
{
    bool is_new = true;
    figures.received++;
    if (packet->qos == 2 && !session_receive(client->session, packet->id, &is_new))
        return reject(client, "no memory for the id of a message");
    if (is_new)
        pass_on(packet);
    if (packet->qos == 1)
        answer_id(client, MQTT_PUBACK, packet->id);
    else if (packet->qos == 2)
        answer_id(client, MQTT_PUBREC, packet->id);
    return true;
}

// ---- all packets ---------------------------------------------------------------------------

static void log_packet(const struct client *client, const struct mqtt_packet *packet)
{
    const struct session *session = client->session;
    if (packet->type == MQTT_PUBLISH)
        log_line("PUBLISH by %s, QoS %d%s: %.*s", session->id.at, packet->qos,
                 packet->dup ? ", DUP" : "", (int)packet->topic.length, packet->topic.at);
    else if (packet->id)
        log_line("%s by %s, id %d", mqtt_name(packet->type), session->id.at, packet->id);
    else
        log_line("%s by %s", mqtt_name(packet->type), session->id.at);
}

// Does what a packet asks for. False: the caller is to close the connection.
static bool handle(struct client *client, const struct mqtt_packet *packet)
{
    struct session *session = client->session;
    if (!session && packet->type != MQTT_CONNECT)
        return reject(client, "the first packet is not CONNECT");
    if (!session)
        return take_connect(client, &packet->connect);
    log_packet(client, packet);
    switch (packet->type) {
    case MQTT_CONNECT:
        return reject(client, "a second CONNECT");
    case MQTT_PUBLISH:
        return take_publish(client, packet);
    case MQTT_PUBACK:
        session_puback(session, packet->id);
        return true;
    case MQTT_PUBREC:
        session_pubrec(session, packet->id);
        answer_id(client, MQTT_PUBREL, packet->id);
        return true;
    case MQTT_PUBREL:
        session_release(session, packet->id);
        answer_id(client, MQTT_PUBCOMP, packet->id);
        return true;
    case MQTT_PUBCOMP:
        session_pubcomp(session, packet->id);
        return true;
    case MQTT_SUBSCRIBE:
        return take_subscribe(client, packet);
    case MQTT_UNSUBSCRIBE:
        take_unsubscribe(client, packet);
        return true;
    case MQTT_PINGREQ:
        conn_wrote(&client->conn,
                   mqtt_write_head(conn_space(&client->conn), MQTT_PINGRESP, 0, 0));
        return true;
    default: // DISCONNECT: the will is not published (§3.14.4)
        message_drop(client->will);
        client->will = NULL;
        leave(client);
        return false;
    }
}

// ---- what the loop calls -------------------------------------------------------------------

static struct client *client_of(struct conn *conn)
{
    return (struct client *)conn; // it begins with the loop's conn
}

static void opened(struct conn *conn)
{
    struct client *client = client_of(conn);
    client->begun = true; // the CONNECT has one deadline, however its bytes come
    conn_deadline(conn, CONNECT_MS);
    expect_connect(client);
}

// The broker has taken a whole packet. The next one is to come within 1.5 times the keep alive
// (§3.1.2.10).
static void heard(struct client *client)
{
    client->begun = false;
    if (client->keep_alive_s > 0)
        conn_deadline(&client->conn, client->keep_alive_s * 1500);
    else
        conn_deadline(&client->conn, NEVER);
}

// Reads a packet and does what it asks for. Returns its bytes; 0: it is not whole yet; -1: the
// caller is to close the connection.
static ssize_t take_whole(struct client *client, const char *bytes, size_t length)
{
    struct mqtt_packet packet;
    ssize_t size = mqtt_read(bytes, length, MQTT_FROM_CLIENT, &packet);
    if (size < 0)
        reject(client, packet.why);
    if (size > 0 && !handle(client, &packet))
        return -1;
    if (size > 0)
        heard(client);
    return size;
}

// The same, but a part of a large packet is taken, too: it is gathered until it is whole.
static ssize_t take_packet(struct client *client, const char *bytes, size_t length)
{
    struct buffer *gathered = &client->gathered;
    const char *why;
    ssize_t size;
    if (gathered->length == 0) {
        size = take_whole(client, bytes, length);
        if (size != 0 || mqtt_size(bytes, length, &why) <= GATHER_BYTES)
            return size;
    } else {
        size = mqtt_size(gathered->bytes, gathered->length, &why);
        length = smaller(length, (size_t)size - gathered->length); // the rest of it
    }
    if (!buffer_add(gathered, bytes, length)) {
        reject(client, "no memory for its packet");
        return -1;
    }
    size = take_whole(client, gathered->bytes, gathered->length);
    if (size < 0)
        return -1;
    if (size > 0)
        buffer_free(gathered);
    return (ssize_t)length;
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct client *client = client_of(conn);
    ssize_t taken = 1;
    size_t used = 0;
    if (client->left) {
        conn_close(conn);
        return length;
    }
    if (client->part.message) // a message is half written: no answer may stand inside it
        return 0;
    while (taken > 0 && used < length && conn_room(conn) >= ANSWER_ROOM) {
        taken = take_packet(client, bytes + used, length - used);
        if (taken < 0) {
            conn_close(conn);
            return length;
        }
        used += (size_t)taken;
    }
    if (!client->begun && (used < length || client->gathered.length > 0)) {
        client->begun = true;
        if (conn->deadline_ns - conn_now(conn) > PACKET_MS * INT64_C(1000000))
            conn_deadline(conn, PACKET_MS);
    }
    return used;
}

static bool produce(struct conn *conn)
{
    return deliver(client_of(conn));
}

static void timeout(struct conn *conn)
{
    reject(client_of(conn), "nothing has come from it for too long");
    conn_close(conn);
}

// The broker is to stop. No client is lost by its own fault: the broker publishes no will.
static void stop(struct conn *conn)
{
    struct client *client = client_of(conn);
    message_drop(client->will);
    client->will = NULL;
    leave(client);
    conn_close(conn);
}

static void closed(struct conn *conn)
{
    struct client *client = client_of(conn);
    forget_silent(client);
    leave(client);
    message_drop(client->will);
    message_drop(client->part.message);
    buffer_free(&client->gathered);
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct client),
        .conns_max = CONNECTIONS_MAX,
        .opened = opened,     // a client has CONNECT_MS for its CONNECT
        .received = received, // packets: publishes, subscriptions, acknowledgments
        .produce = produce,   // delivers messages of the client's session
        .timeout = timeout,   // a packet is late: see CONNECT_MS, PACKET_MS and heard()
        .stop = stop,         // the client leaves, without its will
        .closed = closed,     // the session stays, if it is one that is kept
    };
    static const char *host = "127.0.0.1", *users;
    static int port = 8105;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"users", OPTION_TEXT, &users, .help = "a file of NAME:PASSWORD lines; none: no check"},
        {"clients", OPTION_INT, &clients_max, 1, CLIENTS_MAX,
         "clients that may be connected at once"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each packet"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 05, pubsub: a broker of MQTT 3.1.1.", options});
    log_begin(quiet);
    accounts_begin(users);
    long connections = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, messages in %llu, out %llu, dropped %llu\n", connections,
           (unsigned long long)figures.received, (unsigned long long)figures.sent,
           (unsigned long long)figures.dropped);
    sessions_end();
    retained_end();
    accounts_end();
    return 0;
}
