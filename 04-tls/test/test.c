// test.c: tests of lesson 04. `make test` runs them, the scenes, real peers, and the patches in
// break/. Each header is one chapter.
#define SUMMARY                                                                                \
    "connections 4, requests 3\n"                                                              \
    "handshakes: done 3, resumed 0, refused 0, abandoned 0\n"
#include "contract.h"

#include "probe.h"

static bool exchange(int port)
{
    return probe_once(port, &(struct probe){0}, GET_FACTS) == 200;
}

// Starts our server with further options.
static int start(pid_t *pid, const char *options)
{
    char command[300];
    snprintf(command, sizeof command, "./server --port 0 %s", options);
    int port = test_start(pid, command);
    if (!port)
        FAIL("%s does not start", command);
    return port;
}

// The same, and its output goes to a file of its own.
static int start_with_log(pid_t *pid, const char *options, char *log)
{
    char command[300];
    strcpy(log, "/tmp/workbench-04-XXXXXX");
    int fd = mkstemp(log);
    if (fd >= 0)
        close(fd);
    snprintf(command, sizeof command, "%s >%s", options, log);
    return start(pid, command);
}

static void stop_with_log(pid_t pid, const char *log)
{
    CHECK_INT(test_stop(pid), 0);
    unlink(log);
}

#include "test_serve.h"
#include "test_refuse.h"
#include "test_session.h"
#include "test_attack.h"
#include "test_keys.h"
#include "test_recorded.h"
#include "test_client.h"
