// size.c: scene size: what each request has to carry, to say who sends it.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cast.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static const struct claim larger = {
    "4.34", "guide §12.3", "tokens are larger than session ids, in every request", HOLDS, NULL};

// Bytes of GET /me that are there only because a user is logged in.
static size_t measure(const char *const options[])
{
    struct server server = cast_start(options);
    struct agent user = cast_user_of(&server);
    cast_me(&user);
    size_t without = user.request_bytes;
    cast_log_in(&user);
    cast_me(&user);
    size_t with = user.request_bytes;
    agent_close(&user);
    cast_stop(&server);
    return with - without;
}

void scene_size(void)
{
    static const char *const session[] = {NULL},
                             *const hs256[] = {"--auth", "jwt", "--alg", "HS256", NULL},
                             *const es256[] = {"--auth", "jwt", NULL};
    size_t cookie = measure(session), hmac = measure(hs256), ecdsa = measure(es256);
    double full = (double)ecdsa;
    story_bar("session id, in a cookie", (double)cookie, full, "%zu bytes", cookie);
    story_bar("token, HS256", (double)hmac, full, "%zu bytes", hmac);
    story_bar("token, ES256", (double)ecdsa, full, "%zu bytes", ecdsa);
    claim_report(
        &larger, holds_if(hmac > 3 * cookie && ecdsa > hmac),
        "%zu bytes for a session, %zu and %zu for a token with a name and a role: %.1f "
        "times as much",
        cookie, hmac, ecdsa, (double)ecdsa / (double)cookie);
}
