// test_nodes.h: tests of wire with more than two nodes: the nodes' addresses, their links, what
// the programs may ask wire for, what wire draws; and that no process is left behind.
#ifndef TEST_NODES_H
#define TEST_NODES_H

#include "test_wire.h"

TEST(nodes_have_links_of_their_own)
{
    need_wire();
    CHECK_INT(test_run("./wire/wire --node a --rtt 20 --node b --rtt 30 -- b: build/peer "
                       "echo-server -- a: build/peer ping-pong"),
              0);
    expect_round_trip_of_50_ms();
    // Only one of the two servers is on a link that loses all.
    CHECK_INT(test_run("./wire/wire --node c --node lost --loss 100 --node near -- "
                       "lost: build/nat_peer greeter -- near: build/nat_peer greeter -- "
                       "c: sh -c 'build/nat_peer call $NEAR_HOST 7002; "
                       "timeout 1 build/nat_peer call $LOST_HOST 7002; echo status $?'"),
              0);
    CHECK_HAS(test_output, "near sees 10.0.0.1\nstatus 124\n");
}

TEST(nodes_links_limit_both_directions)
{
    need_wire();
    // The bottleneck is the receiver's link.
    CHECK_INT(test_run("./wire/wire --node a --node b --rate 1000 --queue 200 --verbose -- "
                       "b: build/peer count-datagrams -- "
                       "a: build/peer --count 126 --bytes 1472 --wait 1800 send-datagrams"),
              0);
    expect_a_rate_of_1000_kbit();
    CHECK_HAS(test_output, "wire: to b 126 packets, 189000 bytes, 0 lost, 0 queue full");
}

TEST(nodes_are_in_the_environment)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --rtt 4 --nat the-nat --address 10.9.9.9 --node in --behind "
                 "the-nat --node a --address 10.1.0.1,10.1.0.2 --node b -- "
                 "a: sh -c 'trap \"exit 0\" TERM; echo \"a is $HOST, on $WIRE_NODE\"; printf "
                 "\"4000\\nmore 4001\\n\" >&$READY_FD; while :; do sleep 0.05; done' "
                 "-- b: build/peer --port 5000 idle-server -- in: sh -c 'echo $HOST:$PORT, "
                 "$A_HOST:$A_PORT,$A_PORT_MORE, $B_HOST:$B_PORT, $IN_HOST $THE_NAT_HOST, "
                 "$WIRE_RTT ms'"),
        0);
    CHECK_HAS(test_output, "a is 10.1.0.1, on a\n");
    CHECK_HAS(test_output, "10.0.0.1:5000, 10.1.0.1:4000,4001, 10.0.0.1:5000, 192.168.1.1 "
                           "10.9.9.9, 8 ms\n");
}

// Two programs on one node connect over the node's loopback, as a sidecar and its app do.
TEST(nodes_may_run_several_programs)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --node a --node b -- a: build/nat_peer greeter -- b: sh -c "
                 "'trap \"exit 7\" TERM; echo 1 >&$READY_FD; while :; do sleep 0.05; done' "
                 "-- a: build/nat_peer call 127.0.0.1 7002"),
        1); // one of the servers has failed
    CHECK_HAS(test_output, "a sees 127.0.0.1\n");
    CHECK_HAS(test_output, "wire: b ended with exit status 7");
}

TEST(nodes_options_are_checked)
{
    static const char *const cases[][2] = {
        {"--node a -- b: true -- a: true", "there is no --node 'b'"},
        {"--node a -- a: true -- true", "each program begins with its node"},
        {"--node a --node a -- a: true -- a: true", "'a' is no name: it is taken"},
        {"--node a --address 10.0.0.300 -- a: true -- a: true", "--address takes addresses"},
        {"--node a --address 10.0.0.7 --node b --address 10.0.0.7 -- a: true -- b: true",
         "one that another node has"},
        {"--node a --behind b -- a: true -- a: true", "--behind takes the name of a --nat"},
        {"--behind b -- true -- true", "are for a --node, not for all"},
        {"--node a --kind symmetric -- a: true -- a: true", "are for a --nat, not for a"},
        {"--nat n --kind moody --node a -- a: true -- a: true", "--kind takes full-cone, "},
        {"--nat n --mapping all --node a -- a: true -- a: true", "--mapping takes endpoint, "},
        {"--node a --drop 7 -- a: true -- a: true", "--drop takes tcp:PORT:N or udp:PORT:N"},
        {"--balancer b --to a:70000 --node a -- a: true -- a: true", "--to: a balancer's"},
        {"--nat n --forward 80=a --node a -- a: true -- a: true", "--forward takes PORT=NODE"},
        {"--node a --mtu 900 -- a: true -- a: true", "--mtu and --seed are for all"},
        {"--node a --draw a,b -- a: true -- a: true", "--draw takes LEFT,RIGHT"},
    };
    char command[200];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "./wire/wire %s", cases[i][0]);
        CHECK_INT(test_run(command), 2);
        CHECK_HAS(test_output, cases[i][1]);
    }
}

TEST(an_address_moves_to_another_node)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --node a --address 10.0.0.2,10.0.0.100 --node b --node c -- "
                 "a: build/nat_peer greeter -- b: build/nat_peer greeter -- c: sh -c '"
                 "build/nat_peer call 10.0.0.100 7002; echo give b 10.0.0.100 "
                 ">&$WIRE_CONTROL; read -r answer <&$WIRE_CONTROL; echo $answer; "
                 "build/nat_peer call 10.0.0.100 7002; build/nat_peer call 10.0.0.2 7002'"),
        0);
    CHECK_HAS(test_output, "a sees 10.0.0.3\nok\nb sees 10.0.0.3\na sees 10.0.0.3\n");
}

TEST(what_wire_is_asked_is_checked)
{
    need_wire();
    CHECK_INT(test_run("./wire/wire --rtt 0 -- build/peer idle-server -- sh -c 'for line in "
                       "\"mute nobody\" \"dance client\" \"drop client 3\" \"give client "
                       "10.0.0.9\" mute \"mute client\"; do echo \"$line\" >&$WIRE_CONTROL; "
                       "read -r answer <&$WIRE_CONTROL; echo \"$answer\"; done'"),
              0);
    CHECK_HAS(test_output, "error: no node has this name\nerror: no such command\n"
                           "error: drop takes a node and tcp:PORT:N or udp:PORT:N\n"
                           "error: no node on that side of the NAT has this address\n"
                           "error: a command, and the name it is about\nok\n");
}

TEST(scenes_ask_wire_in_c)
{
    need_wire();
    CHECK_INT(
        test_run(
            "./wire/wire --trace --node a --node b --node c -- b: build/nat_peer "
            "greeter -- c: build/nat_peer greeter -- a: sh -c 'build/nat_peer tell "
            "\"mute b\"; build/nat_peer tell \"mute d\"; build/nat_peer pair a b; "
            "build/nat_peer call $C_HOST 7002; echo now; build/nat_peer pair a c; "
            "build/nat_peer call $C_HOST 7002; build/nat_peer pair a d || echo status $?'"),
        0);
    CHECK_HAS(test_output, "done\nno node has this name\nc sees 10.0.0.1\nnow\n");
    CHECK_HAS(test_output, "SYN  mss 1460"); // behind its port, if there are two
    CHECK_HAS(test_output, "the wire has no 'd'\n");
    CHECK_HAS(test_output, "status 1\n"); // a late packet's line may stand between the two
    CHECK_INT(test_run("HOST=127.0.0.1 build/nat_peer tell \"mute b\""), 0);
    CHECK_HAS(test_output, "there is no wire");
}

// common/scene.sh: what ARGS says is for all nodes, and the scene's name is for the last
// program.
TEST(a_scene_has_nodes)
{
#define SCENE_WITH_NODES                                                                       \
    "sh -c '. ../../common/scene.sh; scene WIRE_RTT --rtt 4 --node a --node b -- "             \
    "b: ./nat_peer greeter -- a: printenv; finish'"
    need_wire();
    CHECK_INT(test_run("cd build && ARGS='--rtt 6' " SCENE_WITH_NODES), 0);
    CHECK_HAS(test_output, "\n$ ../../common/wire/wire --rtt 4 --rtt 6 \\\n"
                           "    --node a \\\n    --node b \\\n"
                           "    -- b: ./nat_peer greeter \\\n    -- a: printenv WIRE_RTT\n");
    CHECK_HAS(test_output, "\n12\n");
    // On loopback there are no nodes: the lesson's own server, and its claims are skipped.
    CHECK_INT(test_run("cd build && WIRE_REFUSED=1 " SCENE_WITH_NODES), 1);
    CHECK_HAS(test_output, "\n$ ../../common/wire/wire -- ./server -- ./play WIRE_RTT\n");
}

// The tour leaves out what stands behind "more", and says so; MORE and SCENE play it.
TEST(a_tour_leaves_scenes_out)
{
#define TOUR                                                                                   \
    "sh -c '. ../../common/scene.sh; scene SHORT; more LONG; more LONGER; scene LAST; finish'"
    CHECK_INT(test_run("cd build && ln -sf /bin/true play && ln -sf peer server && true"), 0);
    CHECK_INT(test_run("cd build && unset MORE SCENE; SERVER='peer idle-server' " TOUR), 0);
    CHECK_HAS(test_output, "./play SHORT\n");
    CHECK_HAS(test_output, "./play LAST\n");
    CHECK(!strstr(test_output, "./play LONG"));
    CHECK_HAS(test_output, "  2 more scenes: make run-co-build MORE=1\n");
    CHECK_INT(test_run("cd build && MORE=1 SCENE= SERVER='peer idle-server' " TOUR), 0);
    CHECK_HAS(test_output, "./play LONG\n");
    CHECK_HAS(test_output, "./play LONGER\n");
    CHECK(!strstr(test_output, "more scene"));
    CHECK_INT(test_run("cd build && MORE= SCENE=3 SERVER='peer idle-server' " TOUR), 0);
    CHECK_HAS(test_output, "./play LONGER\n");
    CHECK(!strstr(test_output, "./play SHORT"));
    CHECK(!strstr(test_output, "more scene"));
    CHECK_INT(test_run("cd build && MORE= SCENE=no SERVER='peer idle-server' " TOUR), 2);
    CHECK_HAS(test_output, " SHORT LONG LONGER LAST\n");
}

// Neither a FIN nor a RST tells the other node.
TEST(a_muted_node_says_nothing_more)
{
    need_wire();
    CHECK_INT(test_run("./wire/wire --trace --node a --rtt 4 --node b -- b: build/nat_peer "
                       "greeter -- a: sh -c 'build/nat_peer call $B_HOST 7002; echo mute b "
                       ">&$WIRE_CONTROL; read -r answer <&$WIRE_CONTROL; echo $answer; "
                       "timeout 1 build/nat_peer call $B_HOST 7002; echo status $?'"),
              0);
    const char *after = strstr(test_output, "ok\n");
    CHECK_HAS(test_output, "b sees 10.0.0.1\n");
    CHECK(after != NULL);
    CHECK_HAS(after, "✗ cut off: SYN");
    CHECK_HAS(after, "status 124\n");
    CHECK(!strstr(after, "◀"));
    // It closes a connection.
    CHECK_INT(test_run("./wire/wire --trace --draw a,b --node a --node b -- a: build/nat_peer "
                       "greeter -- b: build/nat_peer leave b"),
              0);
    after = strstr(test_output, "b is muted\n");
    CHECK(after != NULL);
    CHECK_HAS(after, "cut off");
    CHECK(!strstr(after, "◀"));
    // By the clock: for a while the node answers, then never again.
    CHECK_INT(test_run("./wire/wire --node a --node b --mute-after 3000 -- b: build/nat_peer "
                       "greeter -- a: sh -c 'while timeout 1 build/nat_peer call $B_HOST 7002; "
                       "do sleep 0.05; done; timeout 1 build/nat_peer call $B_HOST 7002; echo "
                       "status $?'"),
              0);
    CHECK_HAS(test_output, "b sees 10.0.0.1\nstatus 124\n");
}

// Wire loses the third packet with an echo and no other one; TCP sends it again.
TEST(one_chosen_packet_is_lost)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --node a --node b --drop tcp:9000:3 --trace -- b: build/peer "
                 "echo-server -- a: build/peer --count 5 ping-pong | grep -n 'lost'"),
        0);
    CHECK_HAS(test_output, "1 byte  seq 3");
    CHECK_INT((long)strcspn(test_output, "\n") + 1, (long)strlen(test_output));
    CHECK_INT(test_run("./wire/wire --rtt 2 --trace -- build/peer count-datagrams -- sh -c "
                       "'echo drop client udp:9000:2 >&$WIRE_CONTROL; read -r answer "
                       "<&$WIRE_CONTROL; build/peer --count 4 --bytes 9 send-datagrams' | "
                       "awk '/UDP 9 bytes/ { printf \"%d\", /lost/ } /received/ { print $2 }'"),
              0);
    CHECK(!strcmp(test_output, "01003\n"));
}

TEST(udp_is_blocked_and_tcp_is_not)
{
    need_wire();
    CHECK_INT(test_run("./wire/wire --udp-blocked --trace -- build/peer count-datagrams -- "
                       "build/peer --count 3 --bytes 9 send-datagrams"),
              0);
    CHECK_HAS(test_output, "received 0 in");
    CHECK_HAS(test_output, " ✗ UDP blocked");
    CHECK_INT(test_run("./wire/wire --udp-blocked -- build/peer echo-server -- build/peer "
                       "--count 3 ping-pong"),
              0);
    // In both directions, and until it is unblocked.
    CHECK_INT(test_run("./wire/wire --node a --node b --udp-blocked -- b: build/peer "
                       "count-datagrams -- a: sh -c 'build/peer --count 3 --bytes 9 "
                       "send-datagrams; echo unblock-udp b >&$WIRE_CONTROL; read -r answer "
                       "<&$WIRE_CONTROL; build/peer --count 4 --bytes 9 --until-heard "
                       "send-datagrams'"),
              0);
    CHECK_HAS(test_output, "received 4 in");
}

TEST(the_ladder_names_its_two_ends)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --trace --draw b,c --node a --node b --node c -- "
                 "c: build/nat_peer greeter -- b: build/nat_peer greeter -- a: sh -c "
                 "'build/peer tell; build/nat_peer call $B_HOST 7002; build/nat_peer call "
                 "$C_HOST 7002; echo drawn'"),
        0);
    CHECK_HAS(test_output, "\n             b                   ");
    CHECK(!strstr(test_output, "SYN")); // a's packets are not for these two
    CHECK_INT(test_run("./wire/wire --trace --nat home --node a --behind home --node b -- "
                       "b: build/nat_peer greeter -- a: sh -c 'build/nat_peer call "
                       "$B_HOST 7002; build/peer tell'"),
              0);
    CHECK_HAS(test_output, "\n             a                   ");
    CHECK_HAS(test_output, "home\n");
    CHECK_HAS(test_output, "├── SYN  mss 1460");
}

// Wire ends the children of its programs too, however wire itself or a program ends.
TEST(nodes_leave_no_process_behind)
{
    char mark[32], command[500];
    need_wire();
    snprintf(mark, sizeof mark, ".5%d", getpid());
    snprintf(command, sizeof command,
             "exec ./wire/wire --node a --node b -- a: sh -c 'sleep 98%s & echo 9000 "
             ">&$READY_FD; sleep 0.1; wait' -- b: sh -c 'sleep 99%s & sleep 98%s; true'",
             mark, mark, mark);
    pid_t wire = fork();
    if (wire == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    expect_processes(mark, 3);
    kill(wire, SIGKILL);
    waitpid(wire, &(int){0}, 0);
    expect_processes(mark, 0);
    // The same where a program is killed.
    snprintf(command, sizeof command,
             "./wire/wire --node a --node b -- a: sh -c 'sleep 98%s & echo 9000 >&$READY_FD; "
             "wait' -- b: sh -c 'sleep 99%s & kill -9 $$'",
             mark, mark);
    CHECK_INT(test_run(command), 137);
    CHECK_HAS(test_output, "wire: b was ended by signal 9");
    expect_processes(mark, 0);
}

#endif
