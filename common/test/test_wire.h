// test_wire.h: tests of wire: what it does to packets, and that no process remains behind.
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <sys/resource.h>

#include "link.h"
#include "net.h"
#include "test_server.h"
#include "test_story.h"

// Most tests of wire need the network that it builds.
static void need_wire(void)
{
    if (test_run("./wire/wire --rtt 0 -- build/peer idle-server -- true") == 3)
        SKIP("this machine allows no wire: see make doctor");
}

// The number behind `text` in test_output; -1 if it is not there.
static double number_after(const char *text)
{
    const char *found = strstr(test_output, text);
    if (!found)
        return -1;
    return atof(found + strlen(text));
}

// After a ping-pong over --rtt 50: no round trip is shorter, and the median is within 1 ms of
// it; where the machine has more to do than it has cores, the fastest one is within 10 ms.
static void expect_round_trip_of_50_ms(void)
{
    double load, median = number_after("median "), fastest = number_after("fastest ");
    CHECK_AT_LEAST(fastest, 50);
    if (getloadavg(&load, 1) == 1 && load > (double)sysconf(_SC_NPROCESSORS_ONLN))
        CHECK_AT_MOST(fastest, 60);
    else
        CHECK_AT_MOST(median, 51);
}

TEST(wire_delays)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --rtt 50 -- build/peer echo-server -- build/peer ping-pong"), 0);
    expect_round_trip_of_50_ms();
}

// Which of 10,000 datagrams the wire lost, as a text of 0 and 1, from its own trace.
static char *losses(const char *options)
{
    char command[300];
    snprintf(command, sizeof command,
             "./wire/wire %s --trace -- build/peer count-datagrams -- build/peer --count 10000 "
             "--bytes 9 --until-heard send-datagrams | "
             "awk '/UDP 9 bytes/ { printf \"%%d\", /lost/ }'",
             options);
    CHECK_INT(test_run(command), 0);
    CHECK_INT((long)strlen(test_output), 10000);
    return strdup(test_output);
}

TEST(wire_loses_the_same_packets_with_the_same_seed)
{
    need_wire();
    char *first = losses("--loss 10 --seed 7"), *second = losses("--loss 10 --seed 7");
    char *other = losses("--loss 10 --seed 8");
    int lost = 0;
    for (const char *c = first; *c; c++)
        lost += *c == '1';
    CHECK_BETWEEN(lost, 900, 1100);
    CHECK(!strcmp(first, second));
    CHECK(strcmp(first, other));
    free(first);
    free(second);
    free(other);
}

// What becomes of 2,000 datagrams, as a text: d is damaged, l is late.
static char *harm(const char *options)
{
    char command[300];
    snprintf(command, sizeof command,
             "./wire/wire %s --trace -- build/peer count-datagrams -- build/peer --count 2000 "
             "--bytes 9 --until-heard send-datagrams | awk '/UDP 9 bytes/ { printf \"%%s\", "
             "/damaged/ ? \"d\" : / late/ ? \"l\" : \".\" }'",
             options);
    CHECK_INT(test_run(command), 0);
    CHECK_INT((long)strlen(test_output), 2000);
    return strdup(test_output);
}

TEST(wire_harms_the_same_packets_with_the_same_seed)
{
    need_wire();
    char *first = harm("--corrupt 10 --reorder 20 --seed 7");
    char *second = harm("--corrupt 10 --reorder 20 --seed 7");
    char *other = harm("--corrupt 10 --reorder 20 --seed 8");
    int damaged = 0, late = 0;
    for (const char *c = first; *c; c++) {
        damaged += *c == 'd';
        late += *c == 'l';
    }
    CHECK_BETWEEN(damaged, 120, 280);
    CHECK_BETWEEN(late, 240, 480); // 20 % of those that are not damaged
    CHECK(!strcmp(first, second));
    CHECK(strcmp(first, other));
    free(first);
    free(second);
    free(other);
}

// When each packet leaves the bottleneck, and how long it travels, to the nanosecond. (The
// moments are long past, so that each packet can be taken at once.)
TEST(a_link_has_its_rate_and_its_delay)
{
    static const struct link_shape shape = {
        .rate_kbit = 1000, .rtt_ms = 50, .queue_packets = 100, .mtu = 1500};
    enum { FULL_NS = 12000000, WAY_NS = 25000000 }; // 1500 bytes at 1000 kbit/s; half of 50 ms
    static struct link link;
    uint16_t length;
    link_open(&link, &shape, 0);
    for (int i = 0; i < 110; i++) { // all at once
        struct packet packet = {.at_ns = 1000, .length = i == 99 ? 750 : 1500};
        CHECK_INT(link_send(&link, &packet), i < 100 ? PASSED : QUEUE_FULL);
    }
    for (int i = 0; i < 100; i++) {
        int64_t departs_ns = 1000 + (i + 1) * (int64_t)FULL_NS;
        if (i == 99)
            departs_ns -= FULL_NS / 2;
        CHECK_INT(link_arrival_ns(&link), departs_ns + WAY_NS);
        CHECK(link_take(&link, &length));
        CHECK_INT(length, i == 99 ? 750 : 1500);
    }
    CHECK(!link_take(&link, &length));
    // The bottleneck was idle meanwhile: that gives no credit.
    int64_t later_ns = 1000 + 500 * (int64_t)FULL_NS;
    for (int i = 1; i <= 2; i++) {
        struct packet packet = {.at_ns = later_ns, .length = 1500};
        CHECK_INT(link_send(&link, &packet), PASSED);
    }
    for (int i = 1; i <= 2; i++) {
        CHECK_INT(link_arrival_ns(&link), later_ns + i * FULL_NS + WAY_NS);
        CHECK(link_take(&link, &length));
    }
}

// After 126 packets of 1500 bytes over --rate 1000, which all but the first had to queue for:
// a_link_has_its_rate_and_its_delay is exact; here a busy machine may read the first one late,
// or the last.
static void expect_a_rate_of_1000_kbit(void)
{
    CHECK_BETWEEN(125 * 1500 * 8 / number_after("received 126 in "), 500, 2000);
}

TEST(wire_limits_the_rate_and_queues)
{
    need_wire();
    CHECK_INT(
        test_run(
            "./wire/wire --rate 1000 --queue 200 --verbose -- build/peer count-datagrams -- "
            "build/peer --count 126 --bytes 1472 --wait 1800 send-datagrams"),
        0);
    CHECK_HAS(test_output, "received 126 in ");
    expect_a_rate_of_1000_kbit();
    CHECK_HAS(test_output, "to the server 126 packets, 189000 bytes, 0 lost, 0 queue full");
    CHECK_HAS(test_output, "to the client 0 packets, 0 bytes");
}

TEST(wire_drops_what_the_queue_has_no_room_for)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --rate 100 --queue 10 --verbose -- build/peer count-datagrams -- "
                 "build/peer --count 50 --bytes 1000 --wait 1500 send-datagrams"),
        0);
    double received = number_after("received ");
    CHECK_BETWEEN(received, 10, 12); // a busy machine may send the last ones later
    CHECK_INT((long)(received + number_after("0 lost, ")), 50);
}

TEST(wire_respects_the_mtu)
{
    need_wire();
    CHECK_INT(
        test_run(
            "./wire/wire --mtu 600 --trace -- build/peer echo-server -- build/peer ping-pong"),
        0);
    CHECK_HAS(test_output, "SYN  mss 560");
    CHECK_INT(
        test_run(
            "./wire/wire --mtu 9000 --trace -- build/peer echo-server -- build/peer ping-pong"),
        0);
    CHECK_HAS(test_output, "SYN  mss 8960");
}

TEST(wire_draws_packets)
{
    need_wire();
    CHECK_INT(
        test_run("./wire/wire --rtt 20 --loss 20 --seed 3 --trace -- build/peer echo-server -- "
                 "build/peer --count 30 ping-pong"),
        0);
    CHECK_HAS(test_output, "├── SYN  mss 1460 ──");
    CHECK_HAS(test_output, "── SYN ACK  mss 1460 ──┤");
    CHECK_HAS(test_output, "├── FIN");
    CHECK_HAS(test_output, " ✗ lost");
    CHECK_HAS(test_output, "lost ✗ ──");
    CHECK_HAS(test_output, "again");
    CHECK(widest_line() <= 100);
    double last = 0;
    for (char *line = strtok(test_output, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, " ms  ")) {
            CHECK(atof(line) >= last); // in the order of time
            last = atof(line);
        }
}

TEST(wire_draws_udp_and_icmp)
{
    need_wire();
    test_run("./wire/wire --rtt 2 --trace -- build/peer idle-server -- "
             "build/peer --port 9001 --count 1 --bytes 45 --wait 50 send-datagrams");
    CHECK_HAS(test_output, "├── UDP 45 bytes ──");
    CHECK_HAS(test_output, "── ICMP port unreachable ──┤");
}

// Each packet has the time of day at which it was sent: two minutes are for a busy machine.
TEST(wire_captures_the_time_of_day)
{
    need_wire();
    CHECK_INT(
        test_run("f=$(mktemp); ./wire/wire --rtt 200 --pcap $f -- build/peer idle-server -- "
                 "build/peer --port 9001 --count 1 --wait 300 send-datagrams >/dev/null; "
                 "od -An -tu4 -j24 -N8 $f; date +%s.%N; rm $f"),
        0);
    double seconds = 0, nanoseconds = 0, today = 0;
    CHECK_INT(sscanf(test_output, "%lf %lf %lf", &seconds, &nanoseconds, &today), 3);
    CHECK_BETWEEN(today - seconds - nanoseconds / 1e9, 0.1, 120);
}

TEST(wire_captures)
{
    need_wire();
    CHECK_INT(
        test_run("f=$(mktemp); ./wire/wire --verbose --pcap $f -- build/peer echo-server -- "
                 "build/peer --count 1 ping-pong && od -An -tx4 -N24 $f; stat -c 'size "
                 "%s' $f; rm $f"),
        0);
    CHECK_HAS(test_output, "a1b23c4d 00040002 00000000 00000000");
    CHECK_HAS(test_output, "0000ffff 00000065");
    const char *to_client = strstr(test_output, "to the client ");
    CHECK(to_client != NULL);
    double packets = number_after("to the server ") + (to_client ? atof(to_client + 14) : 0);
    double bytes = number_after("packets, ");
    CHECK_AT_LEAST(packets, 9);
    CHECK_AT_LEAST(bytes, 1);
    const char *second = to_client ? strstr(to_client, "packets, ") : NULL;
    CHECK_INT((long)number_after("size "),
              (long)(24 + 16 * packets + bytes + (second ? atof(second + 9) : 0)));
}

// How long the unit of an interface's times is, by its block of pcapng, in ns; the block's body
// begins with its link type. 1000 if no option says it (if_tsresol is option 9).
static double unit_ns(const uint8_t *body, size_t length)
{
    uint16_t option[2] = {0};
    double ns = 1e9;
    for (size_t at = 8; at + sizeof option < length; at += 4 + ((option[1] + 3u) & ~3u)) {
        memcpy(option, body + at, sizeof option);
        if (option[0] == 9 && option[1] == 1) {
            for (int digits = body[at + 4]; digits > 0; digits--)
                ns /= 10;
            return ns;
        }
    }
    return 1000;
}

// Reads the times of the first packets in a file of --pcap, in ms since 1970. Returns how many
// there are, at most `max`.
static int read_times(const char *path, double *ms, int max)
{
    static uint8_t body[1 << 17];
    uint32_t head[6], block[2], part[4];
    int count = 0;
    FILE *file = fopen(path, "re");
    CHECK(file && fread(head, sizeof head, 1, file) == 1);
    bool named = head[0] == 0x0a0d0d0a; // pcapng, which wire writes where it has nodes
    double unit = 1000;                 // of pcap's fractions of a second: its number says it
    if (head[0] == 0xa1b23c4d)
        unit = 1;
    if (named)
        CHECK(fseek(file, head[1], SEEK_SET) == 0);
    while (count < max && !named && fread(part, sizeof part, 1, file) == 1) {
        ms[count++] = part[0] * 1e3 + part[1] * unit / 1e6;
        fseek(file, part[2], SEEK_CUR);
    }
    while (count < max && named && fread(block, sizeof block, 1, file) == 1) {
        CHECK(block[1] > sizeof block && block[1] <= sizeof body);
        CHECK(fread(body, block[1] - sizeof block, 1, file) == 1);
        memcpy(part, body, sizeof part);
        if (block[0] == 1)
            unit = unit_ns(body, block[1] - sizeof block - 4);
        if (block[0] == 6) // a packet: its interface, then its time
            ms[count++] = (double)((uint64_t)part[1] << 32 | part[2]) * unit / 1e6;
    }
    fclose(file);
    return count;
}

// The SYN, its answer, and the ACK: each is sent when the one before has come, 50 ms after that
// was sent. And all of them while the wire runs, by the clock on the wall.
static void expect_handshake_times(const char *rest)
{
    double ms[3];
    struct timespec before, after;
    char path[] = "/tmp/wire-times-XXXXXX", line[300];
    close(mkstemp(path));
    snprintf(line, sizeof line, "./wire/wire --pcap %s %s", path, rest);
    clock_gettime(CLOCK_REALTIME, &before);
    CHECK_INT(test_run(line), 0);
    clock_gettime(CLOCK_REALTIME, &after);
    CHECK_INT(read_times(path, ms, 3), 3);
    unlink(path);
    CHECK(ms[1] - ms[0] >= 49.9);
    CHECK(ms[2] - ms[1] >= 49.9);
    CHECK(ms[0] >= (double)before.tv_sec * 1e3 + (double)before.tv_nsec / 1e6);
    CHECK(ms[2] <= (double)after.tv_sec * 1e3 + (double)after.tv_nsec / 1e6);
}

TEST(wire_captures_when_a_packet_was_sent)
{
    double ms[1];
    char path[] = "/tmp/wire-times-XXXXXX", line[300];
    need_wire();
    expect_handshake_times("--rtt 100 -- build/peer echo-server -- build/peer --count 1 "
                           "ping-pong");
    expect_handshake_times("--node a --rtt 100 --node b -- b: build/peer echo-server -- "
                           "a: build/peer --count 1 ping-pong");
    // The datagram would arrive ten seconds later: that is not the time in the file.
    close(mkstemp(path));
    snprintf(line, sizeof line,
             "./wire/wire --rtt 20000 --pcap %s -- build/peer idle-server -- sh -c 'echo sent "
             "$(date +%%s%%N); "
             "build/peer --port 9001 --count 1 --bytes 45 --wait 50 send-datagrams'",
             path);
    CHECK_INT(test_run(line), 0);
    double sent_ms = number_after("sent ") / 1e6;
    CHECK_INT(read_times(path, ms, 1), 1);
    unlink(path);
    CHECK(ms[0] >= sent_ms - 1);
    CHECK(ms[0] < sent_ms + 9000);
}

// Milliseconds of CPU time that wire and two programs take when the programs sleep for
// `seconds`.
static long idle_cpu_ms(const char *seconds)
{
    char command[100];
    struct rusage before, after;
    snprintf(command, sizeof command,
             "./wire/wire --rtt 50 -- build/peer idle-server -- sleep %s", seconds);
    getrusage(RUSAGE_CHILDREN, &before);
    CHECK_INT(test_run(command), 0);
    getrusage(RUSAGE_CHILDREN, &after);
    long s = after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
             before.ru_stime.tv_sec;
    long us = after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
              before.ru_stime.tv_usec;
    return s * 1000 + us / 1000;
}

TEST(wire_sleeps_when_nothing_moves)
{
    need_wire();
    // To start the programs takes time of its own, on a busy machine much of it.
    long longer_ms = 0;
    for (int i = 0; i < 3; i++) {
        longer_ms = idle_cpu_ms("2.1") - idle_cpu_ms("0.1");
        if (longer_ms < 300) // of 2000
            return;
    }
    FAIL("two seconds more of silence take %ld ms more of CPU time", longer_ms);
}

TEST(wire_rejects_bad_values)
{
    static const char *const cases[][2] = {
        {"--rtt -1", "--rtt takes a number from 0 to 60000"},
        {"--loss 101", "--loss takes a number from 0 to 100"},
        {"--rate 0", "--rate takes a number from 1 to 10000000"},
        {"--queue 0", "--queue takes a whole number from 1 to 10000"},
        {"--mtu 67", "--mtu takes a whole number from 68 to 65535"},
        {"--seed x", "--seed takes a whole number from 0 to 2147483647"},
    };
    char command[200];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "./wire/wire %s -- true -- true", cases[i][0]);
        CHECK_INT(test_run(command), 2);
        CHECK_HAS(test_output, cases[i][1]);
    }
    CHECK_INT(test_run("./wire/wire"), 2);
    CHECK_INT(test_run("./wire/wire --rtt 5 -- true"), 2);
    CHECK_HAS(test_output, "usage: wire");
}

TEST(wire_passes_the_status_on)
{
    CHECK_INT(test_run("./wire/wire -- build/peer idle-server -- sh -c 'exit 7'"), 7);
    CHECK_INT(test_run("./wire/wire -- build/peer idle-server -- sh -c 'kill -9 $$'"), 137);
    CHECK_HAS(test_output, "the client was ended by signal 9");
    CHECK_INT(test_run("./wire/wire -- build/peer idle-server -- ./no-such-client"), 127);
    CHECK_HAS(test_output, "cannot run ./no-such-client: No such file");
}

TEST(wire_reports_a_server_that_ends_early)
{
    int64_t start = now_ns();
    CHECK_INT(test_run("./wire/wire -- sh -c 'echo I cannot; exit 4' -- true"), 1);
    CHECK_HAS(test_output, "I cannot");
    CHECK_HAS(test_output, "ended before it was ready: exit status 4");
    CHECK_INT(test_run("./wire/wire -- ./no-such-server -- true"), 1);
    CHECK_HAS(test_output, "cannot run ./no-such-server");
    CHECK((now_ns() - start) / 1000000000 < 5);
}

TEST(wire_reports_a_server_that_ends_badly)
{
    CHECK_INT(test_run("./wire/wire -- sh -c 'trap \"exit 9\" TERM; echo 9000 >&$READY_FD; "
                       "while :; do sleep 0.1; done' -- true"),
              1);
    CHECK_HAS(test_output, "the server ended with exit status 9");
    CHECK_INT(
        test_run("./wire/wire -- sh -c 'echo 9000 >&$READY_FD; kill -SEGV $$' -- sleep 0.5"),
        1);
    CHECK_HAS(test_output, "the server ended with signal 11");
}

TEST(wire_reports_a_server_that_does_not_say_its_port)
{
    CHECK_INT(test_run("./wire/wire -- sh -c 'echo hello >&$READY_FD; sleep 9' -- true"), 1);
    CHECK_HAS(test_output, "wrote 'hello' to $READY_FD");
    CHECK_INT(test_run("./wire/wire -- sh -c 'echo 70000 >&$READY_FD; sleep 9' -- true"), 1);
    CHECK_HAS(test_output, "wrote '70000' to $READY_FD");
    CHECK_INT(test_run("./wire/wire -- sh -c 'eval \"exec $READY_FD>&-\"; sleep 9' -- true"),
              1);
    CHECK_HAS(test_output, "closed $READY_FD without writing its port");
    CHECK_INT(test_run("./wire/wire -- sh -c 'sleep 9 & exit 4' -- true"), 1);
    CHECK_HAS(test_output, "ended before it was ready: exit status 4");
}

// $READY_FD has a number that a plain sh can redirect to, also where the low numbers are taken.
// Lines with the names and numbers of further ports may follow the first port.
TEST(wire_hands_over_a_descriptor_for_the_port)
{
    CHECK_INT(test_run("exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3; ./wire/wire -- "
                       "sh -c 'echo 9000 >&$READY_FD; exec sleep 9' -- true"),
              1); // its sleep dies of SIGTERM
    CHECK_HAS(test_output, "the server ended with signal 15");
    CHECK_INT(test_run("./wire/wire -- sh -c '"
                       "trap \"exit 0\" TERM; printf \"9000\\nother 9001\\n\" >&$READY_FD; "
                       "while :; do sleep 0.05; done' -- sh -c 'echo port $PORT'"),
              0);
    CHECK_HAS(test_output, "port 9000\n");
}

// A new network copies settings from the machine's own network, and its owner may have changed
// them.
TEST(wire_gives_every_network_the_same_settings)
{
    if (test_run("./wire/wire --rtt 0 -- build/peer idle-server -- sh -c "
                 "'cd /proc/sys/net/ipv4; cat tcp_congestion_control tcp_rmem tcp_wmem tcp_ecn "
                 "tcp_rfc1337; echo \"$HOST_tcp_rmem\"'") == 3)
        SKIP("this machine allows no wire");
    CHECK_HAS(test_output, "reno\n4096\t131072\t6291456\n4096\t16384\t4194304\n2\n1\n");
    // With that of the machine beside it.
    FILE *file = fopen("/proc/sys/net/ipv4/tcp_rmem", "re");
    char line[100] = "";
    CHECK(file && fgets(line, sizeof line, file) && fclose(file) == 0);
    CHECK_HAS(strstr(test_output, "\n2\n1\n"), line);
}

TEST(wire_minds_only_its_own_children)
{
    CHECK_INT(test_run("sh -c 'sleep 0.3 & exec ./wire/wire -- build/peer idle-server -- "
                       "sh -c \"sleep 0.8; echo played to the end\"'"),
              0);
    CHECK_HAS(test_output, "played to the end");
}

TEST(wire_waits_ten_seconds_for_a_server)
{
    int64_t start = now_ns();
    CHECK_INT(test_run("./wire/wire -- build/peer never-ready -- true"), 1);
    CHECK_HAS(test_output, "was not ready within 10 s");
    int64_t took_ms = (now_ns() - start) / 1000000;
    CHECK_BETWEEN(took_ms, 10000, 19999);
}

TEST(wire_kills_a_server_that_does_not_stop)
{
    CHECK_INT(test_run("./wire/wire -- build/peer deaf-server -- true"), 1);
    CHECK_HAS(test_output, "the server ignored SIGTERM for 5 s: killed");
}

// Waits until `count` processes run that have `mark` in their command line, at most 5 s.
static void expect_processes(const char *mark, int count)
{
    char command[200];
    snprintf(command, sizeof command,
             "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cx '9[89]%s'",
             mark);
    for (int i = 0; i < 500; i++, sleep_ms(10)) {
        test_run(command);
        if (atoi(test_output) == count)
            return;
    }
    CHECK_INT(atoi(test_output), count);
}

// Starts wire with a server and a client that stay; returns its pid when both run.
static pid_t start_wire(const char *mark)
{
    char command[400];
    snprintf(command, sizeof command,
             "exec ./wire/wire -- sh -c 'echo 9000 >&$READY_FD; exec sleep 98%s' -- sleep 99%s",
             mark, mark);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    expect_processes(mark, 4); // the two programs, wire, and the guard, a copy of wire
    return pid;
}

TEST(wire_leaves_no_children_when_it_is_killed)
{
    char mark[32];
    int status;
    snprintf(mark, sizeof mark, ".1%d", getpid());
    pid_t wire = start_wire(mark);
    kill(wire, SIGKILL);
    waitpid(wire, &status, 0);
    expect_processes(mark, 0);
}

TEST(wire_stops_both_on_ctrl_c)
{
    char mark[32];
    int status;
    snprintf(mark, sizeof mark, ".2%d", getpid());
    pid_t wire = start_wire(mark);
    kill(wire, SIGINT);
    waitpid(wire, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 128 + SIGINT);
    expect_processes(mark, 0);
}

TEST(wire_ends_the_children_of_its_programs)
{
    char mark[32], command[300];
    snprintf(mark, sizeof mark, ".3%d", getpid());
    snprintf(command, sizeof command,
             "./wire/wire -- sh -c 'sleep 98%s & echo 9000 >&$READY_FD' -- sh -c 'sleep 99%s & "
             "exit 5'",
             mark, mark);
    CHECK_INT(test_run(command), 5);
    expect_processes(mark, 0);
}

// A file instead of the device, in a mount namespace of its own: TUNSETIFF is refused.
TEST(wire_says_which_step_was_refused)
{
    if (test_run("unshare -m true") != 0)
        SKIP("only root can put another file in the place of /dev/net/tun");
    CHECK_INT(test_run("unshare -m sh -c 'mount --bind /dev/null /dev/net/tun && "
                       "./wire/wire --rtt 5 -- build/peer idle-server -- true'"),
              3);
    CHECK_HAS(test_output, "wire: cannot build the network: ioctl(TUNSETIFF)");
    CHECK_HAS(test_output, "/dev/net/tun is not the kernel's");
    // In a container that gives root few rights, the advice is not "run as root".
    CHECK_INT(test_run("setpriv --bounding-set -all,+sys_admin --inh-caps -all "
                       "./wire/wire --rtt 5 -- build/peer idle-server -- true"),
              3);
    CHECK_HAS(test_output, "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --device");
    CHECK(!strstr(test_output, "run as root"));
    CHECK(!strstr(test_output, "run wire as root"));
    // A scene is played on loopback then, and says that it is the machine that refuses.
    CHECK_INT(
        test_run("cd ../09-nagle && make -s 2>&1 && SCENE=small STRICT= setpriv --bounding-set "
                 "-all --inh-caps -all sh ./run.sh"),
        0);
    CHECK_HAS(test_output, "needs the wire, which this machine does not allow");
    CHECK(!strstr(test_output, "make run-09 SCENE=small"));
}

// As an ordinary user: refused with the remedy while the device is root's, fine when it is not.
TEST(wire_as_an_ordinary_user)
{
    if (test_run("unshare -m true") != 0)
        SKIP("only root can become another user");
    int status =
        test_run("unshare -m sh -c 'mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && "
                 "chmod 600 /mnt/tun && mount --bind /mnt/tun /dev/net/tun && "
                 "setpriv --reuid 65534 --regid 65534 --clear-groups "
                 "./wire/wire --rtt 5 -- build/peer idle-server -- true'");
    CHECK_INT(status, 3);
    CHECK_HAS(test_output, "open(/dev/net/tun): Permission denied");
    CHECK_HAS(test_output, "sudo chmod 666 /dev/net/tun");
    if (test_run("setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur true") != 0)
        SKIP("an ordinary user may make no user namespace here");
    status =
        test_run("unshare -m sh -c 'mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && "
                 "chmod 666 /mnt/tun && mount --bind /mnt/tun /dev/net/tun && "
                 "setpriv --reuid 65534 --regid 65534 --clear-groups "
                 "./wire/wire --rtt 50 -- build/peer echo-server -- build/peer ping-pong'");
    CHECK_INT(status, 0);
    expect_round_trip_of_50_ms();
}

#endif
