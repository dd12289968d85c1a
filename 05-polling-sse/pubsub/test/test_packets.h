// test_packets.h: packets that are malformed, cut, or changed at random.
#ifndef TEST_PACKETS_H
#define TEST_PACKETS_H

#include "malformed.h"
#include "packet_rules.h"
#include "test_mqtt.h"

#define MALFORMED (sizeof malformed / sizeof *malformed)

_Static_assert(MALFORMED >= 150, "the table is long enough");

// For each malformed packet the broker gives the right answer, or none, and closes. Another
// client notices nothing.
TEST(malformed_packets_end_the_connection)
{
    char bytes[1000];
    pid_t pid;
    int port = start_broker(&pid, ""), beside = net_connect("127.0.0.1", port);
    CHECK(ask(beside, BYTES("\x10\x0d\0\4MQTT\4\2\0\0\0\1b"), BYTES(CONNACK)));
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < MALFORMED; i++) {
        const struct malformed *one = &malformed[i];
        struct mqtt_packet packet;
        bool open;
        int fd = one->connected ? connected(port) : net_connect("127.0.0.1", port);
        CHECK(write_all(fd, one->bytes, one->length));
        size_t got = listen_for(fd, bytes, sizeof bytes, 5000, &open);
        if (open || got != one->answer_length || memcmp(bytes, one->answer, got))
            FAIL("%s: %zu bytes, and the connection is %s", one->what, got,
                 open ? "open" : "closed");
        if (!one->answer_length && one->connected &&
            mqtt_read(one->bytes, one->length, MQTT_FROM_CLIENT, &packet) >= 0)
            CHECK_INT(packet.type, MQTT_CONNECT); // a second one is well-formed
        close(fd);
    }
    CHECK(ask(beside, BYTES("\xc0\0"), BYTES("\xd0\0")));
    close(beside);
    CHECK_INT(test_stop(pid), 0);
}

// What a client says in a session, and what the broker answers.
static const char talk[] = CONNECT_A "\x82\6\0\1\0\1t\2"
                                     "\x30\4\0\1tx"
                                     "\x32\6\0\1t\0\7x"
                                     "\x34\6\0\1t\0\x8x"
                                     "\x62\2\0\x8"
                                     "\xa2\5\0\3\0\1t\xc0\0";
static const char answers[] = CONNACK "\x90\3\0\1\2"
                                      "\x30\4\0\1tx"
                                      "\x40\2\0\7"
                                      "\x32\6\0\1t\0\1x"
                                      "\x50\2\0\x8"
                                      "\x34\6\0\1t\0\2x"
                                      "\x70\2\0\x8"
                                      "\xb0\2\0\3\xd0\0";

static bool same_packets(const char *got, size_t length)
{
    size_t at = 0, count = 0;
    while (at < length) { // each packet is among the answers: their order depends on the cut
        size_t size = 2 + (size_t)got[at + 1];
        if (!memmem(answers, sizeof answers - 1, got + at, size))
            return false;
        at += size;
        count++;
    }
    return count == 10 && length == sizeof answers - 1;
}

TEST(packets_split_at_every_byte)
{
    static char bytes[1000];
    pid_t pid;
    int port = start_broker(&pid, ""), on = 1;
    for (size_t cut = 0; cut <= sizeof talk - 1; cut++) {
        int fd = net_connect("127.0.0.1", port);
        size_t length = 0;
        struct pollfd in = {fd, POLLIN, 0};
        setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof on); // TCP_NODELAY
        CHECK(write_all(fd, talk, cut));
        sleep_ms(1); // the broker then mostly reads the parts one by one; it need not
        CHECK(write_all(fd, talk + cut, sizeof talk - 1 - cut));
        while (length < sizeof answers - 1 && poll(&in, 1, 5000) == 1) {
            ssize_t got = read(fd, bytes + length, sizeof bytes - length);
            if (got <= 0)
                break;
            length += (size_t)got;
        }
        if (!same_packets(bytes, length))
            FAIL("cut at %zu: other answers, %zu bytes", cut, length);
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(packets_in_parts)
{
    for (size_t cut = 0; cut <= sizeof talk - 1; cut++) {
        const char *fault = packets_fault(talk, sizeof talk - 1, cut, MQTT_FROM_CLIENT);
        CHECK(!fault || FAIL("cut at %zu: %s", cut, fault));
    }
    for (size_t cut = 0; cut <= sizeof answers - 1; cut++) {
        const char *fault = packets_fault(answers, sizeof answers - 1, cut, MQTT_FROM_SERVER);
        CHECK(!fault || FAIL("cut at %zu: %s", cut, fault));
    }
}

// Changes some bytes of what a client says: to others, in, out.
static size_t mutate(char *bytes, size_t size, uint64_t *random)
{
    size_t length = sizeof talk - 1;
    memcpy(bytes, talk, length);
    for (unsigned long i = 1 + next_random(random) % 4; i > 0; i--) {
        size_t at = next_random(random) % length;
        unsigned long what = next_random(random) % 4;
        if (what == 0)
            bytes[at] ^= (char)(1 << next_random(random) % 8);
        else if (what == 1)
            bytes[at] = (char)next_random(random);
        else if (what == 2 && length < size)
            memmove(bytes + at + 1, bytes + at, length++ - at);
        else if (what == 3 && length > 20)
            memmove(bytes + at, bytes + at + 1, --length - at);
    }
    return length;
}

// 100,000 changed packets for the reader; MUTATIONS (2,000) for a broker, which must go on.
TEST(mutated_packets)
{
    char bytes[200];
    uint64_t random = 7;
    for (int i = 0; i < 100000; i++) {
        size_t length = mutate(bytes, sizeof bytes, &random);
        const char *fault = packets_fault(bytes, length, length ? random % length : 0,
                                          i & 1 ? MQTT_FROM_CLIENT : MQTT_FROM_SERVER);
        if (fault)
            FAIL("mutation %d: %s", i, fault);
    }
}

TEST(a_broker_survives_mutated_packets)
{
    char bytes[200], got[1000];
    const char *mutations = getenv("MUTATIONS");
    uint64_t random = 8;
    pid_t pid;
    int port = start_broker(&pid, ""), count = mutations ? atoi(mutations) : 2000;
    alarm(TEST_SECONDS + (unsigned)count / 200);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < count; i++) {
        size_t length = mutate(bytes, sizeof bytes, &random);
        int fd = net_connect("127.0.0.1", port);
        CHECK(fd >= 0 && write_all(fd, bytes, length));
        shutdown(fd, SHUT_WR); // the broker answers the packets that it can read, and closes
        read_to_end(fd, got, sizeof got);
        close(fd);
    }
    int fd = connected(port);
    CHECK(ask(fd, BYTES("\xc0\0"), BYTES("\xd0\0")));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// Topics and filters at random: the tree finds the filters that match, and no removed ones.
TEST(the_tree_of_filters)
{
    static const char letters[] = "ab/+#$\0\0/";
    uint64_t random = 9;
    char bytes[60];
    for (int i = 0; i < 50000; i++) {
        size_t length = 1 + next_random(&random) % sizeof bytes;
        for (size_t j = 0; j < length; j++)
            bytes[j] = letters[next_random(&random) % (sizeof letters - 1)];
        const char *fault = topics_fault(bytes, length);
        if (fault)
            FAIL("number %d: %s", i, fault);
    }
    sessions_end();
}

#endif
