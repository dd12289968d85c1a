// test.c: tests of lesson 05, pubsub. `make test` runs them, the scenes, real peers, and the
// patches in break/. Here: the broker, over sockets.
#define SERVER "broker"
#include "contract.h"

#include "test_mqtt.h"
#include "test_packets.h"
#include "test_sessions.h"

static bool exchange(int port)
{
    static struct taker taker = {.client.fd = -1};
    if (!enter(&taker, port, "", true) || !client_subscribe(&taker.client, "t", 1) ||
        !client_publish(&taker.client, "t", "x", 1, false))
        return false;
    bool right = !strcmp(take_messages(&taker, 1), "t=x;");
    client_disconnect(&taker.client);
    return right;
}

// After a takeover the old connection is closed, also when its client had packets on their way.
TEST(no_connect_after_a_takeover)
{
    pid_t pid;
    int port = start_broker(&pid, ""), fd = connected(port), other = connected(port);
    CHECK(is_closed(fd));
    CHECK(ask(other, BYTES("\xc0\0"), BYTES("\xd0\0")));
    CHECK(ask(other, BYTES("\x82\x9\0\1\0\4$a/b\0"), BYTES("\x90\3\0\1\0")));
    CHECK(ask(other, BYTES("\x32\x9\0\4$a/b\0\2x\xc0\0"), BYTES("\x40\2\0\2\xd0\0")));
    close(fd);
    close(other);
    CHECK_INT(test_stop(pid), 0);
}

// ---- one message, byte by byte -------------------------------------------------------------

TEST(a_message_in_bytes)
{
    pid_t pid;
    int port = start_broker(&pid, ""), fd = connected(port);
    CHECK(ask(fd, BYTES("\x82\6\0\1\0\1t\2"), BYTES("\x90\3\0\1\2"))); // SUBSCRIBE
    CHECK(ask(fd, BYTES("\x30\4\0\1tx"), BYTES("\x30\4\0\1tx")));      // QoS 0
    CHECK(ask(fd, BYTES("\x32\6\0\1t\0\7x"), BYTES("\x40\2\0\7\x32\6\0\1t\0\1x")));
    CHECK(write_all(fd, "\x40\2\0\1", 4)); // PUBACK
    CHECK(ask(fd, BYTES("\x34\6\0\1t\0\7x"), BYTES("\x50\2\0\7\x34\6\0\1t\0\2x")));
    CHECK(ask(fd, BYTES("\x62\2\0\7"), BYTES("\x70\2\0\7")));      // PUBREL, PUBCOMP
    CHECK(ask(fd, BYTES("\x50\2\0\2"), BYTES("\x62\2\0\2")));      // PUBREC, PUBREL
    CHECK(write_all(fd, "\x70\2\0\2", 4));                         // PUBCOMP
    CHECK(ask(fd, BYTES("\xc0\0"), BYTES("\xd0\0")));              // PINGREQ
    CHECK(ask(fd, BYTES("\xa2\5\0\3\0\1t"), BYTES("\xb0\2\0\3"))); // UNSUBSCRIBE
    CHECK(ask(fd, BYTES("\x30\4\0\1tx\xc0\0"), BYTES("\xd0\0")));  // no message comes
    CHECK(write_all(fd, "\xe0\0", 2));                             // DISCONNECT
    CHECK(is_closed(fd));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}
