// test.c: tests of lesson 01, nat. `make test` runs them, the scenes, real peers, and the
// patches in break/. Here: the programs; messages, agents and the relay are in test_*.h.
#include "contract.h"

#include "measure.h"
#include "stun.h"
#include "test_stun.h"
#include "test_ice.h"
#include "test_relay.h"

static const char binding[] = "\0\1\0\0" COOKIE_AND_ID;

static bool exchange(int port)
{
    uint8_t bytes[STUN_MAX];
    struct stun_message answer;
    struct sockaddr_storage mapped, own;
    int fd = net_connect("127.0.0.1", port), udp = udp_socket();
    bool good =
        fd >= 0 && write_all(fd, BYTES(binding)) && read_exactly(fd, bytes, STUN_HEADER);
    long size = good ? stun_size(bytes, STUN_HEADER) : 0;
    good = good && size > 0 &&
           read_exactly(fd, bytes + STUN_HEADER, (size_t)size - STUN_HEADER) &&
           !stun_read(bytes, (size_t)size, &answer) &&
           stun_find_address(&answer, XOR_MAPPED_ADDRESS, &mapped);
    own = address_of_socket(fd);
    good = good && address_is(&mapped, &own);
    send_to(udp, port, BYTES(binding));
    ssize_t length = await_datagram(udp, bytes, PATIENCE);
    own = address_of_socket(udp);
    good = good && length > 0 && !stun_read(bytes, (size_t)length, &answer) &&
           stun_find_address(&answer, XOR_MAPPED_ADDRESS, &mapped) && address_is(&mapped, &own);
    close(fd);
    close(udp);
    return good;
}

// ---- TCP -----------------------------------------------------------------------------------

TEST(messages_in_any_pieces_over_tcp)
{
    pid_t pid;
    char two[2 * sizeof binding];
    uint8_t bytes[STUN_MAX];
    int port = test_start(&pid, "./server --port 0");
    memcpy(two, binding, 20);
    memcpy(two + 20, binding, 20);
    for (size_t cut = 0; cut <= 40 && !test_failures; cut++) {
        int fd = net_connect("127.0.0.1", port);
        CHECK(write_all(fd, two, cut));
        if (cut % 8 == 0)
            sleep_ms(2);
        CHECK(write_all(fd, two + cut, 40 - cut));
        for (int i = 0; i < 2; i++) {
            CHECK(read_exactly(fd, bytes, STUN_HEADER));
            long size = stun_size(bytes, STUN_HEADER);
            CHECK(size > STUN_HEADER);
            CHECK(read_exactly(fd, bytes + STUN_HEADER, (size_t)size - STUN_HEADER));
        }
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(what_is_not_stun_ends_a_tcp_connection)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {{BYTES("GET / HTTP/1.1\r\n\r\n")},
                 {BYTES("\0\1\xff\xfc" COOKIE_AND_ID)},
                 {BYTES("\0\1\0\3" COOKIE_AND_ID)},
                 {BYTES("\0\1\0\4" COOKIE_AND_ID "\0\6\0\x8")}};
    pid_t pid;
    char byte;
    int port = test_start(&pid, "./server --port 0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = net_connect("127.0.0.1", port);
        CHECK(write_all(fd, cases[i].bytes, cases[i].length));
        CHECK_INT(read(fd, &byte, 1), 0);
        close(fd);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// ---- the programs --------------------------------------------------------------------------

TEST(the_client_and_its_options)
{
    char command[200];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    snprintf(command, sizeof command, "./client --port %d", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "the same: no NAT");
    CHECK_HAS(test_output, "mapping         endpoint-independent");
    CHECK_HAS(test_output, "filtering       endpoint-independent");
    snprintf(command, sizeof command, "./client --port %d --tcp", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "the same: no NAT");
    CHECK_INT(test_run("./client --tcp --port 1"), 1);
    CHECK_HAS(test_output, "(is the server running?)");
    CHECK_INT(test_run("./client --wait 5"), 2);
    snprintf(command, sizeof command, "./client --port %d >/dev/full", port);
    CHECK_INT(test_run(command), 1);
    CHECK_INT(test_stop(pid), 0);
}

// The second address and port of RFC 5780, as they are given; and one that is not ours.
TEST(the_servers_other_address)
{
    char command[200], expected[60];
    pid_t pid;
    int fd = udp_socket(); // finds a port number that is free
    struct sockaddr_storage free_one = address_of_socket(fd);
    int other_port = address_port(&free_one);
    close(fd);
    snprintf(command, sizeof command,
             "./server --port 0 --other-host 127.0.0.3 --other-port %d", other_port);
    int port = test_start(&pid, command);
    snprintf(command, sizeof command, "./client --port %d", port);
    CHECK_INT(test_run(command), 0);
    snprintf(expected, sizeof expected, "server's other  127.0.0.3:%d ", other_port);
    CHECK_HAS(test_output, expected);
    CHECK_HAS(test_output, "mapping         endpoint-independent");
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("./server --port 0 --other-host 192.0.2.1"), 1);
    CHECK_HAS(test_output, "cannot have a second address 192.0.2.1: ");
}

// Servers that answer nonsense over TCP.
TEST(the_client_is_strict)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *says;
    } cases[] = {{BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak STUN"},
                 {BYTES("\1\1\0\0" COOKIE_AND_ID), "does not say our address"},
                 {BYTES("\1\1\0\4" COOKIE_AND_ID "\0\x20\0\x8"), "is malformed"},
                 {BYTES("\1\1\0\x10" COOKIE_AND_ID), "in the middle of its answer"},
                 {BYTES("\1\1"), "has closed the connection"}};
    char command[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int port = test_fake_server(cases[i].bytes, cases[i].length, false);
        snprintf(command, sizeof command, "./client --tcp --port %d", port);
        CHECK_INT(test_run(command), 1);
        CHECK_HAS(test_output, cases[i].says);
    }
}

// Two ./peer, with a folder in between; and what a peer says of texts that are none.
TEST(two_peers_and_a_folder)
{
    char command[600];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    snprintf(command, sizeof command,
             "d=$(mktemp -d); mkfifo $d/in; "
             "./peer --port %d --folder $d answer <$d/in >$d/b & "
             "exec 8>$d/in; "
             "(echo hello Bob; until grep -q '< hello Bob' $d/b; do sleep 0.02; done) | "
             "./peer --port %d --folder $d offer; wait; exec 8>&-; cat $d/b; rm -r $d",
             port, port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "connected: host 127.0.0.1:");
    CHECK_HAS(test_output, "< hello Bob\nthe other peer has left\n");
    CHECK(!strstr(test_output, "- check ")); // without --verbose
    snprintf(command, sizeof command, "echo a=end-of-candidates | ./peer --port %d answer",
             port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "it has no ice-ufrag or no ice-pwd");
    snprintf(command, sizeof command, "echo hello | ./peer --port %d answer", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "ends before 'a=end-of-candidates'");
    CHECK_INT(test_run("./peer"), 2);
    CHECK_INT(test_run("./peer nonsense"), 2);
    CHECK_INT(test_stop(pid), 0);
}

// With --only-relay the path is over the server, though there is a shorter one.
TEST(two_peers_over_the_relay)
{
    char command[600];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0 >build/server-said");
    snprintf(command, sizeof command,
             "d=$(mktemp -d); mkfifo $d/in; "
             "./peer --port %d --folder $d --only-relay answer <$d/in >$d/b 2>&1 & "
             "exec 8>$d/in; "
             "(echo hello Bob; until grep -q '< hello Bob' $d/b; do sleep 0.02; done) | "
             "./peer --port %d --folder $d --only-relay offer; wait; exec 8>&-; cat $d/b "
             "$d/offer; rm -r $d",
             port, port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "connected: relay ");
    CHECK(!strstr(test_output, "connected: host "));
    CHECK_HAS(test_output, "< hello Bob\n");
    CHECK_HAS(test_output, " typ relay raddr 0.0.0.0 rport 9"); // it hides its own address
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(
        test_run("grep 'gives its address back, [1-9][0-9]* bytes passed' build/server-said"),
        0);
}

// Nobody is at the address in the answer: the peer tells each check, and gives up in time.
TEST(a_peer_tells_its_checks_and_gives_up)
{
    char command[400];
    pid_t pid;
    int port = test_start(&pid, "./server --port 0 --quiet");
    int64_t began = now_ns();
    snprintf(
        command, sizeof command,
        "d=$(mktemp -d); printf '%%s\\n' a=ice-ufrag:them a=ice-pwd:themthemthemthemthemthem "
        "'a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host' "
        "'a=candidate:2 1 tcp 9 127.0.0.1 9 typ host' a=candidate:nonsense >$d/answer; "
        "./peer --port %d --folder $d --patience 1 --verbose offer </dev/null; "
        "status=$?; rm -r $d; exit $status",
        port);
    CHECK_INT(test_run(command), 1);
    CHECK_BETWEEN(ms_since(began), 1000, 15000); // without --patience: 30 seconds
    CHECK_HAS(test_output, "2 candidates are of no use here\n");
    CHECK_HAS(test_output, "- candidate host 127.0.0.1:");
    CHECK_HAS(test_output, "- check host 127.0.0.1:");
    CHECK_HAS(test_output, " -> host 127.0.0.1:9\n");
    CHECK_HAS(test_output, "no path to the other peer in 1 s (try --relay on both sides)");
    CHECK_INT(test_stop(pid), 0);
}

TEST(no_byte_of_others)
{
    char command[300];
    pid_t pid;
    if (!has_valgrind())
        return;
    int port = test_start(&pid, VALGRIND "./server --port 0");
    CHECK(exchange(port));
    snprintf(command, sizeof command, VALGRIND "./client --port %d", port);
    CHECK_INT(test_run(command), 0);
    CHECK_INT(test_stop(pid), 0);
}
