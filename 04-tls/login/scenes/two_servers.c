// two_servers.c: scene two_servers: one user, two servers, as behind a load balancer.
#include <stdio.h>

#include "cast.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static const struct claim share = {"4.54", "guide §12.2",
                                   "several servers need access to the same session store",
                                   HOLDS, NULL};
static const struct claim scales = {"4.55", "guide §12.3",
                                    "no session data on the server: scaling out is trivial",
                                    HOLDS, NULL};

// Logs in at the first server, and asks the second one. After `hit` was called, asks again.
static void ask_both(const char *const options[], struct server *store, int *other, int *late)
{
    struct server first = cast_start(options), second = cast_start(options);
    struct agent user = cast_user_of(&first);
    cast_log_in(&user);
    agent_close(&user);
    user.port = second.port; // cookies belong to a host, whatever the port (RFC 6265 §8.5)
    *other = cast_me(&user);
    if (store)
        cast_kill(store);
    *late = cast_me(&user);
    agent_close(&user);
    cast_stop(&first);
    cast_stop(&second);
}

void scene_two_servers(void)
{
    static const char *const alone[] = {NULL}, *const token[] = {"--auth", "jwt", NULL};
    struct server store = cast_start_store();
    char address[40];
    int separate, shared, lost, with_token, unused;
    snprintf(address, sizeof address, "127.0.0.1:%d", store.port);
    const char *asks[] = {"--store-at", address, NULL};
    ask_both(alone, NULL, &separate, &unused);
    ask_both(asks, &store, &shared, &lost);
    ask_both(token, NULL, &with_token, &unused);
    story_head("logged in at the first server|GET /me at the second");
    story_row("each has its own sessions|%d", separate);
    story_row("both ask ./store|%d", shared);
    story_row("the store is killed|%d", lost);
    story_row("a token|%d", with_token);
    claim_report(
        &share, holds_if(separate == 401 && shared == 200 && lost == 503),
        "own sessions: %d, one store for both: %d; without that store nobody is known: "
        "%d",
        separate, shared, lost);
    claim_report(&scales, holds_if(with_token == 200),
                 "the second server takes the token: %d. It has the same key, from the same "
                 "file: that is what they share",
                 with_token);
}
