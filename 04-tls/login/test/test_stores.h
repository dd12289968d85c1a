// test_stores.h: tests of the program `store`, and of servers whose store is slow, gone or
// wrong.
#ifndef TEST_STORES_H
#define TEST_STORES_H

#include "remote.h"
#include "test_account.h"

static int start_store(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./store --quiet %s", options);
    return test_start(pid, command);
}

static int start_with_store(pid_t *pid, int store_port)
{
    char options[100];
    snprintf(options, sizeof options, "--store-at 127.0.0.1:%d", store_port);
    return start_server(pid, options);
}

// What a store answers to these bytes, until it closes or has answered `lines` lines.
static const char *store_says(int port, const char *bytes, size_t length, int lines)
{
    static char answer[8000];
    size_t got = 0;
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(fd, bytes, length));
    answer[0] = '\0';
    for (ssize_t part = 1; part > 0 && lines > 0;) {
        part = read(fd, answer + got, sizeof answer - 1 - got);
        for (ssize_t i = 0; i < part; i++)
            lines -= answer[got + (size_t)i] == '\n';
        if (part > 0)
            got += (size_t)part;
        answer[got] = '\0';
    }
    close(fd);
    return answer;
}

#define KEY_1 "0000000000000000000000000000000000000000000000000000000000000001"
#define KEY_2 "0000000000000000000000000000000000000000000000000000000000000002"

TEST(a_store_answers_lines)
{
    static const char questions[] =
        "get " KEY_1 "\nput " KEY_1 " " KEY_2 " alice user 100 1000\nget " KEY_1
        "\nrotate " KEY_1 " " KEY_2 " " KEY_1 "\nrotate " KEY_1 " " KEY_2 " " KEY_1
        "\nget " KEY_1 "\ndelete " KEY_1 "\n";
    static const char *const bad[] = {"\n",
                                      "get\n",
                                      "get 12\n",
                                      "GET " KEY_1 "\n",
                                      "put " KEY_1 "\n",
                                      "get " KEY_1 " x\n",
                                      "put " KEY_1 " " KEY_2 " alice user -1 5\n",
                                      "rotate " KEY_1 " " KEY_2 "\n"};
    char garbage[1000];
    pid_t pid;
    int port = start_store(&pid, "--port 0 >build/store-said");
    CHECK_TEXT(store_says(port, questions, sizeof questions - 1, 7),
               "none - -\nok - -\nok alice user\nok alice user\nreused alice user\nnone - -\n"
               "none - -\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_TEXT(store_says(port, bad[i], strlen(bad[i]), 1), "");
    memset(garbage, 'g', sizeof garbage);
    CHECK_TEXT(store_says(port, garbage, sizeof garbage, 1), "");
    CHECK_TEXT(store_says(port, "get\0 x\n", 7, 1), "");
    CHECK_TEXT(store_says(port, "get " KEY_1 "\n", 69, 1), "none - -\n");
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("tail -n 1 build/store-said"), 0);
    CHECK_TEXT(test_output, "stopped: connections 12, lookups 6, sessions 0\n");
}

// Its log has a line for each question, with what came out, and nothing of the session itself.
TEST(a_store_says_what_it_does)
{
    static const char questions[] =
        "get " KEY_1 "\nput " KEY_1 " " KEY_2 " alice user 100 1000\nrotate " KEY_1 " " KEY_2
        " " KEY_1 "\nrotate " KEY_1 " " KEY_2 " " KEY_1 "\ndelete " KEY_1 "\n";
    static const char *const lines[] = {"  get: none\n",    "  put: ok\n",
                                        "  rotate: ok\n",   "  rotate: reused\n",
                                        "  delete: none\n", "  a line that is no question"};
    pid_t pid;
    int port = test_start(&pid, "./store --port 0 >build/store-log");
    store_says(port, questions, sizeof questions - 1, 5);
    CHECK_TEXT(store_says(port, "get 12\n", 7, 1), "");
    CHECK_INT(test_stop(pid), 0);
    const char *log = probe_log("build/store-log");
    CHECK(!strstr(log, KEY_1) && !strstr(log, "alice"));
    for (size_t i = 0; i < sizeof lines / sizeof *lines && log; i++) {
        const char *line = strstr(log, lines[i]);
        if (!line)
            FAIL("no line '%s' in: %s", lines[i], log);
        log = line;
    }
}

// The store ends, and comes back with its file: the session is there again.
TEST(a_store_that_comes_back)
{
    char path[] = "/tmp/store.XXXXXX", options[100];
    pid_t pid, store;
    close(mkstemp(path));
    snprintf(options, sizeof options, "--port 0 --store %s", path);
    int store_port = start_store(&store, options), port = start_with_store(&pid, store_port);
    struct agent user = user_of(port);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
    CHECK_INT(test_stop(store), 0);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 503);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 503);
    snprintf(options, sizeof options, "--port %d --store %s", store_port, path);
    CHECK_INT(start_store(&store, options), store_port);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
    CHECK_INT(agent_ask(&user, "POST", "/logout", NULL), 204);
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(store), 0);
    unlink(path);
}

// A store that takes questions and says nothing, or nonsense: 503, and others are served
// meanwhile.
TEST(a_store_that_does_not_answer)
{
    static const char *const says[] = {"", "nonsense\n", "ok alice\n", "ok alice user"};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        pid_t pid;
        int port = start_with_store(&pid, test_fake_server(says[i], strlen(says[i]), i == 0));
        const char *text =
            request_of("GET /me", "Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n", "");
        SSL *ssl = probe_open(port, &(struct probe){0});
        CHECK(probe_write(ssl, text, strlen(text)));
        int64_t began_ns = now_ns();
        for (int j = 0; j < 5; j++)
            CHECK(exchange(port));
        if (i == 0)
            CHECK_AT_MOST(ms_since(began_ns), REMOTE_WAIT_MS);
        CHECK_INT(probe_read(ssl), 503);
        probe_close(ssl);
        CHECK_INT(test_stop(pid), 0);
    }
}

// A store that answers the first question twice: nobody else gets the second line.
TEST(a_store_that_says_too_much)
{
    static const char twice[] = "ok alice admin\nok alice admin\n";
    static const char *const ids[] = {"AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA"};
    static const int statuses[] = {200, 503}; // no answer comes to the second question
    pid_t pid;
    int port = start_with_store(&pid, test_fake_server(twice, sizeof twice - 1, true));
    SSL *ssl = probe_open(port, &(struct probe){0});
    for (int i = 0; i < 2; i++) {
        char fields[100];
        snprintf(fields, sizeof fields, "Cookie: __Host-session=%s\r\n", ids[i]);
        const char *text = request_of("GET /me", fields, "");
        CHECK(probe_write(ssl, text, strlen(text)));
        CHECK_INT(probe_read(ssl), statuses[i]);
    }
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// Many who ask at the same time share the connection to the store: each gets its own answer.
TEST(many_ask_the_store)
{
    enum { CLIENTS = 60 };
    pid_t pid, store;
    int port = start_with_store(&pid, start_store(&store, "--port 0"));
    struct agent users[2] = {user_of(port), user_of(port)};
    SSL *all[CLIENTS];
    CHECK_INT(agent_log_in(&users[0], USER, USER_PASSWORD), 200);
    CHECK_INT(agent_log_in(&users[1], ADMIN, ADMIN_PASSWORD), 200);
    for (int i = 0; i < CLIENTS; i++)
        all[i] = probe_open(port, &(struct probe){0});
    for (int i = 0; i < CLIENTS; i++) {
        char cookie[300];
        snprintf(cookie, sizeof cookie, "Cookie: __Host-session=%s\r\n",
                 users[i % 2].jar.cookies[0].value);
        const char *text = request_of("GET /me", cookie, "");
        CHECK(probe_write(all[i], text, strlen(text)));
    }
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_INT(probe_read(all[i]), 200);
        if (i % 2)
            CHECK_HAS(probe_answer, "\"user\":\"bob\"");
        else
            CHECK_HAS(probe_answer, "\"user\":\"alice\"");
        probe_close(all[i]);
    }
    agent_close(&users[0]);
    agent_close(&users[1]);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_stop(store), 0);
}

#endif
