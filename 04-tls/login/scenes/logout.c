// logout.c: scene logout: what is over at once, and what goes on.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define TOKEN_S 2 // seconds that a token is good; more on a machine that is busy
#define WAIT_MS 30000

static const struct claim at_once = {"4.53", "guide §12.2",
                                     "a log-out deletes the session: access is revoked at once",
                                     HOLDS, NULL};
static const struct claim cannot_revoke = {
    "4.33", "guide §12.3", "a token is valid until it expires: revocation is hard", HOLDS,
    NULL};
static const struct claim hybrid_claim = {
    "4.37", "guide §12.4, §15.6", "a short token, and a refresh token that can be revoked",
    HOLDS, NULL};

struct visit {
    const char *auth;
    struct server server;
    struct agent user;
    int token_s;
    int before, after, late; // GET /me: logged in, logged out, when the token has expired
    int refresh;             // POST /token after the log-out
};

static const char *refresh_content(const char *token)
{
    static char content[200];
    snprintf(content, sizeof content, "{\"refresh_token\":\"%s\"}", token);
    return content;
}

// Asks until the answer is 401; false: it still is not after WAIT_MS.
static bool await_401(struct agent *user)
{
    int64_t until_ns = now_ns() + WAIT_MS * INT64_C(1000000);
    while (cast_me(user) != 401) {
        if (now_ns() > until_ns)
            return false;
        sleep_ms(50);
    }
    return true;
}

// Logs in, logs out, and goes on with what a thief would have: a copy of the jar. False: this
// took so long that the token may have expired meanwhile.
static bool leave(struct visit *v)
{
    char seconds[12];
    const char *options[] = {"--auth", v->auth, "--token-s", seconds, NULL};
    const char *content = NULL;
    snprintf(seconds, sizeof seconds, "%d", v->token_s);
    v->server = cast_start(options);
    v->user = cast_user_of(&v->server);
    time_t began_s = time(NULL);
    cast_log_in(&v->user);
    struct jar kept = v->user.jar;
    v->before = cast_me(&v->user);
    if (*kept.refresh)
        content = refresh_content(kept.refresh);
    agent_ask(&v->user, "POST", "/logout", content);
    v->user.jar = kept;
    v->user.keeps_nothing = true;
    v->after = cast_me(&v->user);
    v->refresh = agent_ask(&v->user, "POST", "/token", refresh_content(kept.refresh));
    return time(NULL) < began_s + v->token_s;
}

static void end_visit(struct visit *v)
{
    agent_close(&v->user);
    cast_stop(&v->server);
}

static void begin_visit(struct visit *v, const char *auth)
{
    *v = (struct visit){.auth = auth, .token_s = TOKEN_S};
    while (!leave(v)) {
        end_visit(v);
        v->token_s *= 2;
    }
}

static void wait_for_the_end(struct visit *v)
{
    v->late = 200;
    if (await_401(&v->user))
        v->late = 401;
    end_visit(v);
}

// A thief has copied a refresh token. The user refreshes; then the thief tries, with the same
// token; then the user, with the next one.
static struct theft {
    int user, thief, user_again, user_me;
} steal(void)
{
    static const char *const options[] = {"--auth", "hybrid", NULL};
    struct server server = cast_start(options);
    struct agent user = cast_user_of(&server), thief = user;
    struct theft t;
    cast_log_in(&user);
    char stolen[100];
    memcpy(stolen, user.jar.refresh, sizeof stolen);
    t.user = agent_ask(&user, "POST", "/token", refresh_content(user.jar.refresh));
    t.thief = agent_ask(&thief, "POST", "/token", refresh_content(stolen));
    t.user_again = agent_ask(&user, "POST", "/token", refresh_content(user.jar.refresh));
    t.user_me = cast_me(&user);
    agent_close(&user);
    agent_close(&thief);
    cast_stop(&server);
    return t;
}

void scene_logout(void)
{
    static struct visit session, jwt, hybrid;
    begin_visit(&session, "session");
    begin_visit(&jwt, "jwt");
    begin_visit(&hybrid, "hybrid");
    session.late = cast_me(&session.user);
    end_visit(&session);
    wait_for_the_end(&jwt);
    wait_for_the_end(&hybrid);
    story_head("alice logs out|session|token|hybrid");
    story_row("GET /me, logged in|%d|%d|%d", session.before, jwt.before, hybrid.before);
    story_row("GET /me, logged out|%d|%d|%d", session.after, jwt.after, hybrid.after);
    story_row("GET /me, seconds later|%d|%d|%d", session.late, jwt.late, hybrid.late);
    story_row("a new token?|-|-|%d", hybrid.refresh);
    struct theft theft = steal();
    story_head("a refresh token is stolen|POST /token");
    story_row("the user, with this token|%d", theft.user);
    story_row("the thief, with the same token|%d: used twice, the family is revoked",
              theft.thief);
    story_row("the user, with the next one|%d%s", theft.user_again,
              theft.user_again == 400 ? ": she has to log in again" : "");
    claim_report(&at_once, holds_if(session.before == 200 && session.after == 401),
                 "the same cookie: %d before the log-out, %d after it", session.before,
                 session.after);
    claim_report(
        &cannot_revoke, holds_if(jwt.before == 200 && jwt.after == 200 && jwt.late == 401),
        "after the log-out the token is still good: %d; when its %d seconds are over: %d",
        jwt.after, jwt.token_s, jwt.late);
    claim_report(
        &hybrid_claim,
        holds_if(hybrid.after == 200 && hybrid.refresh == 400 && hybrid.late == 401 &&
                 theft.user == 200 && theft.thief == 400 && theft.user_again == 400),
        "after the log-out no new token: %d. That a refresh token is good for one use, "
        "and reuse ends its family, is more than the note says (RFC 9700 §4.14.2)",
        hybrid.refresh);
}
