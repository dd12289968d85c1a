// test_command.h: tests of ./client: what it prints, what it refuses, its exit statuses.
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include "test_client.h"
#include "test_talk.h"

static int run_client(int port, const char *arguments)
{
    char command[600];
    snprintf(command, sizeof command, "./client --port %d %s", port, arguments);
    return test_run(command);
}

static int count_in(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

TEST(the_bare_client_shows_a_replay)
{
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(run_client(port, ""), 0);
    CHECK_HAS(test_output, "POST /charges  {\"amount\": 1250,");
    CHECK_HAS(test_output, "\nIdempotency-Key: ");
    CHECK_HAS(test_output, "\ncall 1: 201 Created (");
    CHECK_HAS(test_output, "\nThe same request once more");
    CHECK_HAS(test_output, "\ncall 1: 201 Created, replayed (");
    CHECK_HAS(test_output, "\nbalance: 1250 cents in 1 charges\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_client_asks_again_when_an_answer_is_lost)
{
    pid_t pid;
    int port = serve(&pid, "--drop 1");
    CHECK_INT(run_client(port, "--amount 700 --key 'a \"b\\c'"), 0);
    CHECK_HAS(test_output, "\ncall 1: connection lost: no answer (");
    CHECK_HAS(test_output, " ms, then calls again with the same key\n");
    CHECK_HAS(test_output, "\ncall 2: 201 Created, replayed (");
    CHECK_INT(count_in(test_output, "  700 cents (eur) from tok_visa: succeeded\n"), 1);
    CHECK_INT(run_client(port, "--key 'a \"b\\c' --amount 700"), 0);
    CHECK_HAS(test_output, "\ncall 1: 201 Created, replayed (");
    CHECK_INT(run_client(port, "--key 'a \"b\\c' --amount 701"), 1);
    CHECK_HAS(test_output, "/charges: 422 Unprocessable Content: This key stands for another");
    CHECK_INT(run_client(port, "--balance"), 0);
    CHECK(!strcmp(test_output, "balance: 700 cents in 1 charges\n"));
    CHECK_INT(charge(port, "\"a \\\"b\\\\c\"",
                     "{\"amount\":700,\"currency\":\"eur\",\"source\":\"tok_visa\"}"),
              201); // the same key, as RFC 9651 writes it
    CHECK(was_replayed());
    CHECK_INT(test_stop(pid), 0);
}

// The bank takes 300 ms. Another server asks for a second's patience: the client says how long
// it waits, and does.
TEST(the_client_says_how_long_it_takes)
{
    static const char *const answers[] = {
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":\"ch_1\",\"amount\":5,"
        "\"currency\":\"eur\",\"source\":\"t\",\"status\":\"succeeded\"}",
        NULL};
    struct script script;
    pid_t pid;
    double ms = 0;
    long wait_ms = 0;
    int port = serve(&pid, "--process-ms 300");
    CHECK_INT(run_client(port, "--key k"), 0);
    const char *call = strstr(test_output, "call 1: 201 Created (");
    CHECK(call && sscanf(call, "call 1: 201 Created (%lf ms)", &ms) == 1);
    CHECK_BETWEEN(ms, 299, 20000);
    CHECK_INT(test_stop(pid), 0);
    script_begin(&script, answers);
    int64_t began_ns = now_ns();
    CHECK_INT(run_client(script.port, "--key k --amount 5"), 0);
    double took_ms = (double)(now_ns() - began_ns) / 1e6;
    pthread_join(script.thread, NULL);
    const char *waits = strstr(test_output, "waits ");
    CHECK(waits && sscanf(waits, "waits %ld ms", &wait_ms) == 1);
    CHECK_BETWEEN(wait_ms, 1000, took_ms);
}

// What the server says when it ends, and when it begins again: all charges are there.
TEST(the_server_counts_its_charges)
{
    pid_t pid;
    int port = serve(&pid, ">build/log");
    for (int i = 0; i < 3; i++)
        CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
    test_run("cat build/log");
    CHECK_HAS(test_output, "stopped: connections 3, charges 3\n");
    serve(&pid, ">build/log");
    CHECK_INT(test_stop(pid), 0);
    test_run("cat build/log; rm build/log");
    CHECK_HAS(test_output, "/journal: records 3\n");
    CHECK_HAS(test_output, "stopped: connections 0, charges 3\n");
}

TEST(the_client_lists_page_by_page)
{
    pid_t pid;
    char key[10];
    int port = serve(&pid, "");
    for (int i = 0; i < 53; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK_INT(charge(port, key, A_CHARGE), 201);
    }
    CHECK_INT(run_client(port, "--list"), 0);
    CHECK_INT(count_in(test_output, "\nch_") + !strncmp(test_output, "ch_", 3), 53);
    CHECK_INT(count_in(test_output, "  500 cents (eur) from tok_visa: succeeded\n"), 53);
    CHECK_INT(run_client(port, "--list >/dev/full"), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
    CHECK_INT(run_client(port, ">/dev/full"), 1);
    CHECK_INT(test_stop(pid), 0);
}

TEST(what_the_client_does_not_take)
{
    char long_key[300] = "--key ";
    CHECK_INT(run_client(1, "--key ''"), 2);
    CHECK_INT(run_client(1, "--key '\x01'"), 2);
    CHECK_INT(run_client(1, "--key 'k\xc3\xa9'"), 2);
    CHECK_HAS(test_output, "--key takes 1 to 255 printable ASCII characters");
    memset(long_key + 6, 'k', 256);
    CHECK_INT(run_client(1, long_key), 2);
    long_key[6 + 255] = '\0';
    CHECK_INT(run_client(1, long_key), 1); // no server listens there
    CHECK_HAS(test_output, "cannot connect to 127.0.0.1:1: Connection refused (is the server");
    CHECK_INT(run_client(1, "--amount 0"), 2);
    CHECK_INT(run_client(1, "--timeout-ms 0"), 2);
    CHECK_INT(run_client(1, "what"), 2);
}

#define OK_CHARGE(amount, id)                                                                  \
    "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":\"" id "\",\"amount\":" amount   \
    ",\"currency\":\"eur\",\"source\":\"t\",\"status\":\"succeeded\"}"
#define LIST(id, more)                                                                         \
    "HTTP/1.1 200 OK\r\n\r\n{\"data\":[{\"id\":\"" id "\",\"amount\":1}],\"has_more\":" more "}"

// Answers that are none, or not of this request, or would command a terminal: each is told, and
// the exit status is 1.
TEST(answers_that_the_client_refuses)
{
    static const struct {
        const char *arguments, *answer, *said;
    } cases[] = {
        {"--key k", OK_CHARGE("5", "a"), "that is not the charge that was asked for"},
        {"--key k", OK_CHARGE("\"1250\"", "a"), "has no integer \"amount\""},
        {"--key k", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{]", "but no JSON: "},
        {"--key k", "HTTP/1.1 200 OK\r\n\r\n", "but no JSON: "},
        {"--key k", "HTTP/1.1 204 No Content\r\n\r\n", "/charges: 204 No Content"},
        {"--key k", "SSH-2.0-OpenSSH\r\n\r\n", "not an answer: malformed: "},
        {"--key k",
         "HTTP/1.1 400 Bad Request\r\nContent-Length: 22\r\n\r\n{\"detail\":\"\\u001b[2J\"}",
         "/charges: 400 Bad Request: .[2J\n"},
        {"--key k",
         "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
         "the outcome is not known: ask again with --key 'k'"},
        {"--balance", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"su",
         "connection lost: no answer: cut after 4 of 100 bytes of content"},
        {"--balance", "HTTP/1.1 200 OK\r\nContent-Le",
         "connection lost: no answer: cut after 27 bytes of a head"},
        {"--balance", "", "connection lost: no answer\n"},
        {"--list", LIST("", "true"), "the list does not say how it goes on"},
        {"--list", "HTTP/1.1 200 OK\r\n\r\n{\"data\":[]}", "does not say how it goes on"},
        {"--list", "HTTP/1.1 200 OK\r\n\r\n[1]", "does not say how it goes on"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        int port = test_fake_server(cases[i].answer, strlen(cases[i].answer), false);
        int status = run_client(port, cases[i].arguments);
        if (status != 1 || !strstr(test_output, cases[i].said))
            FAIL("%zu: exit %d: %s", i, status, test_output);
    }
}

// One key in all calls, and in quotation marks; the field Host as RFC 9110 §7.2 wants it.
TEST(what_the_client_sends)
{
    static const char *const answers[] = {"",
                                          "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n",
                                          OK_CHARGE("1250", "ch_1"), NULL};
    struct script script;
    struct service service;
    char expected[60];
    script_begin(&script, answers);
    CHECK_INT(run_client(script.port, "--key 'a\"b'"), 0);
    pthread_join(script.thread, NULL);
    snprintf(expected, sizeof expected, "POST /charges HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
             script.port);
    for (int i = 0; i < 3; i++) {
        CHECK_HAS(script.requests[i], expected);
        CHECK_HAS(script.requests[i], "\r\nIdempotency-Key: \"a\\\"b\"\r\n");
    }
    service_at(&service, "::1", 8010);
    CHECK(!strcmp(service.host, "[::1]:8010"));
}

#endif
