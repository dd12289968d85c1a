// test.c: tests of lesson 04, http3. `make test` runs them, the scenes, real peers, and the
// patches in break/.
#define SERVER_IS_UDP
#include "contract.h"
#include "h3_client.h"
#include "test_client.h"
#include "test_flood.h"
#include "test_frames.h"
#include "test_hostile.h"
#include "test_message.h"

static struct h3_client client; // too large for the stack

// One good exchange with the server on this port.
static bool exchange(int port)
{
    struct answer answer = {0};
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    bool good = h3_handshake(&client, until_ns) && h3_ask(&client, &answer, "GET", "/");
    while (good && client.pending && h3_step(&client, until_ns))
        ;
    good = good && answer.state == ANSWER_WHOLE && answer.status == 200 &&
           !memcmp(answer.kept, "hello, world\n", 13);
    h3_close(&client);
    return good;
}

// ---- the command line ----------------------------------------------------------------------

TEST(options_of_its_own)
{
    static const struct {
        const char *command;
        int status;
        const char *says;
    } table[] = {
        {"./server --help", 0, "--no-retry"},
        {"./client nowhere", 2, "a path begins with '/'"},
        {"./client --port 1 --ca /nowhere /", 1, "cannot read the CA /nowhere"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        CHECK_INT(test_run(table[i].command), table[i].status);
        CHECK_HAS(test_output, table[i].says);
    }
}

TEST(the_client_checks_the_server)
{
    char command[200];
    pid_t pid;
    int port = start_server(&pid, "");
    snprintf(command, sizeof command, "./client --port %d --servername other.test /", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "certificate verify failed");
    snprintf(command, sizeof command, "./client --port %d --ca ../keys/stranger.pem /", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "certificate verify failed");
    snprintf(command, sizeof command, "./client --port %d --insecure /", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "hello, world");
    CHECK_INT(test_stop(pid), 0);
}

// ---- answers -------------------------------------------------------------------------------

#define MANY         300                   // requests: more than a connection may have at once
#define CANCELLED    150                   // the same
#define MIXED        (BROKEN_OFF_MAX + 50) // answers that are taken, and as many that are cancelled
#define UNREAD       5 // answers that are broken off when all has come, and nothing is read
#define UNREAD_PATH  "/img/1?size=450000"
#define UNREAD_BYTES 450000

TEST(many_requests)
{
    static struct answer answers[MANY];
    pid_t pid;
    int64_t until_ns = now_ns() + 2 * RAW_PATIENCE_NS;
    int port = start_server(&pid, ""), asked = 0, right = 0;
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    CHECK(h3_handshake(&client, until_ns));
    do {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", asked, asked * 100);
        while (asked < MANY && h3_ask(&client, &answers[asked], "GET", path)) {
            asked++;
            snprintf(path, sizeof path, "/img/%d?size=%d", asked, asked * 100);
        }
    } while (client.pending && h3_step(&client, until_ns));
    for (int i = 0; i < asked; i++)
        right += answers[i].state == ANSWER_WHOLE && answers[i].length == (uint64_t)i * 100;
    CHECK_INT(right, MANY);
    h3_close(&client);
    CHECK_INT(test_stop(pid), 0);
}

// A client that does not want answers any more: their streams make room for other requests.
TEST(answers_that_are_cancelled)
{
    struct answer slow, last = {0};
    pid_t pid;
    int64_t until_ns = now_ns() + 2 * RAW_PATIENCE_NS;
    int port = start_server(&pid, ""), asked = 0;
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    CHECK(h3_handshake(&client, until_ns));
    while (asked < CANCELLED && now_ns() < until_ns) {
        slow = (struct answer){0};
        if (h3_ask(&client, &slow, "GET", "/slow?ms=60000")) {
            asked++;
            h3_step(&client, until_ns); // sends it
            h3_cancel(&client, &slow);
        }
        h3_step(&client, until_ns);
    }
    CHECK_INT(asked, CANCELLED);
    while (!h3_ask(&client, &last, "GET", "/") && h3_step(&client, until_ns))
        ;
    while (client.pending && h3_step(&client, until_ns))
        ;
    CHECK_INT(last.status, 200);
    h3_close(&client);
    CHECK_INT(test_stop(pid), 0);
}

// A client that takes some answers and cancels others is no attacker, however many they are.
TEST(answers_that_are_cancelled_now_and_then)
{
    struct answer slow, good;
    pid_t pid;
    int64_t until_ns = now_ns() + 2 * RAW_PATIENCE_NS;
    int port = start_server(&pid, ""), taken = 0;
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    CHECK(h3_handshake(&client, until_ns));
    for (bool goes_on = true; goes_on && taken < MIXED;) {
        slow = good = (struct answer){0};
        while (!h3_ask(&client, &slow, "GET", "/slow?ms=60000") && h3_step(&client, until_ns))
            ;
        h3_step(&client, until_ns); // sends it
        h3_cancel(&client, &slow);
        while (!h3_ask(&client, &good, "GET", "/") && h3_step(&client, until_ns))
            ;
        while (client.pending && h3_step(&client, until_ns))
            ;
        goes_on = good.status == 200;
        taken += goes_on;
    }
    CHECK_INT(taken, MIXED);
    h3_close(&client);
    CHECK_INT(test_stop(pid), 0);
}

// Content that has come, and is not wanted any more, makes room for other content: each of
// these answers has more than half of what the server may send on the connection at first.
TEST(answers_that_are_not_read)
{
    struct answer unread, last = {0};
    pid_t pid;
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    int port = start_server(&pid, "");
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    CHECK(h3_handshake(&client, until_ns));
    for (int i = 0; i < UNREAD; i++) {
        unread = (struct answer){0};
        while (!h3_ask(&client, &unread, "GET", UNREAD_PATH) && h3_step(&client, until_ns))
            ;
        struct stream *s = client.connection.streams;
        while (s->next)
            s = s->next;
        while (SSL_pending(s->ssl) < UNREAD_BYTES && raw_turn(client.connection.ssl, until_ns))
            ;
        h3_cancel(&client, &unread);
        h3_step(&client, until_ns);
    }
    CHECK(h3_ask(&client, &last, "GET", "/img/1?size=100000"));
    while (client.pending && h3_step(&client, until_ns))
        ;
    CHECK_INT(last.length, 100000);
    h3_close(&client);
    CHECK_INT(test_stop(pid), 0);
}

// What was asked before the server stops is answered; what is asked then is not looked at.
TEST(goaway)
{
    struct answer slow = {0}, late = {0};
    pid_t pid;
    int status;
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    int port = start_server(&pid, "");
    h3_open(&client, raw_context(), "127.0.0.1", port, WORKBENCH);
    CHECK(h3_handshake(&client, until_ns));
    CHECK(h3_ask(&client, &slow, "GET", "/slow?ms=1000"));
    int64_t sent_ns = now_ns() + 200000000;
    while (h3_step(&client, sent_ns))
        ;
    kill(pid, SIGTERM);
    while (client.connection.goaway == NUMBER_MAX && h3_step(&client, until_ns))
        ;
    CHECK_INT(client.connection.goaway, 4);
    CHECK(!h3_ask(&client, &late, "GET", "/"));
    while (client.pending && h3_step(&client, until_ns))
        ;
    CHECK_INT(slow.status, 200);
    while (h3_step(&client, until_ns))
        ;
    CHECK_HAS(client.connection.why, "H3_NO_ERROR");
    h3_close(&client);
    waitpid(pid, &status, 0);
    CHECK_INT(exit_status(status), 0);
}
