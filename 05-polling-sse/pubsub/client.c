// client.c: publishes a message, or subscribes and prints what comes. Each packet is shown.
//
// Run:    ./client                               publishes a message and gets it itself
//         ./client sub 'home/#'                  in one terminal, and in another one
//         ./client pub home/kitchen 21.5
//         ./client --qos 2 --id anna sub 'home/#'    with a name, the broker keeps a session
// Watch:  the packets that one message takes, with --qos 0, 1 and 2. The client works with any
//         broker of MQTT 3.1.1: ./client --port 1883 pub home/kitchen 21.5
//
// Read publish_text() and subscribe_to() first; how a packet is sent, and what has to be
// answered, is in parts/mqtt_client.c.
#include <stdio.h>
#include <string.h>

#include "measure.h"
#include "mqtt_client.h"
#include "net.h"
#include "options.h"
#include "output.h"

static const char *host = "127.0.0.1", *id = "", *user = "", *password = "";
static const char *will = "", *will_topic = "";
static int port = 8105, qos = 0, keep_s = 60, count = 0;
static bool clean, retain, quiet;
static int printed;

// Shows a packet: '-> PUBLISH    QoS 1, DUP "home/kitchen", 4 bytes  id 1'.
static void show(struct mqtt_client *client, bool sent, const struct mqtt_packet *packet)
{
    (void)client;
    if (quiet)
        return;
    printf("%s %-10s", sent ? "->" : "<-", mqtt_name(packet->type));
    if (packet->type == MQTT_PUBLISH) {
        printf(" QoS %d%s%s ", packet->qos, packet->dup ? ", DUP" : "",
               packet->retain ? ", retained" : "");
        output_quoted(packet->topic.at, packet->topic.length);
        printf(", %u bytes", packet->payload.length);
    }
    if (packet->type == MQTT_CONNACK)
        printf(" %s", mqtt_code_name(packet->code));
    if (packet->session_present)
        printf(", your session is here");
    if (packet->id)
        printf("  id %d", packet->id);
    putchar('\n');
}

static bool print_message(struct mqtt_client *client, const struct mqtt_packet *packet)
{
    (void)client;
    output_bytes(packet->topic.at, packet->topic.length);
    putchar(' ');
    output_bytes(packet->payload.at, packet->payload.length);
    putchar('\n');
    output_flush();
    printed++;
    return true;
}

static void connect_or_die(struct mqtt_client *client)
{
    struct mqtt_connect as = {.clean = clean || !*id,
                              .keep_alive_s = (uint16_t)keep_s,
                              .client_id = mqtt_text(id),
                              .has_will = *will_topic != '\0',
                              .will_topic = mqtt_text(will_topic),
                              .will_payload = mqtt_text(will),
                              .has_user = *user != '\0',
                              .user = mqtt_text(user),
                              .has_password = *password != '\0',
                              .password = mqtt_text(password)};
    if (!client_connect(client, &as))
        die("%s", client->why);
}

static void publish_text(struct mqtt_client *client, const char *topic, const char *text)
{
    if (!client_publish(client, topic, text, (uint8_t)qos, retain))
        die("cannot publish to %s: %s", topic, client->why);
}

// Waits for messages. When nothing has come for the time of the keep alive, the client asks
// with a PINGREQ whether the broker is still there.
static void wait_for_messages(struct mqtt_client *client)
{
    bool asked = false;
    int wait_ms = CLIENT_PATIENCE_MS;
    if (keep_s)
        wait_ms = keep_s * 1000;
    while (count == 0 || printed < count || client->unreleased > 0) {
        int got = client_step(client, wait_ms);
        if (got > 0) {
            asked = false;
        } else if (got == 0 && asked) {
            die("%s:%d has not answered for %d s; %d messages had come", host, port, keep_s,
                printed);
        } else if (got == 0 && keep_s) {
            asked = true;
            client_send(client, &(struct mqtt_packet){.type = MQTT_PINGREQ});
        }
        if (client->fd < 0)
            die("%s; %d messages had come", client->why, printed);
    }
}

static void subscribe_to(struct mqtt_client *client, const char *filter)
{
    if (!client_subscribe(client, filter, (uint8_t)qos))
        die("cannot subscribe to %s: %s", filter, client->why);
    wait_for_messages(client);
}

// Without a command the client does both: it subscribes, publishes, and gets its own message.
static void show_both(struct mqtt_client *client)
{
    static const char topic[] = "workbench/hello";
    if (!client_subscribe(client, topic, (uint8_t)qos))
        die("cannot subscribe to %s: %s", topic, client->why);
    publish_text(client, topic, "hello from the publisher");
    count = 1;
    wait_for_messages(client);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the broker"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"qos", OPTION_INT, &qos, 0, 2, "0: at most once, 1: at least once, 2: once"},
        {"id", OPTION_TEXT, &id, .help = "name of the client, for a session that is kept"},
        {"clean", OPTION_FLAG, &clean, .help = "begin a new session, and keep none"},
        {"keep", OPTION_INT, &keep_s, 0, 65535, "keep alive in seconds; 0: none"},
        {"retain", OPTION_FLAG, &retain, .help = "pub: for those who subscribe later, too"},
        {"count", OPTION_INT, &count, 0, 1000000, "sub: ends after so many messages; 0: never"},
        {"will-topic", OPTION_TEXT, &will_topic, .help = "where the will is published"},
        {"will", OPTION_TEXT, &will,
         .help = "what the broker publishes when this client is lost"},
        {"user", OPTION_TEXT, &user, .help = "name for the broker"},
        {"password", OPTION_TEXT, &password, .help = "password for the broker"},
        {"quiet", OPTION_FLAG, &quiet, .help = "only the messages, no packets"},
        {0}};
    static struct mqtt_client client = {.fd = -1, .message = print_message, .seen = show};
    int first = options_parse(
        argc, argv,
        &(struct command){"[pub TOPIC TEXT | sub FILTER]",
                          "Publishes a message, subscribes, or, without a command, both.",
                          options});
    char **command = argv + first;
    int words = argc - first;
    bool publishes = words == 3 && !strcmp(command[0], "pub");
    bool subscribes = words == 2 && !strcmp(command[0], "sub");
    if (words > 0 && !publishes && !subscribes)
        options_reject("client takes pub TOPIC TEXT, or sub FILTER, not '%s'", command[0]);
    output_begin();
    client.host = host;
    client.port = port;
    connect_or_die(&client);
    if (publishes)
        publish_text(&client, command[1], command[2]);
    else if (subscribes)
        subscribe_to(&client, command[1]);
    else
        show_both(&client);
    client_disconnect(&client);
    output_flush();
    return 0;
}
