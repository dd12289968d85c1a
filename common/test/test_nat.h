// test_nat.h: tests of the boxes in the middle of the wire: NATs and balancers.
#ifndef TEST_NAT_H
#define TEST_NAT_H

#include "test_nodes.h"

#define NAT(options, command)                                                                  \
    "./wire/wire --nat home " options " --node a --behind home --node m --address "            \
    "10.0.0.2,10.0.0.3 -- m: build/nat_peer mirror -- a: " command

TEST(nats_map_and_filter_as_their_kind_says)
{
    static const char *const kinds[][2] = {
        {"--kind full-cone", "mapping endpoint, filtering endpoint, seen as 10.0.0.101\n"},
        {"--kind address-restricted", "mapping endpoint, filtering address, "},
        {"--kind port-restricted", "mapping endpoint, filtering address-port, "},
        {"--kind symmetric", "mapping address-port, filtering address-port, "},
        {"--mapping address --filtering endpoint", "mapping address, filtering endpoint, "},
        {"--mapping address-port --filtering address",
         "mapping address-port, filtering address, "},
        {"", "mapping endpoint, filtering address-port, "},
    };
    char command[300];
    need_wire();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(command, sizeof command, NAT("%s", "build/nat_peer probe"), kinds[i][0]);
        CHECK_INT(test_run(command), 0);
        CHECK_HAS(test_output, kinds[i][1]);
    }
}

TEST(a_mapping_times_out)
{
    need_wire();
    CHECK_INT(
        test_run(NAT("--udp-timeout 2", "sh -c 'build/nat_peer timeout 100; build/nat_peer "
                                        "timeout 2300'")),
        0);
    CHECK_HAS(test_output, "the same mapping\nanother mapping\n");
    // TCP's: the NAT drops what comes later, and neither end gets a RST.
    CHECK_INT(
        test_run("./wire/wire --nat home --tcp-timeout 0.5 --node a --behind home --node b "
                 "-- b: build/peer echo-server -- a: timeout 3 build/peer --count 2 --pace "
                 "900000 ping-pong"),
        124);
}

// RFC 4787 REQ-6. The first mapping of a NAT has port 40000.
TEST(what_comes_in_does_not_prolong_a_mapping)
{
    need_wire();
    CHECK_INT(test_run("./wire/wire --nat home --kind full-cone --udp-timeout 1 --node a "
                       "--behind home --node m -- m: build/nat_peer intrude 10.0.0.101 40000 "
                       "-- a: env HOST=10.0.0.1 build/nat_peer hear"),
              0);
    CHECK_HAS(test_output, "it is heard, and then it is not\n");
}

// RFC 791 §3.2, RFC 792: time exceeded is type 11, in transit code 0.
TEST(a_box_takes_one_hop_of_a_packet)
{
    need_wire();
    CHECK_INT(test_run(NAT("", "build/nat_peer one-hop")), 0);
    CHECK_HAS(test_output, "type 11, code 0, from 10.0.0.101\n");
}

TEST(two_behind_a_nat_meet_outside_if_it_hairpins)
{
    need_wire();
    CHECK_INT(test_run(NAT("--hairpin", "build/nat_peer hairpin")), 0);
    CHECK_HAS(test_output, "they meet, at their mapped addresses\n");
    CHECK_INT(test_run(NAT("", "build/nat_peer hairpin")), 0);
    CHECK_HAS(test_output, "they do not meet\n");
}

TEST(a_nat_translates_the_errors)
{
    need_wire();
    CHECK_INT(test_run(NAT("--kind symmetric", "build/nat_peer refused")), 0);
    CHECK_HAS(test_output, "Connection refused\n");
    CHECK_INT(test_run(NAT("--kind symmetric --rtt 10", "build/nat_peer gone")), 0);
    CHECK_HAS(test_output, "the mirror is told\n");
}

TEST(ten_thousand_flows_through_a_nat)
{
    need_wire();
    int status = test_run(NAT("", "build/nat_peer flows 10000"));
    if (strstr(test_output, "cannot open 10000 sockets"))
        SKIP("ulimit -Hn allows fewer than 10064 descriptors");
    CHECK_INT(status, 0);
    CHECK_HAS(test_output, "10000 flows at 10000 ports, 0 have moved\n");
}

TEST(tcp_through_a_nat_in_both_directions)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --nat home --forward 80=a:7002 --node a --behind home --node "
                 "b -- a: build/nat_peer greeter -- b: build/nat_peer greeter -- a: "
                 "build/nat_peer call 10.0.0.1 7002"),
        0);
    CHECK_HAS(test_output, "b sees 10.0.0.101\n");
    CHECK_INT(
        test_run("./wire/wire --nat home --forward 80=a:7002 --node a --behind home --node "
                 "b -- a: build/nat_peer greeter -- b: sh -c 'build/nat_peer call "
                 "10.0.0.101 80 2; timeout 0.5 build/nat_peer call 10.0.0.101 81; echo "
                 "status $?'"),
        0);
    CHECK_HAS(test_output, "a sees 10.0.0.1\na sees 10.0.0.1\nstatus 124\n");
}

// Two NATs may hand out the same private addresses; inside one of them nothing is translated.
TEST(nats_keep_their_insides_apart)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --nat n --nat o --node a --behind n --address 192.168.1.7 "
                 "--node b --behind n --address 192.168.1.8 --node c --behind o --address "
                 "192.168.1.8 --node d -- b: build/nat_peer greeter -- c: build/nat_peer "
                 "greeter -- d: build/nat_peer greeter -- a: sh -c 'build/nat_peer call "
                 "192.168.1.8 7002; build/nat_peer call $D_HOST 7002'"),
        0);
    CHECK_HAS(test_output, "b sees 192.168.1.7\nd sees 10.0.0.101\n");
}

TEST(a_balancer_spreads_flows)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --balancer front --address 10.0.0.9 --to x:7002,y --node x "
                 "--node y --node c -- x: build/nat_peer greeter -- y: build/nat_peer "
                 "greeter -- c: sh -c 'build/nat_peer call 10.0.0.9 7002 3; echo backends "
                 "front y >&$WIRE_CONTROL; read -r answer <&$WIRE_CONTROL; echo $answer; "
                 "build/nat_peer call $FRONT_HOST 7002 2'"),
        0);
    CHECK_HAS(test_output, "x sees 10.0.0.3\ny sees 10.0.0.3\nx sees 10.0.0.3\nok\n"
                           "y sees 10.0.0.3\ny sees 10.0.0.3\n");
}

// A connection stays with its backend, also when that is no longer in the list.
TEST(a_balancer_keeps_its_connections)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --balancer front --address 10.0.0.9 --to x --node x --node y "
                 "--node c -- x: build/peer echo-server -- y: build/peer echo-server -- "
                 "c: sh -c 'HOST=$FRONT_HOST build/nat_peer echo \"backends front y\"'"),
        0);
    CHECK_HAS(test_output, "the connection goes on\n");
}

// From a backend to the client, and from the client to a backend. (An answer that takes a while
// comes when its socket is closed.)
TEST(a_balancer_translates_the_errors)
{
    need_wire();
    CHECK_INT(
        test_run(
            "./wire/wire --balancer front --address 10.0.0.9 --to m --node c --rtt 10 --node "
            "m --address 10.0.0.2,10.0.0.3 -- m: build/nat_peer mirror -- c: sh -c "
            "'export HOST=$FRONT_HOST; build/nat_peer refused; build/nat_peer gone'"),
        0);
    CHECK_HAS(test_output, "Connection refused\nthe mirror is told\n");
}

#endif
