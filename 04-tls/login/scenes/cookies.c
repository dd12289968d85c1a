// cookies.c: scene cookies: what the attributes of a cookie do, as far as our own programs can
// show it. What a browser makes of them is in test/browser.js.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cast.h"
#include "claim.h"
#include "cookie.h"
#include "scenes.h"
#include "story.h"

static const struct claim csrf = {"4.57", "guide §12.5",
                                  "cross-site requests (CSRF) are prevented", HOLDS, NULL};

static const struct {
    const char *name, *fields;
    int status; // of POST /logout with the user's cookie
} requests[] = {
    {"of another site", "Origin: https://evil.test\r\n", 403},
    {"of another port of this host", "Origin: https://" WORKBENCH ":1\r\n", 403},
    {"of a page from http://", "Origin: http://" WORKBENCH "\r\n", 403},
    {"of a sandboxed frame", "Origin: null\r\n", 403},
    {"another site, old browser", "Sec-Fetch-Site: cross-site\r\n", 403},
    {"of a program, no browser", NULL, 204},
};

#define REQUESTS (int)(sizeof requests / sizeof *requests)

static const char *const set[] = {
    COOKIE_NAME "=x; Path=/; Secure; HttpOnly", COOKIE_NAME "=x; Path=/; HttpOnly",
    COOKIE_NAME "=x; Path=/; Secure; Domain=workbench.test", COOKIE_NAME "=x; Secure"};

// Which cookies of that name does a client take? And to whom does it give them?
static void show_jar(void)
{
    story_say("What this client does with Set-Cookie:");
    for (int i = 0; i < 4; i++) {
        struct jar jar = {0};
        struct http_text field = {set[i], strlen(set[i])};
        const char *why = jar_set_cookie(&jar, field, true, time(NULL));
        const char *verdict = "taken";
        if (why)
            verdict = "refused";
        story_say("  %-58s %s", set[i], verdict);
    }
}

void scene_cookies(void)
{
    int right = 0;
    struct agent user = cast_user();
    story_quiet(true);
    cast_log_in(&user);
    story_say("Set-Cookie: %s", agent_field(&user, "set-cookie"));
    story_say("");
    show_jar();
    story_head("POST /logout, with the cookie|");
    for (int i = 0; i < REQUESTS; i++) {
        user.fields = requests[i].fields;
        int status = agent_ask(&user, "POST", "/logout", NULL);
        user.fields = NULL;
        story_row("%s|%d", requests[i].name, status);
        right += status == requests[i].status;
        if (status == 403)
            right += cast_me(&user) == 200;
    }
    agent_close(&user);
    claim_report(&csrf, holds_if(right == 2 * REQUESTS - 1),
                 "%d requests of foreign pages, with the cookie: all refused, the session goes "
                 "on. SameSite keeps the cookie back already: see 4.36, in Chromium",
                 REQUESTS - 1);
}
