// restart.c: scene restart: what a server knows after it was started again.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static const struct claim goes_on = {"4.38", "design patterns",
                                     "a stateless backend can be restarted, and clients go on",
                                     HOLDS, NULL};

struct life {
    int before, after;
};

// Logs in, ends the server (stops it, or kills it as kill -9 does), starts it again.
static struct life restart(const char *const options[], bool kill)
{
    struct server server = cast_start(options);
    struct agent user = cast_user_of(&server);
    struct life life;
    cast_log_in(&user);
    life.before = cast_me(&user);
    agent_close(&user);
    if (kill)
        cast_kill(&server);
    else
        cast_stop(&server);
    server = cast_start(options);
    user.port = server.port;
    life.after = cast_me(&user);
    agent_close(&user);
    cast_stop(&server);
    return life;
}

void scene_restart(void)
{
    char file[CAST_PATH];
    snprintf(file, sizeof file, "%s", cast_file("sessions"));
    const char *in_memory[] = {NULL}, *in_file[] = {"--store", file, NULL},
               *token[] = {"--auth", "jwt", NULL};
    struct life memory = restart(in_memory, false), stored = restart(in_file, false),
                killed = restart(in_file, true), jwt = restart(token, true);
    story_head("GET /me|before|after the restart");
    story_row("a session in memory|%d|%d", memory.before, memory.after);
    story_row("a session in a file (--store)|%d|%d", stored.before, stored.after);
    story_row("the same, the server was killed|%d|%d", killed.before, killed.after);
    story_row("a token, the server was killed|%d|%d", jwt.before, jwt.after);
    claim_report(&goes_on,
                 holds_if(jwt.after == 200 && stored.after == 200 && killed.after == 200 &&
                          memory.before == 200 && memory.after == 401),
                 "tokens: %d; sessions that are stored outside of the server's memory: %d; "
                 "sessions in its memory: %d, so that server is not stateless",
                 jwt.after, stored.after, memory.after);
}
