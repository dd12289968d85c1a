// test.c: tests of lesson 08. `make test` runs them, the scenes, real peers, and the patches in
// break/. Here: the server, over sockets. Further tests, by topic:
//
//     test_cpu_slots.h   many queries at once, and the cores that they wait for
//     test_frames.h  rules for the readers of frames, queries and answers (fuzz.c uses them)
//     test_readers.h those readers, with all sorts of bytes
//     test_db.h      a client's session, against servers of all kinds
//     test_pool.h    the pool
#define SUMMARY "sessions 3, queries 3, refused 0\n"
#define LOGGED  ": get user 7: complete, rows 1, "
#include "contract.h"

#include "test_cpu_slots.h"
#include "test_db.h"
#include "test_pool.h"
#include "test_readers.h"
#include "test_talk.h"

static bool exchange(int port)
{
    int fd = send_login(port);
    bool good = strstr(read_answer(fd), "R0 ") &&
                !strcmp(ask(fd, "get user 7"), "D1 7|Grace Adams|grace.adams@example.com\n"
                                               "C1 1\n");
    say(fd, 'X', 0, NULL);
    close(fd);
    return good;
}

// ---- questions and answers -----------------------------------------------------------------

TEST(queries_and_their_answers)
{
    static const struct {
        const char *query, *answer;
    } cases[] = {
        {"ping", "C1 0\n"},
        {"  ping  ", "C1 0\n"},
        {"get user 1", "D1 1|Ada Adams|ada.adams@example.com\nC1 1\n"},
        {"get user 100", "D1 100|Jean Jones|jean.jones@example.com\nC1 1\n"},
        {"get   user  007 ", "D1 7|Grace Adams|grace.adams@example.com\nC1 1\n"},
        {"get user 0", "C1 0\n"},
        {"get user 101", "C1 0\n"},
        {"get user 999999999", "C1 0\n"},
        {"get user 1000000000", "E1 22003|a number is out of range\n"},
        {"get user 18446744073709551617", "E1 22003|a number is out of range\n"},
        {"get user", "E1 42601|the query ends too early\n"},
        {"get user x", "E1 42601|syntax error at \"x\"\n"},
        {"get user -1", "E1 42601|syntax error at \"-1\"\n"},
        {"get user 1 2", "E1 42601|syntax error at \"2\"\n"},
        {"get user 1, 2", "E1 42601|syntax error at \", 2\"\n"},
        {"get users 1", "E1 42601|syntax error at \"get users 1\"\n"},
        {"", "E1 42601|the query ends too early\n"},
        {"   ", "E1 42601|the query ends too early\n"},
        {"pingping", "E1 42601|syntax error at \"pingping\"\n"},
        {"PING", "E1 42601|syntax error at \"PING\"\n"},
        {"ping\n", "E1 42601|syntax error at \"ping?\"\n"},
        {"\x1b[31mred\x7f\xff", "E1 42601|syntax error at \"?[31mred??\"\n"},
        {"select * from users where id = 1",
         "E1 42601|syntax error at \"select * from users wher\"\n"},
        {"posts of user 1", "D1 1|1|Ada Adams on queues, part 1\n"
                            "D1 2|1|Ada Adams on queues, part 2\nC1 2\n"},
        {"posts of user 1,2", "E1 42601|syntax error at \",2\"\n"},
        {"posts of users 5 , 1,1", "D1 15|5|Edsger Adams on sockets, part 1\n"
                                   "D1 1|1|Ada Adams on queues, part 1\n"
                                   "D1 2|1|Ada Adams on queues, part 2\nC1 3\n"},
        {"posts of users 500,600", "C1 0\n"},
        {"posts of users 1,", "E1 42601|the query ends too early\n"},
        {"posts of users ,1", "E1 42601|syntax error at \",1\"\n"},
        {"slow 0", "C1 0\n"},
        {"slow 1", "C1 0\n"},
        {"slow", "E1 42601|the query ends too early\n"},
        {"slow 60001", "E1 22003|a number is out of range\n"},
    };
    pid_t pid;
    int port = serve(&pid, ""), fd = log_in(port);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(ask(fd, cases[i].query), cases[i].answer))
            FAIL("%s: expected %s and got %s", cases[i].query, cases[i].answer, heard);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_longest_queries_and_answers)
{
    static char text[4200];
    pid_t pid;
    int port = serve(&pid, ""), fd = log_in(port), length;
    CHECK_HAS(ask(fd, "list users"), "\nD1 100|Jean Jones|jean.jones@example.com\nC1 100\n");
    length = snprintf(text, sizeof text, "posts of users 1");
    for (int i = 2; i <= 100; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, ",%d", i);
    CHECK_HAS(ask(fd, text), "\nD1 300|100|Jean Jones on sockets, part 1\nC1 300\n");
    snprintf(text + length, sizeof text - (size_t)length, ",1");
    CHECK_HAS(ask(fd, text), "E1 54000|too many numbers\n");
    memset(text, ' ', sizeof text);
    memcpy(text, "ping", 4);
    text[1024] = '\0';
    CHECK_HAS(ask(fd, text), "C1 0\n");
    text[1024] = ' ', text[1025] = '\0';
    CHECK_HAS(ask(fd, text), "E1 54000|the query is too long\n");
    text[1025] = ' ', text[4089] = '\0'; // of the 4096 bytes seven are id, kind, length
    CHECK_HAS(ask(fd, text), "E1 54000|the query is too long\n");
    say(fd, 'Q', 1, "ping");
    text[4089] = ' ', text[4090] = '\0';
    say(fd, 'Q', 1, text);
    CHECK_HAS(last_words(fd), "C1 0\nF0 08P01|a frame's length is out of bounds\n");
    CHECK_INT(test_stop(pid), 0);
}

// ---- hostile frames ------------------------------------------------------------------------

// Everything that a client says, cut in two at each place; between the parts the server has
// surely read the first one, for it has answered a client that came later.
TEST(frames_cut_at_every_byte)
{
    struct bytes b;
    pid_t pid;
    int port = serve(&pid, "--query-ms 1");
    b.length = 0;
    put_frame(&b, 'L', 0, "test", "workbench", NULL);
    put_frame(&b, 'Q', 5, "get user 2", NULL);
    put_frame(&b, 'Q', 6, "ping", NULL);
    put_frame(&b, 'X', 0, NULL);
    for (size_t cut = 0; cut <= b.length; cut++) {
        int fd = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fd, b.at, cut));
        CHECK(exchange(port));
        CHECK(write_all(fd, b.at + cut, b.length - cut));
        CHECK_HAS(last_words(fd), "\nD5 2|Barbara Adams|barbara.adams@example.com\n"
                                  "C5 1\nC6 0\n");
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(lengths_out_of_bounds_end_the_session)
{
    static const unsigned lengths[] = {0,     1,          4,          4097,
                                       65536, 0x7fffffff, 0x80000000, 0xffffffff};
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int logged_in = 0; logged_in < 2; logged_in++) {
            struct bytes b;
            int fd;
            if (logged_in)
                fd = log_in(port);
            else
                fd = net_connect_or_die("127.0.0.1", port);
            b.length = 0;
            put_number(&b, lengths[i], 4);
            send_bytes(fd, &b);
            CHECK_HAS(last_words(fd), "F0 08P01|a frame's length is out of bounds\n");
        }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(payloads_that_are_no_fields_end_the_session)
{
    static const struct {
        const char *bytes;
        size_t length;
    } payloads[] = {
        {"", 0},                                      // none
        {"\0\4pin", 5},                               // one byte too short
        {"\0\4ping\0", 7},                            // one byte too long
        {"\0\4ping\0\0", 8},                          // two fields
        {"\0\4pi\0g", 6},                             // a zero within
        {"\0", 1},                                    // half a length
        {"\xff\xffping", 6},                          // a long length
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18}, // nine fields
    };
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        struct bytes b;
        int fd = log_in(port);
        b.length = 0;
        put_raw(&b, 'Q', 9, payloads[i].bytes, payloads[i].length);
        send_bytes(fd, &b);
        CHECK_HAS(last_words(fd), "F9 08P01|a query has one text\n");
    }
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(kinds_that_a_client_does_not_send)
{
    pid_t pid;
    int port = serve(&pid, "");
    for (int kind = 0; kind < 256; kind++) {
        const char *text = NULL,
                   *expected = "F3 08P01|a client does not send this kind of frame\n";
        if (kind == 'Q') {
            text = "ping";
            expected = "C3 0\n";
        } else if (kind == 'X') {
            expected = "";
        } else if (kind == 'L') {
            expected = "F3 08P01|already logged in\n";
        }
        int fd = log_in(port);
        say(fd, (char)kind, 3, text);
        say(fd, 'X', 0, NULL);
        CHECK_HAS(last_words(fd), expected);
    }
    int fd = net_connect_or_die("127.0.0.1", port);
    say(fd, 'Q', 4, "ping");
    CHECK_HAS(last_words(fd), "F4 08P01|not logged in\n");
    CHECK_INT(test_stop(pid), 0);
}

// ---- logins --------------------------------------------------------------------------------

TEST(logins_that_are_refused)
{
    pid_t pid;
    struct bytes b;
    int port = serve(&pid, ""), good = log_in(port), fd;
    static const char *const passwords[] = {"wrong", "", "workbench2"};
    for (int i = 0; i < 3; i++) {
        b.length = 0;
        put_frame(&b, 'L', 2, "test", passwords[i], NULL);
        send_bytes(fd = net_connect_or_die("127.0.0.1", port), &b);
        CHECK_HAS(last_words(fd), "F2 28P01|wrong password\n");
    }
    say(fd = net_connect_or_die("127.0.0.1", port), 'L', 2, "test");
    CHECK_HAS(last_words(fd), "F2 08P01|a login has a user and a password\n");
    CHECK_INT(figure(good, "refused"), 4);
    CHECK_INT(figure(good, "logins"), 1);
    CHECK_INT(figure(good, "sessions"), 1);
    close(good);
    CHECK_INT(test_stop(pid), 0);
}

TEST(too_many_sessions)
{
    pid_t pid;
    int port = serve(&pid, "--max-sessions 2 --login-ms 20"), first = log_in(port);
    int second = send_login(port), third = send_login(port); // the place is taken at once
    CHECK_HAS(last_words(third), "F0 53300|too many connections\n");
    CHECK_HAS(read_answer(second), "R0 2\n");
    say(second, 'X', 0, NULL); // TERMINATE makes room before the connection is gone
    third = log_in(port);
    CHECK_HAS(last_words(send_login(port)), "F0 53300|too many connections\n");
    reset(third); // and so does a reset
    await_figure(first, "sessions", 1);
    close(log_in(port));
    CHECK_INT(figure(first, "most_sessions"), 2);
    CHECK_INT(figure(first, "refused"), 2);
    close(first);
    close(second);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_client_that_never_logs_in_is_sent_away)
{
    pid_t pid;
    struct bytes b;
    int port = serve(&pid, "--login-timeout-ms 500 --max-sessions 1"), fds[40];
    b.length = 0;
    put_frame(&b, 'L', 0, "test", "workbench", NULL);
    for (int i = 0; i < 40; i++) { // they say nothing, or a part of a login, and take no place
        fds[i] = net_connect_or_die("127.0.0.1", port);
        CHECK(write_all(fds[i], b.at, (size_t)i / 2));
    }
    CHECK(exchange(port));
    for (int i = 0; i < 40; i++)
        CHECK_HAS(last_words(fds[i]), "F0 57014|no login came in time\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(idle_sessions_end_where_that_is_wanted)
{
    pid_t pid;
    int port = serve(&pid, "--idle-ms 100"), fd = send_login(port);
    say(fd, 'Q', 1, "slow 300"); // working is not idling
    CHECK_HAS(last_words(fd), "C1 0\nF0 57P05|the session was idle for too long\n");
    CHECK_INT(test_stop(pid), 0);
}

// ---- ./client -------------------------------------------------------------------------------

// Two queries, one connection: the second waits in the pool's line while the first is answered.
TEST(the_client_tells_waiting_from_being_answered)
{
    char command[200];
    double waited[2] = {0}, took[2] = {0};
    pid_t pid;
    int port = serve(&pid, ""), answers = 0;
    snprintf(command, sizeof command,
             "./client --port %d --connections 1 'slow 400' 'slow 400'", port);
    CHECK_INT(test_run(command), 0);
    for (const char *at = test_output; answers < 2 && (at = strstr(at, "session 1, ")); at++)
        answers += sscanf(at, "session 1, waited %lf ms, answered in %lf ms", &waited[answers],
                          &took[answers]) == 2;
    CHECK_INT(answers, 2);
    for (int i = 0; i < 2; i++)
        CHECK_BETWEEN(took[i], 400, 20000);
    int late = waited[1] > waited[0]; // which of the two was the second
    CHECK_BETWEEN(waited[late], waited[!late] + 100, 20000);
    CHECK_INT(test_stop(pid), 0);
}

// ---- ends ----------------------------------------------------------------------------------

TEST(a_client_that_closes_its_half_gets_its_answers)
{
    static struct bytes b;
    pid_t pid;
    int port = serve(&pid, "--query-ms 5"), fd = log_in(port);
    b.length = 0;
    for (unsigned i = 1; i <= 5; i++)
        put_frame(&b, 'Q', i, i == 3 ? "slow 30" : "get user 1", NULL);
    send_bytes(fd, &b);
    CHECK(!shutdown(fd, SHUT_WR));
    CHECK_HAS(last_words(fd), "C1 1\nD2 1|Ada Adams|ada.adams@example.com\nC2 1\nC3 0\nD4 ");
    CHECK_HAS(heard, "C5 1\n");
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_server_says_goodbye_and_finishes_what_it_began)
{
    pid_t pid;
    int port = serve(&pid, "--cores 1 --query-ms 800"), resting = log_in(port),
        stranger = net_connect_or_die("127.0.0.1", port), asleep = log_in(port),
        working = log_in(port), waiting = log_in(port);
    say(asleep, 'Q', 9, "slow 1200");
    say(working, 'Q', 1, "get user 1");
    say(working, 'Q', 2, "get user 2"); // this one comes too late
    say(waiting, 'Q', 3, "get user 3");
    CHECK_INT(figure(resting, "waiting"), 1);
    kill(pid, SIGTERM);
    CHECK_HAS(last_words(resting),
              "F0 57P01|terminating connection due to administrator command\n");
    CHECK_HAS(last_words(stranger), "F0 57P01|terminating");
    CHECK_HAS(last_words(working), "C1 1\nF0 57P01|terminating");
    CHECK_HAS(last_words(waiting), "C3 1\nF0 57P01|terminating");
    CHECK_HAS(last_words(asleep), "C9 0\nF0 57P01|terminating");
    CHECK_INT(test_stop(pid), 0);
}

// ---- all at once ---------------------------------------------------------------------------

#define STORM_SESSIONS 60

// Does something to one of the sessions, most of the time in the middle of something else.
static void storm_step(int fds[], int port, uint64_t *random)
{
    static const char *const queries[] = {"get user 7", "list users", "posts of users 1,2,3",
                                          "slow 2",     "ping",       "nonsense"};
    int *fd = &fds[next_random(random) % STORM_SESSIONS];
    struct bytes b;
    if (*fd < 0) {
        *fd = send_login(port);
        return;
    }
    switch (next_random(random) % 8) {
    case 0:
        reset(*fd);
        *fd = -1;
        break;
    case 1:
        say(*fd, 'X', 0, NULL);
        close(*fd);
        *fd = -1;
        break;
    case 2: // half a frame, and the end
        b.length = 0;
        put_frame(&b, 'Q', 1, "get user 1", NULL);
        b.length = next_random(random) % b.length;
        write_all(*fd, b.at, b.length);
        close(*fd);
        *fd = -1;
        break;
    default:
        b.length = 0;
        put_frame(&b, 'Q', 1, queries[next_random(random) % 6], NULL);
        if (!write_all(*fd, b.at, b.length)) { // it was refused, and is gone
            close(*fd);
            *fd = -1;
        }
    }
}

static void run_storm(const char *command, int steps)
{
    int fds[STORM_SESSIONS];
    pid_t pid;
    uint64_t random = 8;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, command), watcher = log_in(port);
    memset(fds, -1, sizeof fds);
    for (int step = 0; step < steps; step++) {
        storm_step(fds, port, &random);
        if (step % 100 == 0)
            CHECK(figure(watcher, "sessions") <= 40);
    }
    for (int i = 0; i < STORM_SESSIONS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    // Some may still wait to be accepted. What leaked would never get there.
    await_figure(watcher, "sessions", 1);
    await_figure(watcher, "busy_cores", 0);
    await_figure(watcher, "waiting", 0);
    CHECK(figure(watcher, "refused") > 0);
    CHECK_INT(figure(watcher, "most_sessions"), 40);
    close(watcher);
    CHECK_INT(test_stop(pid), 0);
}

#define STORM_OPTIONS                                                                          \
    "--quiet --port 0 --query-ms 2 --login-ms 3 --cores 2 --contention 5 --max-sessions 40"

TEST(a_storm_of_sessions_leaves_nothing_behind)
{
    run_storm("./server " STORM_OPTIONS, 20000);
}

TEST(a_storm_under_valgrind)
{
    if (has_valgrind())
        run_storm(VALGRIND "./server " STORM_OPTIONS, 2000);
}
