// test_table.h: tests of the table of sessions, and of its file.
#ifndef TEST_TABLE_H
#define TEST_TABLE_H

#include "test_parts.h"

static struct session_request operation(enum session_operation what, unsigned number)
{
    struct session_request request = {
        .operation = what, .user = "alice", .role = "user", .idle_s = 10, .lifetime_s = 100};
    memcpy(request.key, &number, sizeof number);
    return request;
}

static enum session_result act(struct sessions *s, enum session_operation what, unsigned number,
                               int64_t now_s)
{
    struct session_request request = operation(what, number);
    struct session_reply reply;
    sessions_do(s, &request, &reply, now_s);
    return reply.result;
}

TEST(sessions_end)
{
    struct sessions *s = sessions_open(NULL, 1000);
    CHECK_INT(act(s, SESSION_GET, 1, 1000), SESSION_NONE);
    CHECK_INT(act(s, SESSION_PUT, 1, 1000), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 1, 1009), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 1, 1018), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 1, 1028), SESSION_NONE); // idle
    CHECK_INT(act(s, SESSION_PUT, 2, 1000), SESSION_OK);
    for (int at = 1005; at < 1100; at += 5)
        CHECK_INT(act(s, SESSION_GET, 2, at), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 2, 1100), SESSION_NONE); // its lifetime
    CHECK_INT(act(s, SESSION_PUT, 3, 1100), SESSION_OK);
    CHECK_INT(act(s, SESSION_DELETE, 3, 1100), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 3, 1100), SESSION_NONE);
    CHECK_INT(act(s, SESSION_DELETE, 3, 1100), SESSION_NONE);
    CHECK_INT(sessions_count(s), 0);
    sessions_close(s);
}

TEST(a_refresh_token_is_good_once)
{
    struct sessions *s = sessions_open(NULL, 1000);
    struct session_request put = operation(SESSION_PUT, 1), use = operation(SESSION_ROTATE, 1);
    struct session_reply reply;
    put.idle_s = 0;
    sessions_do(s, &put, &reply, 1000);
    use.next_secret[0] = 1;
    sessions_do(s, &use, &reply, 1050);
    CHECK_INT(reply.result, SESSION_OK);
    CHECK_TEXT(reply.user, "alice");
    use.secret[0] = 1;
    use.next_secret[0] = 2;
    sessions_do(s, &use, &reply, 1050);
    CHECK_INT(reply.result, SESSION_OK);
    sessions_do(s, &use, &reply, 1050); // again
    CHECK_INT(reply.result, SESSION_REUSED);
    use.secret[0] = 2; // the one that was good
    sessions_do(s, &use, &reply, 1050);
    CHECK_INT(reply.result, SESSION_NONE);
    sessions_close(s);
}

// A restart, or two, gives a session that is in use no longer life.
TEST(a_restart_does_not_lengthen_a_session)
{
    char path[] = "/tmp/sessions.XXXXXX";
    int fd = mkstemp(path);
    struct sessions *s = sessions_open(path, 1000);
    act(s, SESSION_PUT, 1, 1000);
    for (int at_s = 1005; at_s < 1100; at_s += 5) {
        CHECK_INT(act(s, SESSION_GET, 1, at_s), SESSION_OK);
        if (at_s == 1050 || at_s == 1090) {
            sessions_close(s);
            s = sessions_open(path, at_s);
        }
    }
    CHECK_INT(act(s, SESSION_GET, 1, 1100), SESSION_NONE);
    sessions_close(s);
    close(fd);
    unlink(path);
}

// The table is full: the session that was not used for longest goes.
TEST(a_full_table)
{
    struct sessions *s = sessions_open(NULL, 1000);
    for (unsigned i = 0; i < SESSIONS_KEPT; i++)
        act(s, SESSION_PUT, i, 1000);
    CHECK_INT(sessions_count(s), SESSIONS_KEPT);
    CHECK_INT(act(s, SESSION_GET, 0, 1001), SESSION_OK);
    CHECK_INT(act(s, SESSION_PUT, SESSIONS_KEPT, 1002), SESSION_OK);
    CHECK_INT(sessions_count(s), SESSIONS_KEPT);
    CHECK_INT(act(s, SESSION_GET, 0, 1002), SESSION_OK);
    CHECK_INT(act(s, SESSION_GET, 1, 1002), SESSION_NONE);
    CHECK_INT(act(s, SESSION_PUT, SESSIONS_KEPT + 1, 2000), SESSION_OK);
    CHECK_INT(sessions_count(s), 1); // all others have expired
    sessions_close(s);
}

TEST(a_file_of_sessions)
{
    char path[] = "/tmp/sessions.XXXXXX", command[100];
    int fd = mkstemp(path);
    struct sessions *s = sessions_open(path, 1000);
    act(s, SESSION_PUT, 1, 1000);
    act(s, SESSION_PUT, 2, 1000);
    act(s, SESSION_PUT, 3, 1000);
    act(s, SESSION_DELETE, 2, 1001);
    act(s, SESSION_GET, 3, 1008);
    sessions_close(s);
    // A crash in the middle of a line.
    FILE *file = fopen(path, "a");
    fputs("1009 delete 010000", file);
    fclose(file);
    s = sessions_open(path, 1012);
    CHECK_INT(act(s, SESSION_GET, 1, 1012), SESSION_NONE); // idle since 1000
    CHECK_INT(act(s, SESSION_GET, 2, 1012), SESSION_NONE);
    CHECK_INT(act(s, SESSION_GET, 3, 1012), SESSION_OK);
    sessions_close(s);
    s = sessions_open(path, 1099);
    CHECK_INT(act(s, SESSION_GET, 3, 1099), SESSION_NONE);
    sessions_close(s);
    snprintf(command, sizeof command, "echo 'something else' >%s", path);
    CHECK_INT(test_run(command), 0);
    snprintf(command, sizeof command, "./store --port 0 --store %s", path);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "has a line that is no operation");
    close(fd);
    unlink(path);
}

#endif
