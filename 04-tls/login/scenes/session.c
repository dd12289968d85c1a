// session.c: scene session: the id means nothing; the server looks it up for each request.
#include <stdio.h>
#include <string.h>

#include "base64url.h"
#include "cast.h"
#include "claim.h"
#include "cookie.h"
#include "scenes.h"
#include "story.h"

#define REQUESTS 5
#define LOG_INS  200

static const struct claim looked_up = {"4.29", "guide §12.2",
                                       "each request looks the session up", HOLDS, NULL};
static const struct claim is_random = {"4.50", "guide §12.2",
                                       "the id is a long, unpredictable string", HOLDS, NULL};

static const char *id_of(const struct agent *user)
{
    return user->jar.cookies[0].value;
}

// How often each bit of the ids of many log-ins is 1: the least and the most of all bits.
static int count_bits(struct agent *user, int *least, int *most)
{
    static int ones[8 * SESSION_ID];
    uint8_t id[SESSION_ID];
    size_t length;
    int bits = 0;
    for (int i = 0; i < LOG_INS; i++) {
        cast_log_in(user);
        struct http_text text = {id_of(user), strlen(id_of(user))};
        if (!base64url_read(text, id, sizeof id, &length))
            return 0;
        bits = (int)length * 8;
        for (int bit = 0; bit < bits; bit++)
            ones[bit] += id[bit / 8] >> bit % 8 & 1;
    }
    *least = *most = ones[0];
    for (int bit = 0; bit < bits; bit++) {
        if (ones[bit] < *least)
            *least = ones[bit];
        if (ones[bit] > *most)
            *most = ones[bit];
    }
    return bits;
}

// The attacker knows an id, because he has made it up. He brings it into the user's browser,
// and waits until the user has logged in.
static void fixate(const struct server *server)
{
    static const char made_up[] = "AAAAAAAAAAAAAAAAAAAAAA";
    struct agent user = cast_user_of(server), attacker = cast_user_of(server);
    struct jar_cookie *cookie = &user.jar.cookies[0];
    snprintf(cookie->name, sizeof cookie->name, COOKIE_NAME);
    snprintf(cookie->value, sizeof cookie->value, "%s", made_up);
    attacker.jar = user.jar;
    cast_log_in(&user);
    story_say("Session fixation: an attacker gives alice the id  %s,", made_up);
    story_say("and she logs in with it. The server gives her     %s.", id_of(&user));
    story_head("|GET /me");
    story_row("alice|%d", cast_me(&user));
    story_row("the attacker, with his own id|%d", cast_me(&attacker));
    agent_close(&user);
    agent_close(&attacker);
}

void scene_session(void)
{
    struct agent user = cast_user();
    int least = 0, most = 0;
    story_timeline();
    story_event("POST /login: alice and her password");
    cast_log_in(&user);
    story_event("Set-Cookie: %.56s ...", agent_field(&user, "set-cookie"));
    story_event("%d times: GET /me, Cookie: %s=...", REQUESTS, COOKIE_NAME);
    story_quiet(true);
    long before = cast_figure(&user, "lookups");
    int good = 0;
    for (int i = 0; i < REQUESTS; i++)
        good += cast_me(&user) == 200;
    char says[100];
    snprintf(says, sizeof says, "%.*s", (int)strcspn(user.reply.content, "\n"),
             user.reply.content);
    long lookups = cast_figure(&user, "lookups") - before;
    story_event("%d answers: %s", good, says);
    story_say("");
    agent_close(&user);
    // Another server, whose passwords cost nothing, for many log-ins.
    static const char *const options[] = {NULL};
    struct server other = cast_start(options);
    user = cast_user_of(&other);
    int bits = count_bits(&user, &least, &most);
    fixate(&other);
    agent_close(&user);
    cast_stop(&other);
    claim_report(&looked_up, holds_if(good == REQUESTS && lookups == REQUESTS),
                 "%d requests, %ld lookups", REQUESTS, lookups);
    // Of 200 coins, 140 heads or more, or 60 or less, come once in a hundred million times.
    claim_report(&is_random,
                 holds_if(bits == 128 && least > LOG_INS * 3 / 10 && most < LOG_INS * 7 / 10),
                 "%d bits; in %d log-ins each of them was 1 between %d and %d times", bits,
                 LOG_INS, least, most);
}
