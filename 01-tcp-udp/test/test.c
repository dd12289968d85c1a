// test.c: tests of lesson 01. `make test` runs them, the scenes, real peers, and the patches in
// break/.
#define SUMMARY "connections 4, datagrams 0, dropped by the kernel 0\n"
#define LOGGED  "read() a line: \"hello\"; answer: 1 x 6 bytes\n"
#include "contract.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "ask.h"
#include "capture.h"
#include "scenes.h"
#include "tcp_state.h"

static char answer[ANSWER_BYTES];

static bool exchange(int port)
{
    int fd = net_connect("127.0.0.1", port);
    bool good = fd >= 0 && write_all(fd, "hello\n", 6) && read_line(fd, answer) &&
                !strcmp(answer, "hello");
    close(fd);
    return good;
}

static pid_t server;
static int tcp, udp;

// Starts a server, and opens a socket of each kind to it.
static void start(void)
{
    static const struct timeval patience = {PATIENCE_MS / 1000, 0};
    int port = test_start(&server, "./server --port 0");
    CHECK(port > 0);
    ask_server("127.0.0.1", port);
    tcp = ask_open_tcp();
    setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    udp = ask_open_udp();
}

static void stop(void)
{
    CHECK(exchange(ask_port()));
    CHECK_INT(test_stop(server), 0);
}

// ---- TCP -----------------------------------------------------------------------------------

TEST(lines_in_any_pieces)
{
    static const char request[] = "hello\nsay 2 twice\n\nwindows\r\nswallow 3\na\nblast\n";
    static const char expected[] =
        "hello\ntwice\ntwice\n\nwindows\nswallowed 3 bytes in 0 reads\nlast\n";
    char got[sizeof expected];
    int on = 1;
    for (size_t cut = 0; cut < sizeof request - 1 && !test_failures; cut++) {
        start();
        setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        CHECK(write_all(tcp, request, cut));
        if (cut % 8 == 0)
            sleep_ms(2); // now and then the server reads the first part alone
        CHECK(write_all(tcp, request + cut, sizeof request - 1 - cut));
        CHECK(read_exactly(tcp, got,
                           strlen("hello\ntwice\ntwice\n\nwindows\nswallowed 3 bytes in ")));
        CHECK(!memcmp(got, expected,
                      strlen("hello\ntwice\ntwice\n\nwindows\nswallowed 3 bytes in ")));
        CHECK(read_line(tcp, answer));
        CHECK(read_line(tcp, answer));
        CHECK(!strcmp(answer, "last"));
        close(tcp);
        close(udp);
        CHECK_INT(test_stop(server), 0);
    }
}

TEST(a_line_that_is_too_long)
{
    static char line[5000];
    start();
    memset(line, 'x', sizeof line);
    CHECK(write_all(tcp, line, 4095));
    CHECK(write_all(tcp, "\n", 1));
    CHECK(read_line(tcp, answer));
    CHECK_INT((long)strlen(answer), 4095);
    CHECK(write_all(tcp, line, 4096));
    CHECK(read_line(tcp, answer));
    CHECK(!strcmp(answer, "line too long"));
    CHECK(!read_line(tcp, answer)); // and the end
    stop();
}

TEST(commands)
{
    char expected[200], mine[NET_NAME], theirs[NET_NAME];
    start();
    ask_tcp(tcp, answer, "who");
    snprintf(expected, sizeof expected, "you are %s, I am %s, over tcp",
             net_local_name(tcp, mine), net_peer_name(tcp, theirs));
    CHECK_HAS(answer, expected);
    ask_tcp(tcp, answer, "state %d", local_port(tcp));
    CHECK_HAS(answer, "ESTABLISHED");
    CHECK_HAS(tcp_state(local_port(tcp), ask_port()), "ESTABLISHED");
    ask_tcp(tcp, answer, "state 1");
    CHECK_HAS(answer, "gone");
    ask_tcp(tcp, answer, "forget");
    CHECK(write_all(tcp, "note 1 0\nnote 2 0\n", 18));
    ask_tcp(tcp, answer, "notes tcp");
    CHECK_HAS(answer, "2 notes: 1=");
    ask_tcp(tcp, answer, "notes udp");
    CHECK_HAS(answer, "0 notes:");
    for (int i = 0; i < 300; i++)
        CHECK(write_all(tcp, "note 7 0\n", 9));
    ask_tcp(tcp, answer, "notes tcp");
    CHECK_HAS(answer, "256 notes:"); // the server has room for 256
    ask_tcp(tcp, answer, "say 9 what");
    for (int i = 1; i < 8; i++) { // 8 times at most
        CHECK(read_line(tcp, answer));
        CHECK_TEXT(answer, "what");
    }
    ask_tcp(tcp, answer, "say x y");
    CHECK(!strcmp(answer, "say x y"));
    ask_tcp(tcp, answer, "notesudp");
    CHECK(!strcmp(answer, "notesudp"));
    ask_tcp(tcp, answer, "note 1 -9223372036854775808"); // no number of microseconds
    CHECK(!strcmp(answer, "note 1 -9223372036854775808"));
    ask_tcp(tcp, answer, "say 99999999999999999999 x");
    CHECK(!strcmp(answer, "say 99999999999999999999 x"));
    ask_tcp(tcp, answer, "who\r");
    CHECK_HAS(answer, "you are 127.0.0.1:");
    ask_tcp(tcp, answer, "swallow -5");
    CHECK(!strcmp(answer, "swallow -5"));
    stop();
}

TEST(a_half_closed_connection_still_speaks)
{
    start();
    ask_tcp(tcp, answer, "linger 10000");
    shutdown(tcp, SHUT_WR);
    struct pollfd closed = {tcp, POLLIN, 0};
    CHECK_INT(poll(&closed, 1, 200), 0); // still open
    ask_udp(udp, answer, "resume");
    CHECK(read_line(tcp, answer));
    CHECK_TEXT(answer, "the other half was still open");
    CHECK(!read_line(tcp, answer));
    stop();
}

TEST(a_pause_ends_by_itself_too)
{
    start();
    int64_t began = now_ns();
    ask_tcp(tcp, answer, "pause 300");
    ask_tcp(tcp, answer, "hello");
    CHECK((now_ns() - began) / 1000000 >= 300);
    ask_udp(udp, answer, "pause 300");
    ask_udp(udp, answer, "hello"); // asked again until the pause is over
    CHECK_HAS(answer, "hello");
    stop();
}

// The server stops reading from a client that never reads, and serves the others.
TEST(a_client_that_does_not_read)
{
    static char lines[100000];
    start();
    memset(lines, '\n', sizeof lines);
    net_set_nonblocking(tcp);
    long sent = 0;
    struct pollfd writable = {tcp, POLLOUT, 0};
    while (sent < 100000000 && poll(&writable, 1, 500) == 1) {
        ssize_t put = write(tcp, lines, sizeof lines);
        if (put > 0)
            sent += put;
    }
    CHECK(sent < 100000000);
    stop();
}

// One client sends many costly requests in one write. Another client must get its answer while
// some answers for the greedy client are still missing. A busy machine may delay the other
// client sometimes, but not every time.
TEST(a_greedy_client_delays_nobody)
{
    static char lines[400]; // 50 requests: for each the server searches all TCP connections
    bool early = false;
    start();
    for (size_t i = 0; i < sizeof lines; i += 8)
        memcpy(lines + i, "state 1\n", 8);
    for (int i = 0; i < 20 && !early; i++) {
        int written = 0, all = 0;
        CHECK(write_all(tcp, lines, sizeof lines));
        CHECK(exchange(ask_port()));
        CHECK_INT(ioctl(tcp, FIONREAD, &written), 0);
        for (size_t line = 0; line < sizeof lines / 8; line++) {
            CHECK(read_line(tcp, answer));
            all += (int)strlen(answer) + 1;
        }
        early = written < all;
    }
    CHECK(early);
    stop();
}

// A client sends one byte a second. The server closes the connection although bytes come.
TEST(a_byte_now_and_then_buys_no_time)
{
    int64_t began = now_ns();
    start();
    signal(SIGPIPE, SIG_IGN);
    while (now_ns() - began < INT64_C(40000000000) && write_all(tcp, "x", 1))
        sleep_ms(1000);
    int64_t took_s = (now_ns() - began) / 1000000000;
    CHECK(took_s >= 19);
    CHECK(took_s <= 30);
    stop();
}

TEST(swallow_has_a_limit)
{
    start();
    ask_tcp(tcp, answer, "swallow 10485761");
    CHECK(!strcmp(answer, "swallow 10485761")); // echoed: no request
    stop();
}

// Clients that never finish a line take all places. A client that does finish its lines keeps
// its place, and a new client gets one.
TEST(slow_clients_do_not_lock_out_others)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < CROWD + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    start();
    for (int i = 0; i < CROWD + 20; i++) // some of them wait until there is room
        CHECK(write_all(net_connect("127.0.0.1", ask_port()), "x", 1));
    for (int i = 0; i < 8; i++, sleep_ms(1000))
        ask_tcp(tcp, answer, "hello");
    CHECK(exchange(ask_port()));
    ask_tcp(tcp, answer, "hello");
    CHECK(!strcmp(answer, "hello"));
    stop();
}

// ---- UDP -----------------------------------------------------------------------------------

TEST(datagrams_of_every_size)
{
    static const int sizes[] = {0, 1, 1471, 1472, 1473, 8192, 65506, 65507};
    static char out[70000], in[70000];
    start();
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(in, 0, sizeof in);
        CHECK_INT(send(udp, out, (size_t)sizes[i], 0), sizes[i]);
        struct pollfd readable = {udp, POLLIN, 0};
        CHECK_INT(poll(&readable, 1, 5000), 1);
        CHECK_INT(recv(udp, in, sizeof in, 0), sizes[i]);
        CHECK(!memcmp(in, out, (size_t)sizes[i]));
    }
    CHECK_INT(send(udp, out, 65508, 0), -1); // larger than any datagram
    CHECK_INT(errno, EMSGSIZE);
    stop();
}

TEST(late_answers_and_their_limit)
{
    start();
    for (int i = 0; i < 100; i++) { // 64 have room; the others are lost, as datagrams may be
        char text[40];
        int length = sprintf(text, "#%d after 300 x", i);
        CHECK_INT(send(udp, text, (size_t)length, 0), length);
    }
    int answers = 0;
    while (await_udp(udp, answer, now_ns() + 1000000000))
        answers++;
    CHECK_INT(answers, 64);
    for (int i = 0; i < 100; i++) { // all places are taken again
        char text[40];
        int length = sprintf(text, "#%d after 2000 x", i);
        CHECK_INT(send(udp, text, (size_t)length, 0), length);
    }
    int other = ask_open_udp(); // and yet there is room for another client
    CHECK_INT(send(other, "#1 after 300 y", 14, 0), 14);
    CHECK(await_udp(other, answer, now_ns() + 1500000000));
    CHECK(!strcmp(answer, "#1 y"));
    stop();
}

// What the server says in the end: each datagram was received, or the kernel has dropped it.
TEST(the_summary_counts_datagrams)
{
    static char note[1000] = "note 1 0 "; // a command without an answer; the rest is filling
    long connections = 0, received = 0, dropped = 0, sent = 0;
    int port = test_start(&server, "./server --port 0 >build/datagrams.log");
    ask_server("127.0.0.1", port);
    tcp = ask_open_tcp();
    udp = ask_open_udp();
    memset(note + strlen(note), 'x', sizeof note - strlen(note));
    CHECK_INT(send(udp, "pause 20000", 11, 0), 11); // the server reads no datagrams then
    CHECK(await_udp(udp, answer, now_ns() + 20000000000));
    for (sent = 1; sent < 2000; sent++)
        CHECK_INT(send(udp, note, sizeof note, 0), sizeof note);
    ask_tcp(tcp, answer, "resume");
    bool here = false;
    for (int tries = 0; tries < 20 && !here;
         tries++, sent++) { // while the queue is full it is lost
        CHECK_INT(send(udp, "hello", 5, 0), 5);
        here = await_udp(udp, answer, now_ns() + 1000000000);
    }
    CHECK(here);
    CHECK_INT(test_stop(server), 0);
    test_run("tail -n 1 build/datagrams.log; rm build/datagrams.log");
    CHECK_INT(sscanf(test_output,
                     "stopped: connections %ld, datagrams %ld, dropped by the kernel %ld",
                     &connections, &received, &dropped),
              3);
    CHECK_INT(connections, 1);
    CHECK_AT_LEAST(dropped, 1);
    CHECK_INT(received + dropped, sent);
}

TEST(an_id_comes_back)
{
    start();
    CHECK_INT(send(udp, "#12 who", 7, 0), 7);
    CHECK(await_udp(udp, answer, now_ns() + 5000000000));
    CHECK_HAS(answer, "#12 you are 127.0.0.1:");
    CHECK_INT(send(udp, "#99999999999 who", 16, 0), 16);
    CHECK(await_udp(udp, answer, now_ns() + 5000000000));
    CHECK_HAS(answer, "#99999999999 you are 127.0.0.1:");
    CHECK_INT(send(udp, "#x hello", 8, 0), 8);
    CHECK(await_udp(udp, answer, now_ns() + 5000000000));
    CHECK(!strcmp(answer, "#x hello"));
    stop();
}

// ---- capture -------------------------------------------------------------------------------

static struct packet tcp_packet(bool to_server, uint8_t flags, uint32_t seq, uint32_t ack)
{
    return (struct packet){.to_server = to_server,
                           .protocol = IPPROTO_TCP,
                           .flags = flags,
                           .seq = seq,
                           .ack = ack,
                           .source_port = to_server ? 40000 : 8001,
                           .header = 32,
                           .destination_port = to_server ? 8001 : 40000,
                           .window = 9};
}

TEST(closing_segments_are_counted)
{
    uint8_t fin = TCP_FIN | TCP_ACK;
    struct packet four[] = {tcp_packet(true, fin, 10, 50), tcp_packet(false, TCP_ACK, 50, 11),
                            tcp_packet(false, fin, 50, 11), tcp_packet(true, TCP_ACK, 11, 51)};
    struct packet three[] = {tcp_packet(true, fin, 10, 50), tcp_packet(false, fin, 50, 11),
                             tcp_packet(true, TCP_ACK, 11, 51)};
    struct packet again[] = {tcp_packet(true, fin, 10, 50), tcp_packet(true, fin, 10, 50),
                             tcp_packet(false, fin, 50, 11), tcp_packet(true, TCP_ACK, 11, 51),
                             tcp_packet(true, TCP_ACK, 11, 51)};
    CHECK_INT(capture_closing_segments(four, 4, 40000), 4);
    CHECK_INT(capture_closing_segments(three, 3, 40000), 3);
    CHECK_INT(capture_closing_segments(again, 5, 40000), 3);
    CHECK_INT(capture_closing_segments(three, 2, 40000), 0); // it has not closed yet
    CHECK_INT(capture_closing_segments(three, 3, 40001), 0); // another connection
}

TEST(openings_are_recognised)
{
    struct packet list[] = {tcp_packet(true, TCP_SYN, 1, 0),
                            tcp_packet(false, TCP_SYN | TCP_ACK, 5, 2),
                            tcp_packet(true, TCP_ACK, 2, 6), tcp_packet(true, TCP_ACK, 2, 6)};
    list[3].payload = 100;
    CHECK(capture_opens(list, 4, 40000));
    CHECK(!capture_opens(list, 4, 40001)); // another connection
    CHECK(!capture_opens(list, 3, 40000)); // no data yet
    list[0].payload = 1;                   // data before the handshake
    CHECK(!capture_opens(list, 4, 40000));
}

// Over TCP a question has to wait for the handshake. What comes behind the first bytes of the
// answer are packets, but nothing waits for them.
TEST(what_a_question_takes)
{
    struct packet tcp_list[] = {
        tcp_packet(true, TCP_SYN, 1, 0),  tcp_packet(false, TCP_SYN | TCP_ACK, 5, 2),
        tcp_packet(true, TCP_ACK, 2, 6),  tcp_packet(true, TCP_ACK, 2, 6),
        tcp_packet(false, TCP_ACK, 6, 7), tcp_packet(false, TCP_ACK, 6, 7),
        tcp_packet(true, TCP_ACK, 7, 9),  tcp_packet(false, TCP_ACK, 9, 7)};
    tcp_list[3].payload = tcp_list[5].payload = 3;
    struct exchange took = capture_exchange(tcp_list, 8, IPPROTO_TCP, 40000);
    CHECK_INT(took.packets, 8);
    CHECK_INT(took.round_trips, 2);
    CHECK_INT(capture_exchange(tcp_list, 8, IPPROTO_TCP, 40001).packets, 0);
    CHECK_INT(capture_exchange(tcp_list, 8, IPPROTO_UDP, 40000).packets, 0);
    struct packet udp_list[] = {tcp_packet(true, 0, 0, 0), tcp_packet(false, 0, 0, 0)};
    udp_list[0].protocol = udp_list[1].protocol = IPPROTO_UDP;
    udp_list[0].payload = udp_list[1].payload = 3;
    took = capture_exchange(udp_list, 2, IPPROTO_UDP, 40000);
    CHECK_INT(took.packets, 2);
    CHECK_INT(took.round_trips, 1);
}

TEST(flags_of_a_handshake)
{
    uint8_t syn, syn_ack;
    struct packet list[] = {tcp_packet(true, TCP_SYN | TCP_ECE | TCP_CWR, 1, 0),
                            tcp_packet(false, TCP_SYN | TCP_ACK | TCP_ECE, 5, 2),
                            tcp_packet(true, TCP_ACK, 2, 6)};
    capture_opening_flags(list, 3, 40000, &syn, &syn_ack);
    CHECK_INT(syn, TCP_SYN | TCP_ECE | TCP_CWR);
    CHECK_INT(syn_ack, TCP_SYN | TCP_ACK | TCP_ECE);
    capture_opening_flags(list, 3, 40001, &syn, &syn_ack);
    CHECK_INT(syn + syn_ack, 0);
}

// The kernel keeps the end that closed first, and counts down from 60 seconds.
TEST(time_wait_counts_down)
{
    start();
    int mine = local_port(tcp);
    CHECK(tcp_time_wait_s(mine, ask_port()) == 0); // not yet
    close(tcp);
    for (int i = 0; i < 20000 && strcmp(tcp_state(mine, ask_port()), "TIME_WAIT"); i++)
        sleep_ms(1);
    double first = tcp_time_wait_s(mine, ask_port());
    CHECK(first > 30 && first <= 60);
    sleep_ms(100);
    CHECK(tcp_time_wait_s(mine, ask_port()) < first);
    stop();
}

// ---- the client ----------------------------------------------------------------------------

// Runs ./client with these arguments. Returns its exit status; its output is in test_output.
static int run_client(int port, const char *arguments)
{
    char command[300];
    snprintf(command, sizeof command, "timeout 20 ./client --port %d %s", port, arguments);
    return test_run(command);
}

// A line of the client's output: a protocol and the client's address, up to its port; which
// way; the server's address; and what it was.
static void has_line(const char *begins, const char *arrow, const char *what)
{
    char ends[100];
    snprintf(ends, sizeof ends, " %s 127.0.0.1:%d %s\n", arrow, ask_port(), what);
    for (const char *at = test_output; (at = strstr(at, begins));) {
        at += strlen(begins);
        if (!strncmp(at + strspn(at, "0123456789"), ends, strlen(ends)))
            return;
    }
    FAIL("no line \"%s...%s\" in:\n%s", begins, ends, test_output);
}

TEST(the_client_shows_both_protocols)
{
    start();
    CHECK_INT(run_client(ask_port(), ""), 0);
    has_line("TCP 127.0.0.1:", "->", "6 bytes \"hello\\n\"");
    has_line("TCP 127.0.0.1:", "<-", "6 bytes \"hello\\n\"");
    has_line("TCP 127.0.0.1:", "<-", "the end of the stream");
    has_line("UDP 0.0.0.0:", "->", "5 bytes \"hello\"");
    has_line("UDP 0.0.0.0:", "<-", "5 bytes \"hello\"");
    CHECK_HAS(test_output, "\nUDP has no end: nothing more has come for 300 ms\n");
    CHECK_INT(run_client(ask_port(), "'say 3 x'"), 0);
    CHECK_HAS(test_output, "x\\n\"\nTCP"); // in one recv(), as a rule
    CHECK_INT(run_client(ask_port(), "--udp 'say 2 x'"), 0);
    CHECK_HAS(test_output, "1 bytes \"x\"\nUDP 0.0.0.0:");
    CHECK(!strstr(test_output, "TCP"));
    CHECK_INT(run_client(ask_port(), "'linger 100'"),
              0); // the client closes its own half first
    CHECK_HAS(test_output, "the other half was still open");
    CHECK_INT(run_client(ask_port(), "\"$(printf '\\033[31m')\""), 0);
    CHECK_HAS(test_output, "\"\\x1b[31m\\n\"");
    CHECK(!strchr(test_output, '\033'));
    stop();
}

TEST(the_client_says_what_went_wrong)
{
    start();
    CHECK_INT(run_client(ask_port(), "'note 1 0'"), 1);
    CHECK_HAS(test_output, "closed the connection without an answer");
    CHECK_INT(run_client(ask_port(), "hello >/dev/full"), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(run_client(ask_port(), "one two"), 2);
    CHECK_INT(run_client(1, "--udp"), 1);
    CHECK_HAS(test_output, "no answer over UDP from 127.0.0.1:1 in 5 seconds");
    // 70,000 bytes are too many for a line of this client, and for a datagram.
    CHECK_INT(run_client(ask_port(), "$(head -c70000 /dev/zero | tr '\\0' x)"), 1);
    CHECK_HAS(test_output, "the text is too long");
    CHECK_INT(run_client(ask_port(), "--udp $(head -c70000 /dev/zero | tr '\\0' x)"), 1);
    CHECK_HAS(test_output, "Message too long");
    stop();
    int port = test_fake_server("hel", 3, true);
    CHECK_INT(run_client(port, "hello"), 1);
    CHECK_HAS(test_output, "has not closed within 15 seconds; 3 bytes have come");
}

// Another program sends to the client's port before the server does.
TEST(the_client_ignores_strangers)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int here = socket(AF_INET, SOCK_DGRAM, 0), stranger = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(bind(here, (struct sockaddr *)&address, length), 0);
    CHECK_INT(getsockname(here, (struct sockaddr *)&address, &length), 0);
    if (fork() == 0) {
        char text[100];
        struct sockaddr_in client;
        length = sizeof client;
        ssize_t got = recvfrom(here, text, sizeof text, 0, (struct sockaddr *)&client, &length);
        sendto(stranger, "forged", 6, 0, (struct sockaddr *)&client, length);
        sendto(here, text, (size_t)got, 0, (struct sockaddr *)&client, length);
        _exit(0);
    }
    CHECK_INT(run_client(ntohs(address.sin_port), "--udp"), 0);
    CHECK_HAS(test_output, "UDP (ignored) 0.0.0.0:");
    CHECK_HAS(test_output, "5 bytes \"hello\"\nUDP has no end");
}

// The kernel's own values depend on its version. Other values are settings of this machine, and
// no failure.
TEST(buffers_by_default_and_tuned)
{
    static const long in[] = {4096, 131072, 6291456}, much[] = {4096, 131072, 33554432},
                      old[] = {4096, 87380, 6291456}, tuned[] = {4096, 87380, 16777216},
                      little[] = {4096, 131072, 1500000}, out[] = {4096, 16384, 4194304},
                      out_tuned[] = {4096, 65536, 16777216};
    CHECK_INT(flow_buffers(in, out, 601), NOT_HERE);
    CHECK_INT(flow_buffers(in, out, 618), NOT_HERE);
    CHECK_INT(flow_buffers(much, out, 616), NOT_HERE);
    CHECK_INT(flow_buffers(much, out, 615), SKIPPED);
    CHECK_INT(flow_buffers(little, out, 601), NOT_HERE);
    CHECK_INT(flow_buffers(old, out, 419), HOLDS);
    CHECK_INT(flow_buffers(old, out, 601), SKIPPED);
    CHECK_INT(flow_buffers(tuned, out, 618), SKIPPED);
    CHECK_INT(flow_buffers(in, out_tuned, 618), SKIPPED);
}

// A handshake that asks for ECN is also a handshake: its packets have ECE and CWR beside SYN
// (RFC 3168 §6.1.1).
TEST(a_handshake_that_asks_for_ecn)
{
    struct packet list[] = {
        {.protocol = IPPROTO_TCP, .to_server = true, .source_port = 1, .flags = 0x02 | 0xc0},
        {.protocol = IPPROTO_TCP, .destination_port = 1, .flags = 0x12 | 0x40},
        {.protocol = IPPROTO_TCP, .to_server = true, .source_port = 1, .flags = 0x10},
        {.protocol = IPPROTO_TCP,
         .to_server = true,
         .source_port = 1,
         .flags = 0x18,
         .payload = 5}};
    CHECK(capture_opens(list, 4, 1));
    list[1].flags = 0x14; // RST ACK
    CHECK(!capture_opens(list, 4, 1));
}
