// test.c: tests of the common library and of wire. See test.h.
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "net.h"
#include "packet.h"
#include "spawn.h"
#include "test_fetch.h"
#include "test_http.h"

// ---- net -----------------------------------------------------------------------------------

static void ignore(int signal_number)
{
    (void)signal_number;
}

static void *write_slowly(void *fd)
{
    for (int i = 0; i < 100; i++) {
        sleep_ms(0.3);
        if (write(*(int *)fd, "0123456789", 10) != 10)
            break;
    }
    return NULL;
}

// A timer interrupts the system calls of this process some thousand times a second.
static void interrupt_often(void)
{
    struct sigaction action = {.sa_handler = ignore};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {{0, 300000}, {0, 300000}};
    timer_t timer;
    sigaction(SIGUSR1, &action, NULL);
    CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK(!timer_settime(timer, 0, &often, NULL));
}

TEST(read_exactly_across_short_reads_and_signals)
{
    int pair[2];
    char bytes[1001];
    pthread_t writer;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    interrupt_often();
    pthread_create(&writer, NULL, write_slowly, &pair[0]);
    CHECK(read_exactly(pair[1], bytes, 1000));
    CHECK(!memcmp(bytes, "0123456789", 10) && !memcmp(bytes + 990, "0123456789", 10));
    pthread_join(writer, NULL);
    close(pair[0]);
    errno = EIO;
    CHECK(!read_exactly(pair[1], bytes, 1));
    CHECK_INT(errno, 0); // the end of the stream is no error
}

static void *read_slowly(void *fd)
{
    char bytes[5000];
    long total = 0;
    for (ssize_t got; total < 1000000 && (got = read(*(int *)fd, bytes, sizeof bytes)) != 0;)
        total += got > 0 ? got : 0;
    return (void *)total;
}

TEST(write_all_across_short_writes_and_signals)
{
    static char bytes[1000000];
    int pair[2];
    void *total;
    pthread_t reader;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    interrupt_often();
    pthread_create(&reader, NULL, read_slowly, &pair[1]);
    CHECK(write_all(pair[0], bytes, sizeof bytes));
    pthread_join(reader, &total);
    CHECK_INT((long)total, sizeof bytes);
    signal(SIGPIPE, SIG_IGN);
    close(pair[1]);
    CHECK(!write_all(pair[0], bytes, 1));
    CHECK_INT(errno, EPIPE);
}

TEST(names_of_addresses)
{
    char text[NET_NAME];
    struct sockaddr_storage address;
    net_address("127.0.0.1", 8001, SOCK_STREAM, &address);
    CHECK(!strcmp(net_name(&address, text), "127.0.0.1:8001"));
    net_address("::1", 80, SOCK_STREAM, &address);
    CHECK(!strcmp(net_name(&address, text), "[::1]:80"));
}

// ---- spawn ---------------------------------------------------------------------------------

TEST(spawn_a_server)
{
    const char *const server[] = {"build/peer", "echo-server", NULL};
    const char *const missing[] = {"build/nothing", NULL};
    const char *const silent[] = {"/bin/sh", "-c", "exit 3", NULL};
    char text[4] = "";
    pid_t pid;
    int port = spawn_server(&pid, server);
    CHECK(port > 0);
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(write(fd, "abc", 3) == 3 && read(fd, text, 3) > 0 && text[0] == 'a');
    close(fd);
    CHECK_INT(spawn_stop(pid), 0);
    CHECK_INT(spawn_server(&pid, silent), 0);
    CHECK_INT(spawn_server(&pid, missing), 0);
    CHECK_INT(spawn_server(&pid, server) > 0, 1);
    kill(pid, SIGKILL);
    CHECK_INT(spawn_wait(pid), 128 + SIGKILL);
}

// ---- options -------------------------------------------------------------------------------

static void rejects(const char *arguments, const char *says)
{
    char command[256];
    snprintf(command, sizeof command, "build/peer %s", arguments);
    CHECK_INT(test_run(command), 2);
    CHECK_HAS(test_output, says);
}

TEST(options_reject_bad_input)
{
    rejects("--port abc", "--port takes a whole number from 0 to 65535, not 'abc'");
    rejects("--port 65536", "--port takes a whole number from 0 to 65535, not '65536'");
    rejects("--port -1", "from 0 to 65535, not '-1'");
    rejects("--port 1.5", "whole number");
    rejects("--port 1e400", "not '1e400'");
    rejects("--port nan", "not 'nan'");
    rejects("--port ''", "not ''");
    rejects("--port '80 '", "not '80 '");
    rejects("--port", "--port needs a value");
    rejects("--colour red", "unknown option '--colour'");
    rejects("-x", "unknown option '-x'");
    rejects("--p 1", "unknown option '--p', or not the whole of one");
    rejects("nobody", "no scene 'nobody'; there are:\n  tell wrong skip");
}

TEST(options_help)
{
    CHECK_INT(test_run("build/peer --port 8080 --help"), 0);
    CHECK_HAS(test_output, "usage: peer [options] ROLE");
    CHECK_HAS(test_output, "--host TEXT");
    CHECK_HAS(test_output, "(default 127.0.0.1)");
    CHECK_HAS(test_output, "(0 to 65535, default 8080)");
    CHECK_HAS(test_output, "--help");
}

TEST(host_and_port_of_the_environment_count_only_under_wire)
{
    CHECK_INT(test_run("HOST=elsewhere PORT=99 build/peer --help"), 0);
    CHECK_HAS(test_output, "(default 127.0.0.1)");
    CHECK_INT(test_run("WIRE_BOARD=0 PORT=junk build/peer --help"), 2);
    CHECK_HAS(test_output, "$PORT takes a whole number");
}

// ---- story ---------------------------------------------------------------------------------

// Columns of the longest line in test_output.
static int widest_line(void)
{
    int widest = 0, column = 0;
    for (const char *c = test_output; *c; c++) {
        column = *c == '\n' ? 0 : column + ((*c & 0xc0) != 0x80);
        widest = column > widest ? column : widest;
    }
    return widest;
}

TEST(story_plain)
{
    CHECK_INT(test_run("build/peer tell"), 0);
    CHECK(!strchr(test_output, '\033'));
    CHECK_HAS(test_output, "── 1 tell ── a good story ──");
    CHECK_HAS(test_output, "│ an .[31mevent.[0m  ");
    CHECK_HAS(test_output, "größe                                       1            2\n");
    CHECK_HAS(test_output, "half                       █████████████████████████ 1 of 2");
    CHECK_HAS(test_output, "guide §1         \"water is wet\"");
    CHECK_HAS(test_output, "   HOLDS\n");
    CHECK_HAS(test_output, "NOT HERE\n");
    CHECK(widest_line() <= 100);
}

// Runs a command at the other end of a terminal; its output is in test_output.
static void run_in_terminal(const char *command)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(ptsname(terminal), O_RDWR);
        dup2(fd, 1);
        dup2(fd, 2);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    size_t length = 0; // until nobody holds the terminal open any more
    for (ssize_t got;
         (got = read(terminal, test_output + length, sizeof test_output - 1 - length)) > 0;)
        length += (size_t)got;
    test_output[length] = '\0';
    waitpid(pid, NULL, 0);
    close(terminal);
}

TEST(story_in_colour)
{
    run_in_terminal("unset NO_COLOR; TERM=xterm exec build/peer tell");
    CHECK_HAS(test_output, "\033[32m     HOLDS\033[0m");
    CHECK_HAS(test_output, "\033[33m");
    run_in_terminal("NO_COLOR=1 TERM=xterm exec build/peer tell");
    CHECK(!strchr(test_output, '\033'));
    run_in_terminal("unset NO_COLOR; TERM=dumb exec build/peer tell");
    CHECK(!strchr(test_output, '\033'));
}

TEST(story_reports_what_is_not_as_documented)
{
    CHECK_INT(test_run("build/peer wrong"), 1);
    CHECK_HAS(test_output, "UNEXPECTED");
    CHECK_HAS(test_output, "claim 0.3: expected HOLDS; seen neither");
    CHECK_HAS(test_output, "to see it again: make run-00 SCENE=wrong");
    CHECK_INT(test_run("STRICT= build/peer skip"), 0);
    CHECK_HAS(test_output, "SKIPPED");
    CHECK_INT(test_run("STRICT=1 build/peer skip"), 1);
}

TEST(story_writes_the_ledger)
{
    CHECK_INT(test_run("f=$(mktemp); LEDGER=$f build/peer tell >/dev/null; cat $f; rm $f"), 0);
    CHECK_HAS(test_output, "0.1\tHOLDS\tguide §1\twater is wet\twet\n");
    CHECK_HAS(test_output, "0.2\tNOT HERE\t");
    CHECK_INT(test_run("LEDGER=/nowhere/l build/peer tell"), 1);
    CHECK_HAS(test_output, "cannot add to the ledger /nowhere/l");
}

// ---- packet --------------------------------------------------------------------------------

// IPv4 and TCP headers of a SYN with an MSS of 1460 (RFC 791, RFC 9293), checksums left out.
static const uint8_t syn[44] = {0x45, 0,    0,    44, 0, 0,   0x40, 0, 64, 6,    0,
                                0,    10,   0,    0,  1, 10,  0,    0, 2,  0x9c, 0x40,
                                0x1f, 0x41, 0,    0,  0, 100, 0,    0, 0,  0,    0x60,
                                2,    0xfa, 0xf0, 0,  0, 0,   0,    2, 4,  0x05, 0xb4};

TEST(packet_headers)
{
    struct packet packet = {0};
    CHECK(packet_decode(syn, sizeof syn, &packet));
    CHECK_INT(packet.protocol, IPPROTO_TCP);
    CHECK_INT(packet.source_port, 40000);
    CHECK_INT(packet.destination_port, 8001);
    CHECK_INT(packet.seq, 100);
    CHECK_INT(packet.flags, TCP_SYN);
    CHECK_INT(packet.header, 24);
    CHECK_INT(packet.payload, 0);
    CHECK_INT(packet.window, 64240);
    CHECK_INT(packet.mss, 1460);
}

// Whatever the bytes are, decoding them reads none outside (the sanitizers watch), and the
// lengths that it reports lie within the packet.
TEST(packet_mutations)
{
    unsigned long random = 1;
    struct conversations talk = {0};
    char label[PACKET_LABEL];
    for (int i = 0; i < 200000; i++) {
        struct packet packet = {.to_server = i & 1};
        size_t length = sizeof syn - (i % 5 == 0 ? random >> 32 : 0) % (sizeof syn + 1);
        uint8_t *bytes = malloc(length ? length : 1); // its end is watched
        memcpy(bytes, syn, length);
        for (int changes = i % 4; changes > 0 && length; changes--) {
            random = random * 6364136223846793005 + 1442695040888963407;
            bytes[(random >> 33) % length] = (uint8_t)(random >> 24);
        }
        if (packet_decode(bytes, length, &packet)) {
            CHECK(packet.length <= length && packet.header + packet.payload <= packet.length);
            packet_label(&talk, &packet, label);
            CHECK(strlen(label) < PACKET_LABEL);
        }
        free(bytes);
    }
}

static const char *label_of(struct conversations *talk, struct packet packet)
{
    static char label[PACKET_LABEL];
    packet.protocol = IPPROTO_TCP;
    packet.header = 32;
    packet.source_port = packet.to_server ? 40000 : 80;
    packet.destination_port = packet.to_server ? 80 : 40000;
    packet_label(talk, &packet, label);
    return label;
}

TEST(packet_labels)
{
    struct conversations talk = {0};
    CHECK(!strcmp(label_of(&talk, (struct packet){.to_server = true,
                                                  .seq = 4294967295u,
                                                  .window = 9,
                                                  .flags = TCP_SYN,
                                                  .mss = 1460}),
                  "SYN  mss 1460"));
    CHECK(!strcmp(label_of(&talk, (struct packet){.seq = 500,
                                                  .ack = 0,
                                                  .window = 9,
                                                  .flags = TCP_SYN | TCP_ACK,
                                                  .mss = 1460}),
                  "SYN ACK  mss 1460"));
    struct packet data = {
        .to_server = true, .seq = 0, .ack = 501, .window = 9, .flags = TCP_ACK, .payload = 10};
    CHECK(!strcmp(label_of(&talk, data), "10 bytes  seq 1  ACK 1"));
    CHECK(!strcmp(label_of(&talk, data), "10 bytes  seq 1  again"));
    CHECK(!strcmp(label_of(&talk, (struct packet){.seq = 501, .ack = 10, .flags = TCP_ACK}),
                  "ACK 11  window 0"));
    CHECK(!strcmp(
        label_of(&talk,
                 (struct packet){
                     .to_server = true, .seq = 9, .ack = 501, .window = 9, .flags = TCP_ACK}),
        "probe  ACK 1"));
    CHECK(!strcmp(label_of(&talk,
                           (struct packet){
                               .seq = 501, .ack = 10, .window = 9, .flags = TCP_ACK | TCP_FIN}),
                  "FIN  window open"));
    CHECK(!strcmp(
        label_of(&talk, (struct packet){.to_server = true, .seq = 10, .flags = TCP_RST}),
        "RST"));
}

// ---- wire ----------------------------------------------------------------------------------

// Most tests of wire need the network that it builds.
static void need_wire(void)
{
    if (test_run("./wire --rtt 0 -- build/peer idle-server -- true") == 3)
        SKIP("this machine allows no wire: see make doctor");
}

// The number behind `text` in test_output; -1 if it is not there.
static double number_after(const char *text)
{
    const char *found = strstr(test_output, text);
    return found ? atof(found + strlen(text)) : -1;
}

// After a ping-pong over --rtt 50: no round trip is shorter, and the median is within 1 ms of
// it; where the machine has more to do than it has cores, the fastest one is.
static void expect_round_trip_of_50_ms(void)
{
    double load, median = number_after("median "), fastest = number_after("fastest ");
    bool busy = getloadavg(&load, 1) == 1 && load > (double)sysconf(_SC_NPROCESSORS_ONLN);
    CHECK(fastest >= 50);
    CHECK((busy ? fastest : median) <= 51);
}

TEST(wire_delays)
{
    need_wire();
    CHECK_INT(test_run("./wire --rtt 50 -- build/peer echo-server -- build/peer ping-pong"), 0);
    expect_round_trip_of_50_ms();
}

// Which of 10,000 datagrams the wire lost, as a text of 0 and 1, from its own trace.
static char *losses(const char *options)
{
    char command[300];
    snprintf(command, sizeof command,
             "./wire %s --trace -- build/peer count-datagrams -- build/peer --count 10000 "
             "--bytes 9 --wait 2000 send-datagrams | "
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
    CHECK(lost >= 900 && lost <= 1100);
    CHECK(!strcmp(first, second));
    CHECK(strcmp(first, other));
    free(first);
    free(second);
    free(other);
}

TEST(wire_limits_the_rate_and_queues)
{
    need_wire();
    CHECK_INT(
        test_run("./wire --rate 1000 --queue 200 --verbose -- build/peer count-datagrams -- "
                 "build/peer --count 126 --bytes 1472 --wait 1800 send-datagrams"),
        0);
    CHECK_HAS(test_output, "received 126 in ");
    // 125 packets of 1500 bytes after the first one, 12 ms each: all but the first had to
    // queue.
    double kbit = 125 * 1500 * 8 / number_after("received 126 in ");
    CHECK(kbit >= 970 && kbit <= 1030);
    CHECK_HAS(test_output, "126 packets, 189000 bytes, 0 lost, 0 queue full");
}

TEST(wire_drops_what_the_queue_has_no_room_for)
{
    need_wire();
    CHECK_INT(
        test_run("./wire --rate 100 --queue 10 --verbose -- build/peer count-datagrams -- "
                 "build/peer --count 50 --bytes 1000 --wait 1500 send-datagrams"),
        0);
    double received = number_after("received ");
    CHECK(received >= 10 && received <= 12); // a busy machine may send the last ones later
    CHECK_INT((long)(received + number_after("0 lost, ")), 50);
}

TEST(wire_respects_the_mtu)
{
    need_wire();
    CHECK_INT(
        test_run("./wire --mtu 600 --trace -- build/peer echo-server -- build/peer ping-pong"),
        0);
    CHECK_HAS(test_output, "SYN  mss 560");
    CHECK_INT(
        test_run("./wire --mtu 9000 --trace -- build/peer echo-server -- build/peer ping-pong"),
        0);
    CHECK_HAS(test_output, "SYN  mss 8960");
}

TEST(wire_draws_packets)
{
    need_wire();
    CHECK_INT(
        test_run("./wire --rtt 20 --loss 20 --seed 3 --trace -- build/peer echo-server -- "
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
    test_run("./wire --rtt 2 --trace -- build/peer idle-server -- "
             "build/peer --port 9001 --count 1 --bytes 45 --wait 50 send-datagrams");
    CHECK_HAS(test_output, "├── UDP 45 bytes ──");
    CHECK_HAS(test_output, "── ICMP port unreachable ──┤");
}

TEST(wire_captures)
{
    need_wire();
    CHECK_INT(test_run("f=$(mktemp); ./wire --verbose --pcap $f -- build/peer echo-server -- "
                       "build/peer --count 1 ping-pong && od -An -tx4 -N24 $f; stat -c 'size "
                       "%s' $f; rm $f"),
              0);
    CHECK_HAS(test_output, "a1b23c4d 00040002 00000000 00000000");
    CHECK_HAS(test_output, "0000ffff 00000065");
    const char *to_client = strstr(test_output, "to the client ");
    CHECK(to_client != NULL);
    double packets = number_after("to the server ") + (to_client ? atof(to_client + 14) : 0);
    double bytes = number_after("packets, ");
    CHECK(packets >= 9 && bytes > 0);
    const char *second = to_client ? strstr(to_client, "packets, ") : NULL;
    CHECK_INT((long)number_after("size "),
              (long)(24 + 16 * packets + bytes + (second ? atof(second + 9) : 0)));
}

TEST(wire_sleeps_when_nothing_moves)
{
    need_wire();
    struct rusage before, after;
    getrusage(RUSAGE_CHILDREN, &before);
    CHECK_INT(test_run("./wire --rtt 50 -- build/peer idle-server -- sleep 2"), 0);
    getrusage(RUSAGE_CHILDREN, &after);
    long used_ms = (after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
                    before.ru_stime.tv_sec) *
                       1000 +
                   (after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
                    before.ru_stime.tv_usec) /
                       1000;
    CHECK(used_ms < 500); // of 2000: starting three programs, not waiting for them
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
        snprintf(command, sizeof command, "./wire %s -- true -- true", cases[i][0]);
        CHECK_INT(test_run(command), 2);
        CHECK_HAS(test_output, cases[i][1]);
    }
    CHECK_INT(test_run("./wire"), 2);
    CHECK_INT(test_run("./wire --rtt 5 -- true"), 2);
    CHECK_HAS(test_output, "usage: wire");
}

TEST(wire_passes_the_status_on)
{
    CHECK_INT(test_run("./wire -- build/peer idle-server -- sh -c 'exit 7'"), 7);
    CHECK_INT(test_run("./wire -- build/peer idle-server -- sh -c 'kill -9 $$'"), 137);
    CHECK_HAS(test_output, "the client was ended by signal 9");
    CHECK_INT(test_run("./wire -- build/peer idle-server -- ./no-such-client"), 127);
    CHECK_HAS(test_output, "cannot run ./no-such-client: No such file");
}

TEST(wire_reports_a_server_that_ends_early)
{
    int64_t start = now_ns();
    CHECK_INT(test_run("./wire -- sh -c 'echo I cannot; exit 4' -- true"), 1);
    CHECK_HAS(test_output, "I cannot");
    CHECK_HAS(test_output, "ended before it was ready: exit status 4");
    CHECK_INT(test_run("./wire -- ./no-such-server -- true"), 1);
    CHECK_HAS(test_output, "cannot run ./no-such-server");
    CHECK((now_ns() - start) / 1000000000 < 5);
}

TEST(wire_reports_a_server_that_ends_badly)
{
    CHECK_INT(test_run("./wire -- sh -c 'trap \"exit 9\" TERM; echo 9000 >&$READY_FD; "
                       "while :; do sleep 0.1; done' -- true"),
              1);
    CHECK_HAS(test_output, "the server ended with exit status 9");
    CHECK_INT(test_run("./wire -- sh -c 'echo 9000 >&$READY_FD; kill -SEGV $$' -- sleep 0.5"),
              1);
    CHECK_HAS(test_output, "the server ended with signal 11");
}

TEST(wire_reports_a_server_that_does_not_say_its_port)
{
    CHECK_INT(test_run("./wire -- sh -c 'echo hello >&$READY_FD; sleep 9' -- true"), 1);
    CHECK_HAS(test_output, "wrote 'hello' to $READY_FD");
    CHECK_INT(test_run("./wire -- sh -c 'echo 70000 >&$READY_FD; sleep 9' -- true"), 1);
    CHECK_HAS(test_output, "wrote '70000' to $READY_FD");
    CHECK_INT(test_run("./wire -- sh -c 'eval \"exec $READY_FD>&-\"; sleep 9' -- true"), 1);
    CHECK_HAS(test_output, "closed $READY_FD without writing its port");
    CHECK_INT(test_run("./wire -- sh -c 'sleep 9 & exit 4' -- true"), 1);
    CHECK_HAS(test_output, "ended before it was ready: exit status 4");
}

TEST(wire_minds_only_its_own_children)
{
    CHECK_INT(test_run("sh -c 'sleep 0.3 & exec ./wire -- build/peer idle-server -- "
                       "sh -c \"sleep 0.8; echo played to the end\"'"),
              0);
    CHECK_HAS(test_output, "played to the end");
}

TEST(wire_waits_ten_seconds_for_a_server)
{
    int64_t start = now_ns();
    CHECK_INT(test_run("./wire -- build/peer never-ready -- true"), 1);
    CHECK_HAS(test_output, "was not ready within 10 s");
    int64_t took_ms = (now_ns() - start) / 1000000;
    CHECK(took_ms >= 10000 && took_ms < 20000);
}

TEST(wire_kills_a_server_that_does_not_stop)
{
    CHECK_INT(test_run("./wire -- build/peer deaf-server -- true"), 1);
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
             "exec ./wire -- sh -c 'echo 9000 >&$READY_FD; exec sleep 98%s' -- sleep 99%s",
             mark, mark);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    expect_processes(mark, 3); // the two, and wire itself, whose command line names one
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
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    expect_processes(mark, 0);
}

TEST(wire_ends_the_children_of_its_programs)
{
    char mark[32], command[300];
    snprintf(mark, sizeof mark, ".3%d", getpid());
    snprintf(
        command, sizeof command,
        "./wire -- sh -c 'sleep 98%s & echo 9000 >&$READY_FD' -- sh -c 'sleep 99%s & exit 5'",
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
                       "./wire --rtt 5 -- build/peer idle-server -- true'"),
              3);
    CHECK_HAS(test_output, "wire: cannot build the network: ioctl(TUNSETIFF)");
    CHECK_HAS(test_output, "run wire as root");
}

// As an ordinary user: refused with the remedy while the device is root's, fine when it is not.
TEST(wire_as_an_ordinary_user)
{
    if (test_run("unshare -m true") != 0)
        SKIP("only root can become somebody else");
    int status =
        test_run("unshare -m sh -c 'mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && "
                 "chmod 600 /mnt/tun && mount --bind /mnt/tun /dev/net/tun && "
                 "setpriv --reuid 65534 --regid 65534 --clear-groups "
                 "./wire --rtt 5 -- build/peer idle-server -- true'");
    CHECK_INT(status, 3);
    CHECK_HAS(test_output, "open(/dev/net/tun): Permission denied");
    CHECK_HAS(test_output, "sudo chmod 666 /dev/net/tun");
    if (test_run("setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur true") != 0)
        SKIP("an ordinary user may make no user namespace here");
    status =
        test_run("unshare -m sh -c 'mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && "
                 "chmod 666 /mnt/tun && mount --bind /mnt/tun /dev/net/tun && "
                 "setpriv --reuid 65534 --regid 65534 --clear-groups "
                 "./wire --rtt 50 -- build/peer echo-server -- build/peer ping-pong'");
    CHECK_INT(status, 0);
    expect_round_trip_of_50_ms();
}
