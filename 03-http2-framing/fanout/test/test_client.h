// test_client.h: ./client in its four ways, and ./lookaside.
#include "fetch.h"

// Runs ./client with these options; its output is in test_output.
static int run_client(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run_client(const char *format, ...)
{
    char command[400] = "timeout 20 ./client ";
    size_t length = strlen(command);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + length, sizeof command - length, format, arguments);
    va_end(arguments);
    return test_run(command);
}

// The number of answers that ./client has printed for a backend; 0: none.
static int answers_of(int backend)
{
    char name[40];
    snprintf(name, sizeof name, "127.0.0.1:%d ", lab.ports[backend]);
    const char *at = strstr(test_output, name);
    if (!at)
        return 0;
    const char *end = strchr(at, '\n');
    while (end[-1] >= '0' && end[-1] <= '9')
        end--;
    return atoi(end);
}

static void check_even(void)
{
    for (int i = 0; i < BACKENDS; i++)
        CHECK_BETWEEN(answers_of(i), 33, 34);
}

TEST(a_client_through_a_proxy)
{
    begin_lab("../server", "./proxy --tell");
    CHECK_INT(run_client("--port %d", lab.port), 0);
    CHECK_HAS(test_output, "connections: 1, errors: 0");
    check_even();
    CHECK_INT(run_client("--port %d /no", lab.port), 1);
    CHECK_HAS(test_output, "errors: 100");
    CHECK_INT(run_client("--port %d no", lab.port), 2);
    end_lab();
}

// How many milliseconds 10 answers of 50 ms take the client, so many of them at once.
static int ms_of_ten(int at_once)
{
    CHECK_INT(
        run_client("--port %d --requests 10 --at-once %d '/slow?ms=50'", lab.port, at_once), 0);
    const char *in = strstr(test_output, "requests in ");
    if (!in)
        return 0;
    return atoi(in + strlen("requests in "));
}

TEST(requests_of_a_client_at_once)
{
    begin_lab("../server", "./proxy");
    int one = ms_of_ten(1), ten = ms_of_ten(10);
    CHECK_AT_LEAST(one, 500);
    CHECK_BETWEEN(ten, 50, one / 2);
    CHECK_INT(run_client("--at-once 0"), 2);
    end_lab();
}

TEST(a_client_with_a_list)
{
    begin_lab("../grpc/server", "./relay");
    CHECK_INT(run_client("--grpc --backend 127.0.0.1:%d --backend 127.0.0.1:%d "
                         "--backend 127.0.0.1:%d",
                         lab.ports[0], lab.ports[1], lab.ports[2]),
              0);
    CHECK_HAS(test_output, "connections: 3, errors: 0");
    check_even();
    CHECK_INT(run_client("--backend nowhere"), 2);
    CHECK_INT(run_client("--backend 127.0.0.1:1"), 1);
    end_lab();
}

TEST(a_client_and_a_service)
{
    begin_lab("../server", "./lookaside");
    CHECK_INT(run_client("--lookaside 127.0.0.1:%d", lab.port), 0);
    CHECK_HAS(test_output, "connections: 3, errors: 0");
    check_even();
    kill_backend(1);
    CHECK_INT(run_client("--lookaside 127.0.0.1:%d", lab.port), 0);
    CHECK_INT(answers_of(1), 0);
    CHECK_INT(answers_of(0), 50);
    end_lab();
}

// What the service says: GET a target, and the text of its answer.
static const char *ask_service_for(struct fetch *f, const char *target)
{
    static char text[400];
    CHECK_INT(fetch_ask(f, "GET", target, "", NULL), FETCH_OK);
    snprintf(text, sizeof text, "%d %.*s", f->head.status, (int)f->content.length,
             f->content.at);
    return text;
}

TEST(a_service_that_names_backends)
{
    static struct fetch f;
    pid_t pid;
    struct sockaddr_storage address;
    int port = start(
        &pid, "./lookaside --quiet --port 0 >build/said --lost-ms 200 --backend 127.0.0.1:1 "
              "--backend 127.0.0.1:2");
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    CHECK_INT(fetch_open(&f, &address, 0), FETCH_OK);
    CHECK_TEXT(ask_service_for(&f, "/next"), "200 127.0.0.1:1\n");
    CHECK_TEXT(ask_service_for(&f, "/next"), "200 127.0.0.1:2\n");
    CHECK_TEXT(ask_service_for(&f, "/next?lost=127.0.0.1:1"), "200 127.0.0.1:2\n");
    CHECK_TEXT(ask_service_for(&f, "/next"), "200 127.0.0.1:2\n");
    CHECK_HAS(ask_service_for(&f, "/next?lost=nobody"), "200 ");
    CHECK_HAS(ask_service_for(&f, "/other"), "404 ");
    sleep_ms(250); // longer than --lost-ms
    const char *first = ask_service_for(&f, "/next");
    bool one = strstr(first, ":1\n");
    one = strstr(ask_service_for(&f, "/next"), ":1\n") || one;
    CHECK(one);
    fetch_close(&f);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("tail -n 1 build/said"), 0);
    CHECK_TEXT(test_output, "stopped: questions 7\n"); // without that for /other
}
