// test_sessions.h: sessions, wills, retained messages, shared subscriptions, and the limits
// that protect one client from another.
#ifndef TEST_SESSIONS_H
#define TEST_SESSIONS_H

#include "clients.h"
#include "retained.h"
#include "sessions.h"
#include "test_mqtt.h"

static struct taker a = {.client.fd = -1}, b = {.client.fd = -1}, c = {.client.fd = -1};

// Publishes as a client of its own, and leaves.
static void publish_once(int port, const char *topic, const char *text, uint8_t qos,
                         bool retain)
{
    static struct taker publisher = {.client.fd = -1};
    CHECK(enter(&publisher, port, "", true));
    CHECK(client_publish(&publisher.client, topic, text, qos, retain));
    // When the broker answers this, it has passed on all messages before it.
    client_send(&publisher.client, &(struct mqtt_packet){.type = MQTT_PINGREQ});
    CHECK(client_wait(&publisher.client, MQTT_PINGRESP, 0));
    client_disconnect(&publisher.client);
}

TEST(a_session_outlives_its_connection)
{
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", false) && !a.client.last.session_present);
    CHECK(client_subscribe(&a.client, "t/#", 2));
    client_disconnect(&a.client);
    publish_once(port, "t/0", "zero", 0, false); // QoS 0 does not wait
    publish_once(port, "t/1", "one", 1, false);
    publish_once(port, "t/2", "two", 2, false);
    CHECK(enter(&a, port, "a", false) && a.client.last.session_present);
    CHECK_HAS(take_messages(&a, 2), "t/1=one;t/2=two;");
    CHECK_INT(a.count, 2);
    client_disconnect(&a.client);
    CHECK(enter(&b, port, "b", true)); // a has left, and has a session; b is there
    CHECK(client_subscribe(&b.client, "$SYS/broker/clients/+", 0));
    const char *totals = take_messages(&b, 2);
    CHECK_HAS(totals, "$SYS/broker/clients/total=2(retained);");
    CHECK_HAS(totals, "$SYS/broker/clients/connected=1(retained);");
    CHECK(client_subscribe(&b.client, "$SYS/broker/publish/messages/received", 0));
    CHECK_HAS(take_messages(&b, 3), "received=3(retained);");
    CHECK(client_subscribe(&b.client, "$SYS/broker/publish/messages/sent", 0));
    CHECK_HAS(take_messages(&b, 4), "sent=5(retained);"); // two to a, three to b
    client_disconnect(&b.client);
    CHECK(enter(&a, port, "a", true) &&
          !a.client.last.session_present); // a clean session ends it
    publish_once(port, "t/1", "three", 1, false);
    CHECK_HAS(take_messages(&a, 0), "");
    CHECK_INT(a.count, 0);
    client_disconnect(&a.client);
    CHECK(enter(&a, port, "a", false) && !a.client.last.session_present);
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

// A message that is not acknowledged comes again, with DUP; when PUBREC had come, PUBREL does.
TEST(it_comes_again)
{
    pid_t pid;
    int port = start_broker(&pid, ""), fd = net_connect("127.0.0.1", port);
    static const char connect[] = "\x10\x0d\0\4MQTT\4\0\0\0\0\1a";
    CHECK(ask(fd, BYTES(connect), BYTES(CONNACK)));
    CHECK(ask(fd, BYTES("\x82\6\0\1\0\1t\2"), BYTES("\x90\3\0\1\2")));
    publish_once(port, "t", "1", 1, false);
    publish_once(port, "t", "2", 2, false);
    publish_once(port, "t", "3", 2, false);
    CHECK(get_bytes(fd, BYTES("\x32\6\0\1t\0\1"
                              "1\x34\6\0\1t\0\2"
                              "2\x34\6\0\1t\0\3"
                              "3")));
    CHECK(ask(fd, BYTES("\x50\2\0\3"), BYTES("\x62\2\0\3")));
    close(fd);
    fd = net_connect("127.0.0.1", port);
    CHECK(ask(fd, BYTES(connect),
              BYTES("\x20\2\1\0\x3a\6\0\1t\0\1"
                    "1\x3c\6\0\1t\0\2"
                    "2\x62\2\0\3")));
    CHECK(write_all(fd, "\x40\2\0\1", 4));
    CHECK(ask(fd, BYTES("\x50\2\0\2"), BYTES("\x62\2\0\2")));
    CHECK(ask(fd, BYTES("\x70\2\0\2\x70\2\0\3\xc0\0"), BYTES("\xd0\0")));
    close(fd);
    fd = net_connect("127.0.0.1", port);
    CHECK(ask(fd, BYTES("\x10\x0d\0\4MQTT\4\0\0\0\0\1a\xc0\0"), BYTES("\x20\2\1\0\xd0\0")));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// A message of QoS 2 that comes again, on another connection, is not passed on again.
TEST(qos_2_is_known_after_a_reconnect)
{
    pid_t pid;
    static const char connect[] = "\x10\x0d\0\4MQTT\4\0\0\0\0\1p";
    int port = start_broker(&pid, ""), fd = net_connect("127.0.0.1", port);
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "t", 2));
    CHECK(ask(fd, BYTES(connect), BYTES(CONNACK)));
    CHECK(ask(fd, BYTES("\x34\6\0\1t\0\5x"), BYTES("\x50\2\0\5")));
    CHECK(ask(fd, BYTES("\x3c\6\0\1t\0\5x"), BYTES("\x50\2\0\5")));
    close(fd);
    fd = net_connect("127.0.0.1", port);
    CHECK(ask(fd, BYTES(connect), BYTES("\x20\2\1\0")));
    CHECK(ask(fd, BYTES("\x3c\6\0\1t\0\5x"), BYTES("\x50\2\0\5")));
    CHECK(ask(fd, BYTES("\x62\2\0\5"), BYTES("\x70\2\0\5")));
    CHECK(ask(fd, BYTES("\x62\2\0\5"), BYTES("\x70\2\0\5"))); // the client sends it again
    CHECK(ask(fd, BYTES("\x34\6\0\1t\0\5y"),
              BYTES("\x50\2\0\5"))); // a new message: the id is free
    take_messages(&a, 2);
    CHECK(!strcmp(a.got, "t=x;t=y;") || FAIL("got %s", a.got));
    close(fd);
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

TEST(wills)
{
    struct mqtt_connect as = {.clean = true,
                              .client_id = mqtt_text("b"),
                              .has_will = true,
                              .will_qos = 1,
                              .will_topic = mqtt_text("wills"),
                              .will_payload = mqtt_text("lost")};
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "wills", 1));
    CHECK(enter_as(&b, port, as));
    client_disconnect(&b.client); // after a DISCONNECT there is no will
    CHECK_HAS(take_messages(&a, 0), "");
    CHECK_INT(a.count, 0);
    CHECK(enter_as(&b, port, as));
    client_cut(&b.client);
    take_messages(&a, 1);
    CHECK_INT(a.count, 1);
    CHECK(enter_as(&b, port, as)); // taken over
    struct taker other = {.client.fd = -1};
    CHECK(enter(&other, port, "b", true));
    take_messages(&a, 2);
    CHECK_INT(a.count, 2);
    CHECK(client_step(&b.client, 5000) < 0); // and closed
    client_disconnect(&other.client);
    as.keep_alive_s = 1; // silent for too long
    CHECK(enter_as(&b, port, as));
    int64_t began_ns = now_ns();
    take_messages(&a, 3);
    CHECK_INT(a.count, 3);
    CHECK(now_ns() - began_ns > INT64_C(1400000000));
    CHECK(client_step(&b.client, 5000) < 0);
    as.will_retain = true;
    CHECK(enter_as(&b, port, as));
    CHECK(write_all(b.client.fd, "\xff\xff", 2)); // malformed
    take_messages(&a, 4);
    CHECK_INT(a.count, 4);
    client_cut(&b.client);
    CHECK(enter(&b, port, "b", true) && client_subscribe(&b.client, "wills", 0));
    CHECK_HAS(take_messages(&b, 1), "wills=lost(retained);");
    client_disconnect(&a.client);
    client_disconnect(&b.client);
    CHECK_INT(test_stop(pid), 0);
}

TEST(retained_messages)
{
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "#", 1));
    publish_once(port, "r/1", "old", 1, true);
    publish_once(port, "r/1", "new", 1, true);
    publish_once(port, "r/2", "two", 0, true);
    take_messages(&a, 3); // an earlier subscriber gets them without the retain flag
    CHECK(!strcmp(a.got, "r/1=old;r/1=new;r/2=two;") || FAIL("got %s", a.got));
    CHECK(enter(&b, port, "b", true) && client_subscribe(&b.client, "r/1", 1));
    CHECK_HAS(take_messages(&b, 1), "r/1=new(retained);");
    CHECK(client_subscribe(&b.client, "r/+", 1)); // each SUBSCRIBE brings them again
    take_messages(&b, 3);
    CHECK_INT(b.count, 3);
    CHECK(client_subscribe(&b.client, "$share/g/r/+", 1)); // but not a shared one
    take_messages(&b, 3);
    CHECK_INT(b.count, 3);
    publish_once(port, "r/1", "", 1, true); // an empty one clears it
    CHECK_HAS(take_messages(&a, 4), "r/1=;");
    CHECK(enter(&c, port, "c", true) && client_subscribe(&c.client, "r/#", 1));
    take_messages(&c, 1);
    CHECK(!strcmp(c.got, "r/2=two(retained);") || FAIL("got %s", c.got));
    client_disconnect(&a.client);
    client_disconnect(&b.client);
    client_disconnect(&c.client);
    CHECK_INT(test_stop(pid), 0);
}

TEST(shared_subscriptions)
{
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "$share/g/t/+", 1));
    CHECK(enter(&b, port, "b", true) && client_subscribe(&b.client, "$share/g/t/+", 1));
    CHECK(enter(&c, port, "c", true) && client_subscribe(&c.client, "$share/h/t/+", 1));
    CHECK(client_subscribe(&c.client, "t/1", 1)); // it gets both copies (MQTT 5.0 §4.8.2)
    for (int i = 0; i < 10; i++)
        publish_once(port, "t/1", "x", 1, false);
    take_messages(&c, 20);
    take_messages(&a, 1);
    take_messages(&b, 1);
    for (int i = 0; i < 50 && a.count + b.count < 10; i++) {
        client_step(&a.client, 20);
        client_step(&b.client, 20);
    }
    CHECK_INT(c.count, 20);
    CHECK_INT(a.count, 5);
    CHECK_INT(b.count, 5);
    CHECK(!client_subscribe(&a.client, "$share/g", 1)); // no filter
    CHECK_HAS(a.client.why, "refuses the filter");
    client_disconnect(&b.client);
    client_disconnect(&c.client);
    CHECK_INT(test_stop(pid), 0);
}

// Two filters of one client match: one copy, with the higher QoS.
TEST(overlapping_filters)
{
    pid_t pid;
    int port = start_broker(&pid, ""), fd = connected(port);
    CHECK(ask(fd, BYTES("\x82\x0e\0\1\0\1t\0\0\1#\2\0\1+\1"), BYTES("\x90\5\0\1\0\2\1")));
    publish_once(port, "t", "x", 2, false);
    CHECK(ask(fd, BYTES("\xc0\0"), BYTES("\x34\6\0\1t\0\1x\xd0\0")));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// ---- users and passwords -------------------------------------------------------------------

static int code_of(int port, const char *user, const char *password)
{
    struct taker taker = {.client.fd = -1};
    bool in = enter_as(&taker, port,
                       (struct mqtt_connect){.clean = true,
                                             .has_user = user,
                                             .has_password = password,
                                             .user = mqtt_text(user ? user : ""),
                                             .password = mqtt_text(password ? password : "")});
    int code = taker.client.last.code;
    if (in)
        client_disconnect(&taker.client);
    return code;
}

// ./client publishes; returns its exit status.
static int run_client(int port, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./client --quiet --port %d %s pub t x", port, options);
    return test_run(command);
}

TEST(users_and_passwords)
{
    pid_t pid;
    CHECK_INT(test_run("printf 'anna:secret:1\\nbert:\\n' >build/users"), 0);
    int port = start_broker(&pid, "--users build/users");
    CHECK_INT(code_of(port, "anna", "secret:1"), 0);
    CHECK_INT(code_of(port, "bert", ""), 0);
    CHECK_INT(code_of(port, "anna", "secret"), 4);
    CHECK_INT(code_of(port, "ann", "secret:1"), 4);
    CHECK_INT(code_of(port, "anna", NULL), 4);
    CHECK_INT(code_of(port, NULL, NULL), 5);
    CHECK_INT(run_client(port, "--user anna --password secret:1"), 0);
    CHECK_INT(run_client(port, "--user bert"), 1); // no password is not an empty one
    CHECK_HAS(test_output, "code 4: bad user name or password");
    CHECK_INT(run_client(port, ""), 1);
    CHECK_HAS(test_output, "code 5: not authorized");
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("./broker --users nowhere"), 1);
    CHECK_HAS(test_output, "cannot read nowhere: No such file");
}

TEST(a_full_broker_says_so)
{
    pid_t pid;
    int port = start_broker(&pid, "--clients 2");
    CHECK(enter(&a, port, "a", true) && enter(&b, port, "b", true));
    CHECK(!enter(&c, port, "c", true));
    CHECK_HAS(c.client.why, "code 3: server unavailable");
    CHECK(enter(&c, port, "b", true)); // a takeover needs no place
    CHECK(client_step(&b.client, 5000) < 0);
    client_disconnect(&c.client);
    CHECK(enter(&b, port, "b", true));
    client_disconnect(&a.client);
    CHECK(enter(&c, port, "c", true));
    client_disconnect(&b.client);
    client_disconnect(&c.client);
    CHECK_INT(test_stop(pid), 0);
}

// ---- limits --------------------------------------------------------------------------------

TEST(a_hundred_subscriptions)
{
    char filter[300] = "";
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", true));
    for (int i = 0; i < SESSION_SUBSCRIPTIONS_MAX; i++) {
        snprintf(filter, sizeof filter, "t/%d", i);
        CHECK(client_subscribe(&a.client, filter, 0));
        CHECK(client_subscribe(&a.client, filter, 1)); // the same: no more than one
    }
    CHECK(!client_subscribe(&a.client, "one/more", 0));
    CHECK_HAS(a.client.why, "refuses the filter");
    memset(filter, '/', FILTER_LEVELS_MAX); // one level more than slashes
    filter[FILTER_LEVELS_MAX] = '\0';
    CHECK(enter(&a, port, "a", true) && !client_subscribe(&a.client, filter, 0));
    filter[FILTER_LEVELS_MAX - 1] = '\0';
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, filter, 0));
    publish_once(port, filter, "deep", 0, false);
    take_messages(&a, 1);
    CHECK_INT(a.count, 1);
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

static bool send_subscribe(int fd, size_t filters)
{
    static char packet[4 * FILTERS_MAX + 20];
    size_t length = mqtt_write_head(packet, MQTT_SUBSCRIBE, 2, 2 + 4 * filters);
    length += mqtt_write_number(packet + length, 1);
    for (size_t i = 0; i < filters; i++, length += 4)
        memcpy(packet + length, "\0\1t\1", 4);
    return write_all(fd, packet, length);
}

// A SUBSCRIBE with one filter too many has no effect; one with as many as there may be has.
TEST(a_thousand_filters)
{
    static const char connect[] = "\x10\x0d\0\4MQTT\4\0\0\0\0\1a";
    static char suback[FILTERS_MAX + 20];
    pid_t pid;
    bool open = true;
    int port = start_broker(&pid, ""), fd = net_connect("127.0.0.1", port);
    publish_once(port, "t", "kept", 1, true);
    CHECK(ask(fd, BYTES(connect), BYTES(CONNACK)));
    CHECK(send_subscribe(fd, FILTERS_MAX + 1));
    CHECK_INT((long)listen_for(fd, suback, sizeof suback, 5000, &open), 0);
    CHECK(!open);
    close(fd);
    publish_once(port, "t", "", 1, true); // a session that subscribes to t would keep it
    fd = net_connect("127.0.0.1", port);
    CHECK(ask(fd, BYTES(connect), BYTES("\x20\2\1\0")));
    size_t length = mqtt_write_head(suback, MQTT_SUBACK, 0, 2 + FILTERS_MAX);
    length += mqtt_write_number(suback + length, 1);
    memset(suback + length, 1, FILTERS_MAX);
    CHECK(send_subscribe(fd, FILTERS_MAX) && get_bytes(fd, suback, length + FILTERS_MAX));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// The largest packet, the longest topic; and one byte more.
TEST(the_largest_packets)
{
    static char large[MQTT_PACKET_MAX], topic[MQTT_TEXT_MAX + 1];
    pid_t pid;
    int port = start_broker(&pid, "");
    struct mqtt_packet packet = {.type = MQTT_PUBLISH, .qos = 1, .id = 9};
    memset(large, 'x', sizeof large);
    memset(topic, 't', sizeof topic - 1);
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "+", 1));
    CHECK(enter(&b, port, "b", true));
    packet.topic = mqtt_text("t");
    packet.payload = (struct mqtt_text){large, MQTT_PACKET_MAX - 9};
    CHECK_INT((long)mqtt_publish_size(&packet), MQTT_PACKET_MAX);
    CHECK(client_send(&b.client, &packet) && client_wait(&b.client, MQTT_PUBACK, 9));
    CHECK(client_wait(&a.client, MQTT_PUBLISH, 0));
    CHECK_INT(a.client.last.payload.length, MQTT_PACKET_MAX - 9);
    packet.topic = (struct mqtt_text){topic, MQTT_TEXT_MAX};
    packet.payload = (struct mqtt_text){large, 100000};
    CHECK(client_send(&b.client, &packet) && client_wait(&b.client, MQTT_PUBACK, 9));
    CHECK(client_wait(&a.client, MQTT_PUBLISH, 0));
    CHECK_INT(a.client.last.payload.length, 100000);
    CHECK_INT(a.client.last.topic.length, MQTT_TEXT_MAX);
    CHECK(write_all(b.client.fd, "\x30\x80\x80\x10", 4)); // 4 bytes more than that
    CHECK(is_closed(b.client.fd));
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

// Large messages, and subscribers that do not read: they do not harm a subscriber that reads,
// and the broker keeps no more for them than the limits say.
TEST(stuck_subscribers_harm_no_other)
{
    enum { STUCK = 40, MESSAGES = 60 };
    static char large[100001];
    static struct taker stuck[STUCK];
    pid_t pid;
    int port = start_broker(&pid, "");
    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < STUCK; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        stuck[i].client.fd = -1;
        CHECK(enter(&stuck[i], port, id, true));
        CHECK(client_subscribe(&stuck[i].client, "t", (uint8_t)(i % 3)));
    }
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "t", 1));
    CHECK(enter(&b, port, "b", true));
    int64_t began_ns = now_ns();
    for (int i = 0; i < MESSAGES; i++) {
        CHECK(client_publish(&b.client, "t", large, 1, false));
        CHECK(client_wait(&a.client, MQTT_PUBLISH, 0));
    }
    CHECK(now_ns() - began_ns < INT64_C(20000000000));
    CHECK_INT(a.count, MESSAGES);
    CHECK(memory_kb(pid, "VmRSS") < 150000); // the backlogs share the messages
    client_disconnect(&a.client);
    client_disconnect(&b.client);
    for (int i = 0; i < STUCK; i++)
        client_cut(&stuck[i].client);
    CHECK_INT(test_stop(pid), 0);
}

// ./client --keep 1: it says so to the broker, and asks when nothing has come for a second. One
// without an answer is the end.
TEST(the_client_keeps_alive)
{
    char name[NET_NAME], command[120], said[300];
    skip_if_alone();
    int listener = net_listen("127.0.0.1", 0, 1);
    snprintf(command, sizeof command, "timeout 60 ./client --port %s --keep 1 sub t 2>&1",
             strrchr(net_local_name(listener, name), ':') + 1);
    FILE *client = popen(command, "r");
    int fd = accept(listener, NULL, NULL);
    CHECK(get_bytes(fd, BYTES("\x10\x0c\0\4MQTT\4\2\0\1\0\0")));
    CHECK(ask(fd, BYTES(CONNACK), BYTES("\x82\6\0\1\0\1t\0")));
    int64_t began_ns = now_ns();
    CHECK(ask(fd, BYTES("\x90\3\0\1\0"), BYTES("\xc0\0")));
    CHECK_AT_LEAST((now_ns() - began_ns) / 1000000, 900);
    said[fread(said, 1, sizeof said - 1, client)] = '\0';
    CHECK_HAS(said, "has not answered for 1 s; 0 messages had come");
    CHECK_INT(exit_status(pclose(client)), 1);
    close(fd);
    close(listener);
}

// Client b retains a message under r/NUMBER.
static void retain_numbered(int number, const char *text)
{
    char topic[20];
    snprintf(topic, sizeof topic, "r/%d", number);
    CHECK(client_publish(&b.client, topic, text, 0, true));
}

// The broker retains RETAINED_MAX messages. One more is passed on, and is counted as dropped; a
// new one for a topic that has one already, and one after others were cleared, are retained.
TEST(as_many_retained_messages_as_may_be)
{
    char last[20];
    pid_t pid;
    int port = start_broker(&pid, "");
    CHECK(enter(&a, port, "a", true) && client_subscribe(&a.client, "more/+", 1));
    CHECK(enter(&b, port, "b", true));
    for (int i = 0; i < RETAINED_MAX; i++)
        retain_numbered(i, "x");
    CHECK(client_publish(&b.client, "more/1", "x", 1, true));
    CHECK_TEXT(take_messages(&a, 1), "more/1=x;");
    snprintf(last, sizeof last, "r/%d", RETAINED_MAX - 1);
    CHECK(client_publish(&b.client, last, "new", 1, true));
    CHECK(enter(&c, port, "c", true) && client_subscribe(&c.client, "more/1", 0));
    CHECK_TEXT(take_messages(&c, 0), "");
    CHECK(client_subscribe(&c.client, last, 0));
    CHECK_HAS(take_messages(&c, 1), "=new(retained);");
    for (int i = 0; i < 10; i++) // room for one more, and for the broker's own figures
        retain_numbered(i, "");
    CHECK(client_publish(&b.client, "more/2", "y", 1, true));
    CHECK_TEXT(take_messages(&a, 2), "more/1=x;more/2=y;");
    CHECK(client_subscribe(&c.client, "more/2", 0));
    CHECK_HAS(take_messages(&c, 2), "more/2=y(retained);");
    CHECK(client_subscribe(&c.client, "$SYS/broker/publish/messages/dropped", 0));
    CHECK_HAS(take_messages(&c, 3), "dropped=1(retained);");
    client_disconnect(&a.client);
    client_disconnect(&b.client);
    client_disconnect(&c.client);
    CHECK_INT(test_stop(pid), 0);
}

// What ./client shows of a session that was there, and of the flags of a message.
TEST(the_client_shows_flags)
{
    char name[NET_NAME], command[140], said[600];
    skip_if_alone();
    int listener = net_listen("127.0.0.1", 0, 1);
    snprintf(command, sizeof command,
             "timeout 60 ./client --port %s --id a --keep 0 --qos 1 --count 1 sub t 2>&1",
             strrchr(net_local_name(listener, name), ':') + 1);
    FILE *client = popen(command, "r");
    int fd = accept(listener, NULL, NULL);
    CHECK(get_bytes(fd, BYTES("\x10\x0d\0\4MQTT\4\0\0\0\0\1a")));
    CHECK(ask(fd, BYTES("\x20\2\1\0"), BYTES("\x82\6\0\1\0\1t\1")));
    CHECK(ask(fd, BYTES("\x90\3\0\1\1\x3b\7\0\1t\0\7xy"), BYTES("\x40\2\0\7\xe0\0")));
    said[fread(said, 1, sizeof said - 1, client)] = '\0';
    CHECK_INT(exit_status(pclose(client)), 0);
    CHECK_HAS(said, "<- CONNACK    accepted, your session is here\n");
    CHECK_HAS(said, "<- PUBLISH    QoS 1, DUP, retained \"t\", 2 bytes  id 7\nt xy\n");
    close(fd);
    close(listener);
}

// What the broker says of a session that is lost and comes back.
TEST(the_log_of_the_broker)
{
    pid_t pid;
    int port = test_start(&pid, "./broker --port 0 >build/broker-log");
    static const char connect[] = "\x10\x0d\0\4MQTT\4\0\0\0\0\1a",
                      log[] =
                          "CONNECT of a: a new session\nSUBSCRIBE by a, id 1\n"
                          "CONNECT of b: a new session\nPUBLISH by b, QoS 1: t\n"
                          "PUBLISH to a, QoS 1, id 1\n"
                          "a: taken over by another connection\n"
                          "CONNECT of a: its old session\nPUBLISH to a, QoS 1, id 1, DUP\n"
                          "PUBACK by a, id 1\nPINGREQ by a\n"
                          "a: closed: its type or its flags are not for this side to send\n";
    int fd = net_connect("127.0.0.1", port), again;
    CHECK(ask(fd, BYTES(connect), BYTES(CONNACK)));
    CHECK(ask(fd, BYTES("\x82\6\0\1\0\1t\2"), BYTES("\x90\3\0\1\2")));
    CHECK(enter(&b, port, "b", true));
    CHECK(client_publish(&b.client, "t", "1", 1, false));
    CHECK(get_bytes(fd, BYTES("\x32\6\0\1t\0\1"
                              "1")));
    again = net_connect("127.0.0.1", port);
    CHECK(ask(again, BYTES(connect),
              BYTES("\x20\2\1\0\x3a\6\0\1t\0\1"
                    "1")));
    CHECK(write_all(again, "\x40\2\0\1\xc0\0", 6));
    CHECK(get_bytes(again, BYTES("\xd0\0")));
    CHECK(write_all(again, "\xff\xff", 2) && is_closed(again));
    close(fd);
    close(again);
    CHECK_INT(test_stop(pid), 0);
    client_cut(&b.client);
    CHECK_INT(test_run("sed -n 's/^ *[0-9.]* ms  //p' build/broker-log"), 0);
    CHECK_TEXT(test_output, log);
}

// Connections that say nothing take no client's place.
TEST(silent_connections_take_no_place)
{
    enum { SILENT = 1500 };
    static int fds[SILENT];
    pid_t pid;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < SILENT + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = start_broker(&pid, "");
    for (int i = 0; i < SILENT; i++) {
        fds[i] = net_connect("127.0.0.1", port);
        CHECK(fds[i] >= 0);
        if (i % 100 == 0)
            CHECK(enter(&a, port, "a", true));
    }
    CHECK(is_closed(fds[0])); // the one that waited longest
    bool open;
    char byte;
    listen_for(fds[SILENT - 1], &byte, 1, 0, &open);
    CHECK(open);
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

// Many connections with one client id: each takes over from the one before.
TEST(a_storm_of_takeovers)
{
    enum { ROUNDS = 300 };
    static int fds[ROUNDS];
    pid_t pid;
    int port = start_broker(&pid, "");
    for (int i = 0; i < ROUNDS; i++) {
        fds[i] = net_connect("127.0.0.1", port);
        CHECK(write_all(fds[i], BYTES("\x10\x12\0\4MQTT\4\x06\0\0\0\1a\0\1w\0\0"
                                      "\x82\6\0\1\0\1w\1")));
    }
    for (int i = 0; i + 1 < ROUNDS; i++)
        CHECK(is_closed(fds[i]));
    CHECK(ask(fds[ROUNDS - 1], BYTES(""), BYTES(CONNACK "\x90\3\0\1\1")));
    CHECK(enter(&a, port, "b", true));
    CHECK(client_subscribe(&a.client, "$SYS/broker/clients/connected", 0));
    CHECK_HAS(take_messages(&a, 1), "connected=2(retained)");
    for (int i = 0; i < ROUNDS; i++)
        close(fds[i]);
    client_disconnect(&a.client);
    CHECK_INT(test_stop(pid), 0);
}

// The network is gone, without a FIN. The broker notices by the keep alive, and the session
// stays.
TEST(a_half_dead_client)
{
    pid_t pid;
    int port = start_broker(&pid, "");
    struct mqtt_connect as = {.client_id = mqtt_text("a"), .keep_alive_s = 1};
    CHECK(enter_as(&a, port, as) && client_subscribe(&a.client, "t", 1));
    publish_once(port, "t", "1", 1, false);
    sleep_ms(2500); // the client neither reads nor sends
    publish_once(port, "t", "2", 1, false);
    struct taker again = {.client.fd = -1};
    CHECK(enter_as(&again, port, as) && again.client.last.session_present);
    take_messages(&again, 2);
    CHECK(!strcmp(again.got, "t=1;t=2;") || FAIL("got %s", again.got));
    client_disconnect(&again.client);
    CHECK_INT(test_stop(pid), 0);
}

// Subscribers of QoS 2 that are killed at any moment. No message is lost. (A killed subscriber
// has forgotten its ids, so a message may come twice.)
TEST(subscribers_that_are_killed)
{
    enum { MESSAGES = 400, KILLS = 25 };
    char command[300], text[16];
    pid_t pid;
    bool seen[MESSAGES + 1] = {false};
    int port = start_broker(&pid, ""), missing = 0;
    uint64_t random = 5;
    snprintf(command, sizeof command,
             "exec ./client --port %d --id victim --qos 2 --quiet sub t >>build/victim", port);
    CHECK_INT(test_run("rm -f build/victim"), 0);
    CHECK(enter(&a, port, "victim", false) && client_subscribe(&a.client, "t", 2));
    client_disconnect(&a.client);
    CHECK(enter(&b, port, "b", true));
    for (int i = 0; i < KILLS; i++) {
        pid_t victim = fork();
        if (victim == 0) {
            execl("/bin/sh", "sh", "-c", command, NULL);
            _exit(127);
        }
        for (int j = 0; j < MESSAGES / KILLS; j++) {
            snprintf(text, sizeof text, "%d", i * (MESSAGES / KILLS) + j + 1);
            CHECK(client_publish(&b.client, "t", text, 2, false));
        }
        sleep_ms((double)(next_random(&random) % 15));
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
    }
    struct taker last = {.client.fd = -1};
    CHECK(enter(&last, port, "victim", false));
    CHECK(client_publish(&b.client, "t", "end", 2, false));
    FILE *file = fopen("build/victim", "r");
    for (int number; file && fscanf(file, "t %d\n", &number) == 1;)
        if (number >= 1 && number <= MESSAGES)
            seen[number] = true;
    if (file)
        fclose(file);
    for (int i = 0; i < 3000 && !strstr(last.got, "end"); i++)
        client_step(&last.client, 100);
    for (const char *at = last.got; (at = strstr(at, "t=")); at += 2)
        if (atoi(at + 2) >= 1 && atoi(at + 2) <= MESSAGES)
            seen[atoi(at + 2)] = true;
    for (int i = 1; i <= MESSAGES; i++)
        missing += !seen[i];
    CHECK_INT(missing, 0);
    client_disconnect(&last.client);
    client_disconnect(&b.client);
    CHECK_INT(test_stop(pid), 0);
}

// The broker touches only its own memory, and frees all of it, whatever happens to a session.
TEST(nothing_leaks)
{
    pid_t pid;
    bool valgrind = has_valgrind();
    char command[400];
    snprintf(command, sizeof command, "%s ./broker --quiet --port 0", valgrind ? VALGRIND : "");
    int port = test_start(&pid, command);
    struct mqtt_connect as = {.client_id = mqtt_text("a"),
                              .has_will = true,
                              .will_topic = mqtt_text("t"),
                              .will_payload = mqtt_text("w"),
                              .will_retain = true};
    for (int i = 0; i < 3; i++) {
        CHECK(enter_as(&a, port, as) && client_subscribe(&a.client, "t", 2));
        CHECK(client_subscribe(&a.client, "$share/g/#", 1));
        CHECK(enter(&b, port, "b", true) && client_subscribe(&b.client, "#", 2));
        a.client.no_answers = true;
        for (uint8_t qos = 0; qos < 3; qos++)
            CHECK(client_publish(&b.client, "t", "x", qos, true));
        client_step(&a.client, 1000);
        client_cut(&a.client);
        CHECK(client_publish(&b.client, "t", "y", 2, false));
        CHECK(write_all(b.client.fd, "\x34\xff\x7f\0\1t", 6)); // half a packet
        client_cut(&b.client);
    }
    CHECK_INT(test_stop(pid), 0);
}

#endif
