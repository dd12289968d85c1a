// test_db.h: tests of a client's session (db.c): against our server, and against servers that
// never answer, vanish, are slow, or talk rubbish.
#ifndef TEST_DB_H
#define TEST_DB_H

#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>

#include "db.h"
#include "test_frames.h"
#include "test_talk.h"

#ifndef IP_LOCAL_PORT_RANGE // since Linux 6.3
#define IP_LOCAL_PORT_RANGE 51
#endif

static struct db_error refusal; // of the last open_db()

static struct db *open_db(int port, int timeout_ms)
{
    struct db_config config = {.user = "test"};
    config.address_length = net_address("127.0.0.1", port, SOCK_STREAM, &config.address);
    return db_open(&config, timeout_ms, &refusal);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

// ---- with our server -----------------------------------------------------------------------

TEST(a_session_asks_and_goes_on_after_errors)
{
    static char text[5000];
    pid_t pid;
    int port = serve(&pid, "--login-ms 5"), descriptors = open_descriptors();
    struct db *db = open_db(port, 5000);
    CHECK(db_query(db, "list users", 5000));
    CHECK_INT(db->rows, 100);
    CHECK_INT(db->columns, 3);
    CHECK(!*db->error.code);
    CHECK_HAS(db_value(db, 99, 2), "jean.jones@example.com");
    CHECK(!*db_value(db, 100, 0));
    CHECK(!*db_value(db, -1, 0));
    CHECK(!*db_value(db, 0, 3));
    CHECK(!db_query(db, "drop table users", 5000));
    CHECK(!db->broken);
    CHECK_HAS(db->error.code, CODE_SYNTAX);
    CHECK_INT(db->rows, 0);
    memset(text, ' ', sizeof text - 1);
    CHECK(!db_query(db, text, 5000));
    CHECK(!db->broken); // this one is not even sent
    CHECK_HAS(db->error.code, CODE_TOO_LONG);
    CHECK(db_query(db, "ping", 5000));
    CHECK_INT(db->rows, 0);
    CHECK(!*db->error.code);
    CHECK_INT(db_stat(db, "sessions", 5000), 1);
    CHECK_INT(db_stat(db, "elephants", 5000), -1);
    CHECK(db_is_quiet(db));
    db_close(db);
    db_close(NULL);
    CHECK_INT(open_descriptors(), descriptors);
    CHECK_INT(test_stop(pid), 0);
}

TEST(answers_come_in_the_order_of_the_queries)
{
    pid_t pid;
    struct db *db = open_db(serve(&pid, ""), 5000);
    uint32_t ids[3], id;
    ids[0] = db_send(db, "slow 30", 5000);
    ids[1] = db_send(db, "get user 1", 5000);
    ids[2] = db_send(db, "nonsense", 5000);
    CHECK(db_receive(db, &id, 5000));
    CHECK_INT(id, ids[0]);
    CHECK_INT(db->rows, 0);
    CHECK(db_receive(db, &id, 5000));
    CHECK_INT(id, ids[1]);
    CHECK_INT(db->rows, 1);
    CHECK(!db_receive(db, &id, 5000));
    CHECK_INT(id, ids[2]);
    CHECK(!db->broken);
    // A client that does not look at ids gets the answer to another query, and notices.
    CHECK(db_send(db, "get user 1", 5000));
    CHECK(!db_query(db, "get user 2", 5000));
    CHECK(db->broken);
    CHECK_HAS(db->error.text, "an answer to another query");
    db_close(db);
    CHECK_INT(test_stop(pid), 0);
}

// Else the second of two queries would wait until the server has acknowledged the first one.
TEST(queries_do_not_wait_for_an_acknowledgement)
{
    pid_t pid;
    int on = 0;
    socklen_t length = sizeof on;
    struct db *db = open_db(serve(&pid, ""), 5000);
    CHECK(db && !getsockopt(db->fd, IPPROTO_TCP, TCP_NODELAY, &on, &length));
    CHECK(on);
    db_close(db);
    CHECK_INT(test_stop(pid), 0);
}

TEST(an_answer_that_comes_too_late_breaks_the_session)
{
    pid_t pid;
    int port = serve(&pid, "--login-ms 300");
    CHECK(!open_db(port, 30));
    CHECK_HAS(refusal.code, CODE_TIMEOUT);
    struct db *db = open_db(port, 5000);
    CHECK(!db_query(db, "slow 5000", 30));
    CHECK(db->broken);
    CHECK_HAS(db->error.code, CODE_TIMEOUT);
    CHECK(!db_query(db, "ping", 5000));
    CHECK_HAS(db->error.text, "the session is broken");
    db_close(db);
    CHECK_INT(test_stop(pid), 0);
}

TEST(refusals_are_told)
{
    pid_t pid;
    int port = serve(&pid, "--max-sessions 1"), descriptors = open_descriptors();
    struct db *db = open_db(port, 5000);
    CHECK(!open_db(port, 5000));
    CHECK_HAS(refusal.code, CODE_TOO_MANY);
    CHECK_HAS(refusal.text, "too many connections");
    CHECK_INT(refusal.system, 0);
    db_close(db);
    CHECK_INT(test_stop(pid), 0);
    CHECK(!open_db(port, 5000));
    CHECK_HAS(refusal.code, CODE_UNREACHABLE);
    CHECK_HAS(refusal.text, "cannot connect: Connection refused");
    CHECK_INT(refusal.system, ECONNREFUSED);
    CHECK_INT(open_descriptors(), descriptors);
}

TEST(a_server_that_stops_says_so_and_one_that_dies_does_not)
{
    pid_t pid;
    struct db *db = open_db(serve(&pid, ""), 5000);
    CHECK(db_is_quiet(db));
    CHECK_INT(test_stop(pid), 0);
    CHECK(!db_is_quiet(db));
    CHECK(!db->broken); // it was not asked yet
    CHECK(!db_query(db, "ping", 5000));
    CHECK(db->broken);
    CHECK_HAS(db->error.code, CODE_SHUTDOWN);
    CHECK_HAS(db->error.text, "terminating connection due to administrator command");
    db_close(db);
    db = open_db(serve(&pid, ""), 5000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(!db_is_quiet(db));
    CHECK(!db_query(db, "ping", 5000));
    CHECK(db->broken);
    CHECK_HAS(db->error.code, CODE_BROKEN);
    db_close(db);
}

// One port for all clients: the second one finds none.
static void one_port(int fd)
{
    uint32_t range = 45678u << 16 | 45678u;
    if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof range))
        SKIP("this kernel has no IP_LOCAL_PORT_RANGE: it is older than Linux 6.3");
}

TEST(no_port_is_left)
{
    pid_t pid;
    struct db_config config = {.prepare = one_port};
    int port = serve(&pid, "");
    config.address_length = net_address("127.0.0.1", port, SOCK_STREAM, &config.address);
    struct db *db = db_open(&config, 5000, &refusal);
    CHECK(!db_open(&config, 5000, &refusal));
    CHECK_INT(refusal.system, EADDRNOTAVAIL);
    CHECK_HAS(refusal.text, "cannot connect: Cannot assign requested address");
    db_close(db);
    CHECK_INT(test_stop(pid), 0);
}

// ---- with hostile servers --------------------------------------------------------

// The kernel accepts for a server that does not; and one whose queue is full does not even.
TEST(servers_that_do_not_answer)
{
    int fds[8], listener = net_listen("127.0.0.1", 0, 0), descriptors = open_descriptors();
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    CHECK(!getsockname(listener, (struct sockaddr *)&address, &length));
    int port = ntohs(address.sin_port);
    CHECK(!open_db(port, 50));
    CHECK_HAS(refusal.code, CODE_TIMEOUT);
    for (int i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
    CHECK(!open_db(port, 50));
    CHECK_HAS(refusal.code, CODE_UNREACHABLE);
    CHECK_INT(refusal.system, ETIMEDOUT);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    CHECK_INT(open_descriptors(), descriptors);
    close(listener);
}

enum ending { STAYS, CLOSES, RESETS, DRIPS };

// Starts a server for one client, which reads the login, says these bytes, whatever it is
// asked, and ends in one of four ways. Returns its port.
static int start_peer(pid_t *pid, const struct bytes *b, enum ending ending)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = net_listen("127.0.0.1", 0, 1), on = 1;
    CHECK(!getsockname(listener, (struct sockaddr *)&address, &length));
    if ((*pid = fork()) == 0) {
        char login[1000];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = accept(listener, NULL, NULL);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (read(fd, login, sizeof login) <= 0)
            _exit(1);
        for (size_t at = 0; at < b->length; at++) // each byte on its own
            if (write(fd, b->at + at, 1) != 1)
                break;
        while (ending == DRIPS && write(fd, "\0", 1) == 1)
            sleep_ms(5);
        if (ending == RESETS)
            reset(fd);
        if (ending == CLOSES)
            close(fd);
        for (;;)
            pause();
    }
    close(listener);
    return ntohs(address.sin_port);
}

static void end_peer(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// What a peer says after the login must make the first query fail like this.
static void expect_failure(const struct bytes *said, enum ending ending, const char *code,
                           const char *text)
{
    static struct bytes b;
    pid_t pid;
    int timeout_ms = 5000;
    if (!strcmp(code, CODE_TIMEOUT))
        timeout_ms = 100;
    b.length = 0;
    put_frame(&b, 'R', 0, "1", NULL);
    memcpy(b.at + b.length, said->at, said->length);
    b.length += said->length;
    int port = start_peer(&pid, &b, ending);
    struct db *db = open_db(port, 5000);
    if (!db) { // a reset can come before what was said is read
        CHECK_INT(ending, RESETS);
        CHECK_TEXT(refusal.code, CODE_BROKEN);
    } else if (db_query(db, "ping", timeout_ms)) {
        FAIL("expected \"%s\", and it is good", text);
    } else {
        CHECK(db->broken);
        CHECK_INT(db->rows, 0);
        CHECK_HAS(db->error.code, code);
        CHECK_HAS(db->error.text, text);
    }
    db_close(db);
    end_peer(pid);
}

TEST(servers_that_vanish_in_the_middle_of_an_answer)
{
    static struct bytes b, part;
    b.length = 0;
    put_frame(&b, 'D', 1, "7", "Ada", NULL);
    put_frame(&b, 'C', 1, "1", NULL);
    for (size_t length = 0; length < b.length; length += 3) {
        part = b;
        part.length = length;
        expect_failure(&part, CLOSES, CODE_BROKEN, ""); // a reset if the query was not read
        expect_failure(&part, RESETS, CODE_BROKEN, "");
    }
    part.length = 12;
    expect_failure(&part, STAYS, CODE_TIMEOUT, "receiving took too long");
    part.length = 0;
    put_number(&part, 4000, 4); // a long frame, of which a byte comes now and then
    expect_failure(&part, DRIPS, CODE_TIMEOUT, "receiving took too long");
}

TEST(answers_byte_by_byte)
{
    static struct bytes b;
    pid_t pid;
    b.length = 0;
    put_frame(&b, 'R', 0, "17", NULL);
    put_frame(&b, 'D', 1, "7", "", NULL);
    put_frame(&b, 'D', 1, "8", "Ada", NULL);
    put_frame(&b, 'C', 1, "2", NULL);
    struct db *db = open_db(start_peer(&pid, &b, STAYS), 5000);
    CHECK_HAS(db->session, "17");
    CHECK(db_query(db, "anything", 5000));
    CHECK_INT(db->rows, 2);
    CHECK_INT(db->columns, 2);
    CHECK_HAS(db_value(db, 1, 1), "Ada");
    CHECK(!*db_value(db, 0, 1));
    db_close(db);
    end_peer(pid);
}

#define RUBBISH "the server breaks the protocol: "

TEST(servers_that_talk_rubbish)
{
    static struct bytes b;
    static const struct {
        char kind;
        unsigned id;
        const char *fields[3];
        const char *code, *text;
    } cases[] = {
        {'R', 1, {"2"}, CODE_VIOLATION, RUBBISH "not an answer"},
        {'Q', 1, {"ping"}, CODE_VIOLATION, RUBBISH "not an answer"},
        {0, 1, {NULL}, CODE_VIOLATION, RUBBISH "not an answer"},
        {'C', 0, {"0"}, CODE_VIOLATION, RUBBISH "half an answer"},
        {'C', 2, {"0"}, CODE_VIOLATION, RUBBISH "an answer to another query"},
        {'D', 1, {NULL}, CODE_VIOLATION, RUBBISH "no row"},
        {'E', 1, {"42601"}, CODE_VIOLATION, RUBBISH "no error"},
        {'E', 1, {"4260", "x"}, CODE_VIOLATION, RUBBISH "no error"},
        {'E', 0, {"42601", "x"}, CODE_VIOLATION, RUBBISH "half an answer"},
        {'E', 2, {"42601", "x"}, CODE_VIOLATION, RUBBISH "an answer to another query"},
        {'F', 0, {"57P01", "bye"}, "57P01", "bye"},
        {'F', 9, {"53300", "\x1b[31m"}, "53300", "\x1b[31m"},
        {'F', 0, {NULL}, CODE_VIOLATION, RUBBISH "no error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        b.length = 0;
        put_frame(&b, cases[i].kind, cases[i].id, cases[i].fields[0], cases[i].fields[1], NULL);
        expect_failure(&b, STAYS, cases[i].code, cases[i].text);
    }
    b.length = 0;
    put_number(&b, 4097, 4);
    expect_failure(&b, STAYS, CODE_VIOLATION, RUBBISH "no frame");
    b.length = 0;
    put_raw(&b, 'D', 1, "\0\5x", 3);
    expect_failure(&b, STAYS, CODE_VIOLATION, RUBBISH "no frame");
    b.length = 0;
    put_frame(&b, 'D', 1, "7", "Ada", NULL);
    put_frame(&b, 'D', 1, "7", NULL);
    expect_failure(&b, STAYS, CODE_VIOLATION, RUBBISH "no row");
    b.length = 0;
    put_frame(&b, 'D', 1, "7", "Ada", NULL);
    put_frame(&b, 'C', 2, "1", NULL);
    expect_failure(&b, STAYS, CODE_VIOLATION, RUBBISH "half an answer");
    b.length = 0;
    for (int i = 0; i <= DB_VALUES_MAX; i++)
        put_frame(&b, 'D', 1, "x", NULL);
    expect_failure(&b, STAYS, CODE_TOO_LONG, "the answer is too long for this client");
}

TEST(logins_that_go_wrong)
{
    static struct bytes b;
    static const struct {
        char kind;
        const char *fields[3];
        enum ending ending;
        const char *code;
    } cases[] = {
        {'R', {NULL}, STAYS, CODE_VIOLATION},
        {'R', {"1", "2"}, STAYS, CODE_VIOLATION},
        {'C', {"1"}, STAYS, CODE_VIOLATION},
        {'E', {"28P01", "wrong password"}, STAYS, "28P01"},
        {'F', {"28P01", "wrong password"}, CLOSES, "28P01"},
        {'F', {"28P01"}, CLOSES, CODE_VIOLATION},
    };
    pid_t pid;
    int descriptors = open_descriptors();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        b.length = 0;
        put_frame(&b, cases[i].kind, 0, cases[i].fields[0], cases[i].fields[1], NULL);
        CHECK(!open_db(start_peer(&pid, &b, cases[i].ending), 5000));
        CHECK_HAS(refusal.code, cases[i].code);
        end_peer(pid);
    }
    b.length = 0;
    CHECK(!open_db(start_peer(&pid, &b, CLOSES), 5000));
    CHECK_HAS(refusal.code, CODE_BROKEN);
    end_peer(pid);
    CHECK(!open_db(start_peer(&pid, &b, RESETS), 5000));
    CHECK_HAS(refusal.code, CODE_BROKEN);
    end_peer(pid);
    CHECK_INT(open_descriptors(), descriptors);
}

// A server that takes nothing: what is sent has to wait, and does so no longer than it may.
TEST(a_query_that_cannot_be_sent)
{
    static struct bytes b;
    static char text[4000];
    pid_t pid;
    b.length = 0;
    put_frame(&b, 'R', 0, "1", NULL);
    struct db *db = open_db(start_peer(&pid, &b, STAYS), 5000);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 100000 && db_send(db, text, 50);)
        i++;
    CHECK(db->broken);
    CHECK_HAS(db->error.code, CODE_TIMEOUT);
    CHECK_HAS(db->error.text, "sending took too long");
    db_close(db);
    end_peer(pid);
}

#endif
