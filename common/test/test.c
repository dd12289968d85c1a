// test.c: tests of the common library and of wire. Here: net, spawn, options, packet. Further
// ones: test_http.h, test_fetch.h, test_story.h,
// test_wire.h, test_nodes.h, test_nat.h. The harness is test.h.
#include "test_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "log.h"
#include "measure.h"
#include "net.h"
#include "network_order.h"
#include "packet.h"
#include "spawn.h"
#include "test_fetch.h"
#include "test_forward.h"
#include "test_http.h"
#include "test_http_server.h"
#include "test_loop.h"
#include "test_story.h"
#include "test_nat.h"

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

TEST(net_gives_a_socket_up_and_keeps_errno)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    errno = EADDRINUSE;
    CHECK_INT(net_give_up(fd), -1);
    CHECK_INT(errno, EADDRINUSE);
    CHECK_INT(fcntl(fd, F_GETFD), -1);
    errno = ENETDOWN;
    CHECK_INT(net_give_up(-1), -1);
    CHECK_INT(errno, ENETDOWN);
}

TEST(network_order_puts_the_most_significant_byte_first)
{
    uint8_t bytes[7] = {0};
    put32(bytes + 1, 0x8091a2b3);
    put16(bytes + 5, 0xf1e0);
    CHECK(!memcmp(bytes, "\x00\x80\x91\xa2\xb3\xf1\xe0", sizeof bytes));
    CHECK_INT(get16(bytes + 5), 0xf1e0);
    CHECK(get32(bytes + 1) == 0x8091a2b3);
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
    CHECK(!memcmp(bytes, "0123456789", 10));
    CHECK(!memcmp(bytes + 990, "0123456789", 10));
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
        if (got > 0)
            total += got;
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
    net_address("::ffff:10.0.0.1", 80, SOCK_STREAM, &address);
    CHECK(!strcmp(net_name(&address, text), "10.0.0.1:80"));
}

// ---- spawn ---------------------------------------------------------------------------------

TEST(a_server_says_all_its_ports)
{
    int ready[2];
    char text[64] = "", expected[64];
    CHECK(pipe(ready) == 0);
    snprintf(text, sizeof text, "%d", ready[1]);
    setenv("READY_FD", text, 1);
    int main_fd = net_listen("127.0.0.1", 0, 5), other_fd = net_listen("127.0.0.1", 0, 5);
    net_ready_ports(main_fd, &(struct net_port){"other", other_fd}, 1);
    ssize_t length = read(ready[0], text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    char name[NET_NAME], other[NET_NAME];
    snprintf(expected, sizeof expected, "%s\nother %s\n",
             strrchr(net_local_name(main_fd, name), ':') + 1,
             strrchr(net_local_name(other_fd, other), ':') + 1);
    CHECK_HAS(text, expected);
    CHECK_INT(read(ready[0], text, 1), 0);
}

TEST(spawn_a_server)
{
    const char *const server[] = {"build/peer", "echo-server", NULL};
    const char *const missing[] = {"build/nothing", NULL};
    const char *const silent[] = {"/bin/sh", "-c", "exit 3", NULL};
    char text[4] = "";
    pid_t pid;
    skip_if_alone();
    int port = spawn_server(&pid, server);
    CHECK(port > 0);
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK_INT(write(fd, "abc", 3), 3);
    CHECK_AT_LEAST(read(fd, text, 3), 1);
    CHECK_INT(text[0], 'a');
    close(fd);
    CHECK_INT(spawn_stop(pid), 0);
    CHECK_INT(spawn_server(&pid, silent), 0);
    CHECK_INT(spawn_server(&pid, missing), 0);
    CHECK_INT(spawn_server(&pid, server) > 0, 1);
    kill(pid, SIGKILL);
    CHECK_INT(spawn_wait(pid), 128 + SIGKILL);
}

// ---- log -----------------------------------------------------------------------------------

// Equal lines are counted. The count stands above the next line, or, where there is none, at
// the end.
TEST(log_counts_to_the_end)
{
    FILE *file = tmpfile();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(file), STDOUT_FILENO);
        unsetenv("WIRE_PACKET_LOG");
        log_begin(false);
        for (int i = 0; i < 3; i++)
            log_line("first");
        for (int i = 0; i < 6; i++)
            log_line("second");
        log_end();
        log_end();
        fflush(stdout); // it was in use before log_begin(): it may not be line-buffered now
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    rewind(file);
    test_output[fread(test_output, 1, sizeof test_output - 1, file)] = '\0';
    fclose(file);
    CHECK_HAS(test_output, "first\n             ... and 2 more\n");
    const char *second = strstr(test_output, "second");
    CHECK(second);
    CHECK_TEXT(second ? second : "", "second\n             ... and 5 more\n");
}

// ---- measure -------------------------------------------------------------------------------

TEST(numbers_of_a_file)
{
    static const char text[] =
        "Total:  7 kB\nSlab:   65312 kB, of them used 12\nSlabs: 3\n99\n";
    char path[] = "/tmp/numbers-XXXXXX";
    int fd = mkstemp(path);
    CHECK(write_all(fd, text, strlen(text)));
    close(fd);
    CHECK_INT(number_in_file(path, "", ""), 0); // no number begins the first line
    CHECK_INT(number_in_file(path, "Slab:", ""), 65312);
    CHECK_INT(number_in_file(path, "Slab:", "used "), 12);
    CHECK_INT(number_in_file(path, "Slabs:", ""), 3);
    CHECK_INT(number_in_file(path, "99", ""), 0);
    CHECK_INT(number_in_file(path, "9", ""), 9);
    CHECK_INT(number_in_file(path, "Slab:", "Slab"), 0); // the key stands behind the start
    CHECK_INT(number_in_file(path, "Free:", ""), 0);
    unlink(path);
    CHECK_INT(number_in_file(path, "Slab:", ""), 0);
}

// A process that computes, in two threads, for as long as it is told.
static void *compute(void *until_ms)
{
    while (cpu_ms() < *(double *)until_ms)
        ;
    return NULL;
}

TEST(the_cpu_time_of_another_process)
{
    static double until_ms = 200;
    int told[2];
    char byte;
    CHECK(!pipe(told));
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, compute, &until_ms);
        compute(&until_ms);
        pthread_join(thread, NULL);
        write_all(told[1], "x", 1);
        pause();
    }
    CHECK(read_exactly(told[0], &byte, 1));
    CHECK_BETWEEN(process_cpu_us(pid), 200e3, 400e3);
    kill(pid, SIGKILL);
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
    // wire has long lines of meaning: they are broken between words, and a value stays whole.
    CHECK_INT(test_run("./wire/wire --help"), 0);
    CHECK_BETWEEN(widest_line(), 70, 80);
    CHECK_HAS(test_output, "port-restricted or\n                        symmetric\n");
    CHECK_HAS(test_output,
              " sent\n                        before they arrive (0 to 100, default 0)\n");
}

TEST(host_and_port_of_the_environment_count_only_under_wire)
{
    CHECK_INT(test_run("HOST=elsewhere PORT=99 build/peer --help"), 0);
    CHECK_HAS(test_output, "(default 127.0.0.1)");
    CHECK_INT(test_run("WIRE_PACKET_LOG=0 PORT=junk build/peer --help"), 2);
    CHECK_HAS(test_output, "$PORT takes a whole number");
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
    uint64_t random = 1;
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
            CHECK_AT_MOST(packet.length, length);
            CHECK_AT_MOST(packet.header + packet.payload, packet.length);
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
    packet.source_port = 80;
    packet.destination_port = 40000;
    if (packet.to_server) {
        packet.source_port = 40000;
        packet.destination_port = 80;
    }
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
