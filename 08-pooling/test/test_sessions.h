// test_sessions.h: a pool of sessions, and servers as they are on bad days.
#ifndef TEST_SESSIONS_H
#define TEST_SESSIONS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "sessions.h"
#include "test_resources.h"

static struct db_config server_at(int port)
{
    struct db_config server = {.user = NULL};
    server.address_length = net_address("127.0.0.1", port, SOCK_STREAM, &server.address);
    return server;
}

// A pool of sessions that is not patient.
static struct pool *impatient_pool(struct db_config *server, int max)
{
    struct pool_config config = session_pool(server);
    config.max = max;
    config.acquire_ms = 100;
    config.open_ms = 200;
    config.retry_ms = 60000; // whoever waits does not try
    return new_pool(config);
}

static void expect_no_session(struct pool *pool, const char *why)
{
    struct lease lease;
    CHECK(!pool_acquire(pool, "a test", &lease));
    CHECK_HAS(lease.error, why);
}

TEST(sessions_without_a_server)
{
    struct db_config server = server_at(1);
    struct pool *pool = impatient_pool(&server, 2);
    expect_no_session(pool, "cannot open: cannot connect: Connection refused");
    CHECK_INT(pool_close(pool, 0), 0);
}

// The next borrower would take the answer to another one's query for its own.
TEST(sessions_with_an_unread_answer_are_not_lent_again)
{
    struct lease lease;
    char value[POOL_ERROR];
    pid_t pid;
    struct db_config server = server_at(test_start(&pid, "./server --quiet --port 0"));
    struct pool *pool = impatient_pool(&server, 1);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK(db_send(lease.resource, "get user 7", 1000));
    session_release(&lease);
    CHECK_INT(stats_of(pool).closed[POOL_BROKEN], 1);
    CHECK(pool_query(pool, "a test", "get user 3", value, sizeof value));
    CHECK(!strcmp(value, "3"));
    CHECK_INT(stats_of(pool).idle, 1); // all its answers are read: it stays
    CHECK_INT(pool_close(pool, 1000), 0);
    CHECK_INT(test_stop(pid), 0);
}

// It accepts, or its kernel does, and that was all.
TEST(sessions_with_a_server_that_never_answers)
{
    int listener = net_listen("127.0.0.1", 0, 10);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    struct db_config server = server_at(ntohs(address.sin_port));
    struct pool *pool = impatient_pool(&server, 2);
    int64_t start_ns = now_ns();
    expect_no_session(pool, "cannot open: ");
    CHECK(now_ns() - start_ns >= 200 * INT64_C(1000000));
    CHECK_INT(pool_close(pool, 0), 0);
    close(listener);
}

static void *reset_all(void *argument)
{
    struct linger reset = {1, 0};
    for (int fd; (fd = accept(*(int *)argument, NULL, NULL)) >= 0; close(fd))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return NULL;
}

TEST(sessions_with_a_server_that_resets)
{
    pthread_t thread;
    int listener = net_listen("127.0.0.1", 0, 10);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    struct db_config server = server_at(ntohs(address.sin_port));
    struct pool *pool = impatient_pool(&server, 2);
    CHECK_INT(pthread_create(&thread, NULL, reset_all, &listener), 0);
    expect_no_session(pool, "cannot open: ");
    CHECK_INT(stats_of(pool).failed, 1);
    CHECK_INT(pool_close(pool, 0), 0);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
}

TEST(sessions_that_take_too_long_to_log_in)
{
    pid_t pid;
    struct db_config server =
        server_at(test_start(&pid, "./server --quiet --port 0 --login-ms 30000"));
    struct pool *pool = impatient_pool(&server, 2);
    expect_no_session(pool, "cannot open: ");
    CHECK_INT(pool_close(pool, 0), 0);
    CHECK_INT(test_stop(pid), 0);
}

// The pool may have more than the server: that is an error now and then, and no more than that.
TEST(sessions_more_than_the_server_has)
{
    char value[POOL_ERROR];
    struct lease a, b;
    pid_t pid;
    struct db_config server =
        server_at(test_start(&pid, "./server --quiet --port 0 --max-sessions 2"));
    struct pool *pool = impatient_pool(&server, 4);
    CHECK(pool_acquire(pool, "a test", &a));
    CHECK(pool_acquire(pool, "a test", &b));
    expect_no_session(pool, "cannot open: too many connections");
    expect_no_session(pool, "nothing free within 100 ms, 2 of 4 out: "
                            "(cannot open: too many connections)"); // they might come back
    pool_release(&a, true);
    pool_release(&b, true);
    for (int i = 0; i < 10; i++)
        CHECK(pool_query(pool, "a test", "get user 7", value, sizeof value));
    CHECK(!strcmp(value, "7"));
    CHECK(!pool_query(pool, "a test", "get user seven", value, sizeof value));
    CHECK_INT(stats_of(pool).created, 2); // a wrong query is nothing against a session
    CHECK_INT(pool_close(pool, 0), 0);
    CHECK_INT(test_stop(pid), 0);
}

// The server is killed in the middle: a borrower with a session has an error; no other borrower
// has one after there is a server again.
TEST(sessions_of_a_server_that_died)
{
    char value[POOL_ERROR], command[80];
    struct lease lease;
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    struct db_config server = server_at(port);
    struct pool_config config = session_pool(&server);
    config.validate_ms = 0;
    struct pool *pool = new_pool(config);
    CHECK(pool_acquire(pool, "a test", &lease));
    CHECK(pool_query(pool, "a test", "ping", value, sizeof value));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(!db_query(lease.resource, "ping", 1000));
    CHECK(((struct db *)lease.resource)->broken);
    pool_release(&lease, false);
    CHECK(!pool_query(pool, "a test", "ping", value, sizeof value));
    CHECK_HAS(value, "cannot open: cannot connect: Connection refused");
    snprintf(command, sizeof command, "./server --quiet --port %d", port);
    CHECK_INT(test_start(&pid, command), port);
    sleep_ms(config.retry_ms);
    while (!pool_query(pool, "a test", "ping", value, sizeof value))
        CHECK_HAS(value, "cannot open: "); // it may be tried again a moment later
    CHECK_INT(stats_of(pool).closed[POOL_INVALID], 1);
    CHECK_INT(pool_close(pool, 0), 0);
    CHECK_INT(test_stop(pid), 0);
}

#endif
