// test.c: tests of lesson 01, streams. `make test` runs them, the scenes, real peers, and the
// patches in break/.
#include "contract.h"

#include "measure.h"
#include "token.h"

#include "test_frames.h"
#include "test_link.h"
#include "test_flood.h"

static bool exchange(int port)
{
    return fetch_one(port, "/bytes/5000", NULL);
}

TEST(the_client_by_hand)
{
    char command[200], arrow[3] = "";
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    snprintf(command, sizeof command, "./client --port %d --packets /bytes/3000 /bytes/20",
             port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "FIRST 0");
    CHECK_HAS(test_output, "STREAM 4 [0, 20) end");
    CHECK_HAS(test_output, "/bytes/3000                    3000");
    CHECK_HAS(test_output, " ms ->  1200  FIRST 0  MAX_DATA 1048576");
    const char *answer = strstr(test_output, "STREAM 4 [0, 20) end");
    while (answer && answer > test_output && answer[-1] != '\n')
        answer--;
    if (answer)
        sscanf(answer, "%*f ms %2s", arrow);
    CHECK_TEXT(arrow, "<-");
    snprintf(command, sizeof command, "./client --port %d --packets --window 100000 /bytes/20",
             port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "MAX_STREAM_DATA 0, 100000"); // what the server is told
    snprintf(command, sizeof command, "./client --port %d --move-after 100000 /bytes/900000",
             port);
    CHECK_INT(test_run(command), 0);
    snprintf(command, sizeof command, "./client --port %d /nothing /bytes/20", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "there is nothing of this name");
    CHECK_INT(test_run("./client $(seq -f /bytes/%g 65)"), 2);
    CHECK_HAS(test_output, "at most 64 streams");
    CHECK_INT(test_stop(pid), 0);
}
