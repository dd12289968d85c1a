// contract.h: tests of what every lesson's server, client and play promise (same command line,
// same endings, no way for one client to disturb another). A lesson's test.c says first what
// one good exchange with its server is:
//
//     static bool exchange(int port);   // true if the server on this port answers as it should
//
// In a variation whose server has another name: #define SERVER "proxy", before this file. Where
// the server has no TCP: #define SERVER_IS_UDP. What the server says in the end, after three
// exchanges and a client that asked nothing: #define SUMMARY "connections 4, requests 3\n". And
// in its log of an exchange: #define LOGGED "GET /: 200, 14 bytes\n".
#ifndef CONTRACT_H
#define CONTRACT_H

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net.h"
#include "test_server.h"

#ifndef SERVER
#define SERVER "server"
#endif

#define CROWD 999 // connections at once, and one more for an exchange

static bool exchange(int port);

TEST(help_is_there)
{
    CHECK_INT(test_run("./" SERVER " --help"), 0);
    CHECK_HAS(test_output, "usage: " SERVER " [options]");
    CHECK_HAS(test_output, "--host TEXT");
    CHECK_HAS(test_output, "--port N");
    CHECK_HAS(test_output, "(default 127.0.0.1)");
    CHECK_INT(test_run("./client --help"), 0);
    CHECK_HAS(test_output, "usage: client [options]");
    CHECK_HAS(test_output, "--port N");
    CHECK_INT(test_run("./play --help"), 0);
    CHECK_HAS(test_output, "usage: play [options] [SCENE]");
    CHECK_HAS(test_output, "--port N");
}

// Each program of this folder has a --help that fits a terminal of 80 columns.
TEST(help_of_every_program_fits)
{
    int programs = test_run(
        "n=0; for p in *; do if [ -f $p ] && [ -x $p ] && [ $p = ${p%.*} ]; then n=$((n + 1)); "
        "./$p --help || exit 255; fi; done; exit $n");
    CHECK_BETWEEN(programs, 3, 20);
    CHECK_AT_MOST(widest_line(), 80);
    for (const char *at = test_output; (at = strstr(at, "usage: ")); at++)
        programs--;
    CHECK_INT(programs, 0);
}

TEST(bad_options_are_refused)
{
    CHECK_INT(test_run("./" SERVER " --colour red"), 2);
    CHECK_HAS(test_output, "unknown option '--colour'");
    CHECK_INT(test_run("./" SERVER " --port 65536"), 2);
    CHECK_HAS(test_output, "from 0 to 65535, not '65536'");
    CHECK_INT(test_run("./" SERVER " 8001"), 2);
    CHECK_HAS(test_output, "unexpected argument '8001'");
    CHECK_INT(test_run("./play one two"), 2);
    CHECK_HAS(test_output, "unexpected argument 'two'");
    CHECK_INT(test_run("./play no-such-scene"), 2);
    CHECK_HAS(test_output, "no scene 'no-such-scene'; there are:");
}

TEST(a_busy_port_is_reported)
{
    char command[80];
    pid_t pid;
    int port = test_start(&pid, "./" SERVER " --port 0");
    CHECK(port > 0);
    snprintf(command, sizeof command, "./" SERVER " --port %d", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "cannot listen on 127.0.0.1:");
    CHECK_HAS(test_output, "Address already in use (--port 0: the kernel chooses)");
    CHECK_INT(test_stop(pid), 0);
}

static void expect_stop(const char *signal_name)
{
    char command[300];
    snprintf(command, sizeof command,
             "f=$(mktemp); ./" SERVER
             " --port 0 >$f & until grep -q listening $f; do sleep 0.02; done; "
             "kill -%s $!; wait $!; status=$?; cat $f; rm $f; exit $status",
             signal_name);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "listening on 127.0.0.1:");
    CHECK_HAS(test_output, "stopped: ");
}

TEST(the_server_stops_when_asked)
{
    expect_stop("INT");
    expect_stop("TERM");
}

TEST(a_client_without_a_server_says_so)
{
    CHECK_INT(test_run("./client --port 1"), 1);
    CHECK_HAS(test_output, "(is the server running?)");
    CHECK_INT(test_run("./play --port 1"), 1);
    CHECK_HAS(test_output, "(is the server running?)");
}

// The pair without wire, as in two terminals: all scenes play, and what needs packets is
// skipped.
TEST(two_terminals)
{
    char command[80];
    pid_t pid;
    alarm(3 * TEST_SECONDS); // all scenes take long where a sanitizer slows them down
    int port = test_start(&pid, "./" SERVER " --port 0");
    snprintf(command, sizeof command, "STRICT= ./play --port %d", port);
    int status = test_run(command);
    for (const char *at = test_output; (at = strstr(at, "UNEXPECTED\n")); at++) {
        const char *end = strstr(at, "\n\n"); // behind what was measured
        printf("    %.*s\n", end ? (int)(end - at) : 400, at);
    }
    CHECK_INT(status, 0);
    if (strstr(test_output, "SKIPPED"))
        CHECK_HAS(test_output, "without wire there are no packets");
    CHECK(strstr(test_output, "HOLDS\n") || strstr(test_output, "HERE\n"));
    CHECK_INT(test_stop(pid), 0);
}

#ifndef SERVER_IS_UDP

TEST(a_thousand_connections_at_once)
{
    static int fds[CROWD];
    pid_t pid;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < CROWD + 50)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    int port = test_start(&pid, "./" SERVER " --port 0"), open = 0;
    for (int i = 0; i < CROWD; i++)
        open += (fds[i] = net_connect("127.0.0.1", port)) >= 0;
    CHECK_INT(open, CROWD);
    CHECK(exchange(port)); // on the thousandth, while the others are open
    for (int i = 0; i < CROWD; i++)
        close(fds[i]);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(out_of_descriptors_and_back)
{
    int fds[60];
    pid_t pid;
    int port = test_start(&pid, "sh -c 'ulimit -n 32; exec ./" SERVER " --port 0'");
    CHECK(port > 0);
    for (int i = 0; i < 60; i++)
        fds[i] = net_connect("127.0.0.1", port);
    sleep_ms(200);
    // It must not spin meanwhile on the connection that it cannot accept.
    long ticks = cpu_ticks(pid);
    sleep_ms(1000);
    CHECK(cpu_ticks(pid) - ticks < sysconf(_SC_CLK_TCK) / 4);
    for (int i = 0; i < 60; i++)
        close(fds[i]);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Clients that vanish in the middle of a request, half of them with a reset.
TEST(clients_that_vanish)
{
    pid_t pid;
    struct linger reset = {1, 0};
    int port = test_start(&pid, "./" SERVER " --port 0");
    for (int i = 0; i < 200; i++) {
        int fd = net_connect("127.0.0.1", port);
        CHECK_AT_LEAST(fd, 0);
        CHECK(write_all(fd, "\0\0", 2));
        if (i & 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// Random bytes on many connections; a good client beside them notices nothing.
TEST(garbage_disturbs_no_other_client)
{
    static uint8_t bytes[20000];
    pid_t pid;
    uint64_t random = 1;
    int port = test_start(&pid, "./" SERVER " --port 0");
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 50; i++) {
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (uint8_t)next_random(&random);
        int fd = net_connect("127.0.0.1", port);
        net_set_nonblocking(fd);
        for (size_t sent = 0; sent < sizeof bytes; sent += 1000)
            if (write(fd, bytes + sent, 1000) < 0)
                break; // refused, or not taken any more: as it should be
        CHECK(exchange(port));
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

#endif // SERVER_IS_UDP

#ifdef SUMMARY

#ifndef SUMMARY_OPTIONS
#define SUMMARY_OPTIONS ""
#endif

TEST(the_summary_counts)
{
    pid_t pid;
    int port = test_start(&pid, "./" SERVER " --port 0 " SUMMARY_OPTIONS " >build/summary.log");
    int silent = net_connect("127.0.0.1", port);
    for (int i = 0; i < 3; i++)
        CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
    close(silent);
    CHECK_INT(test_run("cat build/summary.log; rm build/summary.log"), 0);
    CHECK_HAS(test_output, "stopped: " SUMMARY);
#ifdef LOGGED
    const char *logged = strstr(test_output, LOGGED);
    CHECK_HAS(test_output, LOGGED);
    // Three equal lines in a row are printed once, and counted to the end.
    if (logged && !strstr(logged + 1, LOGGED))
        CHECK_HAS(logged, "... and 2 more\n");
#endif
}

// A server stops while it has a client: then its end of that connection stays in TIME_WAIT. The
// next server gets the same port all the same (SO_REUSEADDR). Another program of this machine
// may be quicker, but not again and again.
TEST(a_server_can_be_started_again)
{
    char command[200], byte;
    pid_t pid;
    int again = 0;
    for (int tries = 0; tries < 5 && !again; tries++) {
        int port = test_start(&pid, "./" SERVER " --port 0 " SUMMARY_OPTIONS);
        int fd = net_connect("127.0.0.1", port);
        CHECK(exchange(port));
        kill(pid, SIGTERM);
        while (read(fd, &byte, 1) > 0)
            ;
        close(fd);
        CHECK_INT(test_stop(pid), 0);
        snprintf(command, sizeof command, "./" SERVER " --port %d " SUMMARY_OPTIONS, port);
        again = test_start(&pid, command);
    }
    CHECK(exchange(again));
    CHECK_INT(test_stop(pid), 0);
}

#endif

#endif
