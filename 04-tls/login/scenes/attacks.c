// attacks.c: scene attacks: forged tokens, sent to the server, and shown to a verifier that
// believes what it reads (naive.c).
#include <stdio.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "forgeries.h"
#include "naive.h"
#include "scenes.h"
#include "story.h"

static const struct claim rejected = {
    "4.51", "guide §12.3", "the server rejects a token that somebody has changed", HOLDS, NULL};
static const struct claim cannot_modify = {
    "4.52", "guide §12.3", "nobody can modify it without invalidating the signature", NOT_HERE,
    "not where the token says how it is checked: \"none\", the public key as a secret, a key "
    "that comes along (RFC 8725 §2.1, §2.5)"};

// "taken", or the server's reason, out of WWW-Authenticate.
static const char *reason(const struct agent *user, int status)
{
    static char text[200];
    const char *field = agent_field(user, "www-authenticate");
    const char *description = strstr(field, "error_description=\"");
    if (status == 200)
        return "TAKEN";
    if (!description)
        return field;
    description += strlen("error_description=\"");
    snprintf(text, sizeof text, "%d: %.*s", status, (int)strcspn(description, "\""),
             description);
    return text;
}

void scene_attacks(void)
{
    char path[CAST_PATH], public_set[ANSWER_KEPT + 1];
    const char *token;
    const struct forgery *forgery;
    static const char *const options[] = {"--auth", "jwt", NULL};
    struct server server = cast_start(options);
    struct agent attacker = cast_user_of(&server);
    int refused = 0, unsigned_taken = 0, count = 0;
    bool as_expected = true;
    story_quiet(true);
    agent_ask(&attacker, "GET", "/.well-known/jwks.json", NULL);
    snprintf(public_set, sizeof public_set, "%s", attacker.reply.content);
    keys_path(ask_folder(), ES256, path, sizeof path);
    forgeries_begin(path, cast_file("his.json"), public_set);
    story_head("a token for bob, the admin|naive|GET /admin");
    for (; (forgery = forgery_make(count, &token)); count++) {
        struct http_text text = {token, strlen(token)};
        bool taken = naive_verify(text, forgeries_keys(), public_set);
        memcpy(attacker.jar.access, token, text.length + 1);
        int status = agent_ask(&attacker, "GET", "/admin", NULL);
        const char *says = reason(&attacker, status), *naive = "refused";
        if (taken)
            naive = "TAKEN";
        story_row("%s|%s|%s", forgery->name, naive, says);
        as_expected = as_expected && taken == forgery->naive_takes;
        if (!forgery->why)
            as_expected = as_expected && status == 200;
        else
            refused += status == 401 && strstr(says, forgery->why);
        if (count >= 1 && count <= 3) // no key of the server has signed these
            unsigned_taken += taken;
    }
    agent_close(&attacker);
    cast_stop(&server);
    forgeries_end();
    claim_report(&rejected, holds_if(as_expected && refused == count - 1),
                 "%d of %d, each for its own reason", refused, count - 1);
    enum verdict modified = HOLDS;
    if (unsigned_taken)
        modified = NOT_HERE;
    claim_report(&cannot_modify, modified,
                 "a naive verifier of 20 lines takes %d tokens that no key of the server has "
                 "signed",
                 unsigned_taken);
}
