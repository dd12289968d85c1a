// tamper.c: scene tamper: a user writes another role into his token.
#include <string.h>

#include "base64url.h"
#include "cast.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static const struct claim is_rejected = {
    "4.31", "guide §12.3", "with a changed payload the signature does not match", HOLDS, NULL};

static const char from[] = "\"role\":\"user\"", to[] = "\"role\":\"root\"";

// Writes another role of the same length into the payload, and leaves the rest as it is.
static bool change_role(char token[JWT_BYTES], char payload[JWT_BYTES])
{
    struct http_text parts[3];
    uint8_t bytes[JWT_BYTES];
    size_t length;
    if (!jwt_split((struct http_text){token, strlen(token)}, parts) ||
        !base64url_read(parts[1], bytes, sizeof bytes - 1, &length))
        return false;
    bytes[length] = '\0';
    char *role = strstr((char *)bytes, from);
    if (!role)
        return false;
    memcpy(role, to, strlen(to));
    memcpy(payload, bytes, length + 1);
    char text[JWT_BYTES];
    memcpy(token + (parts[1].at - token), text, base64url_write(bytes, length, text));
    return true;
}

void scene_tamper(void)
{
    static const char *const options[] = {"--auth", "jwt", NULL};
    struct server server = cast_start(options);
    struct agent user = cast_user_of(&server);
    char payload[JWT_BYTES] = "", as_signed[JWT_BYTES];
    story_quiet(true);
    cast_log_in(&user);
    memcpy(as_signed, user.jar.access, sizeof as_signed);
    int before = cast_me(&user);
    bool changed = change_role(user.jar.access, payload);
    story_say("alice changes the payload of her token:");
    cast_print(payload, strlen(payload));
    story_say("");
    int after = cast_me(&user);
    char why[400];
    strncpy(why, agent_field(&user, "www-authenticate"), sizeof why - 1);
    why[sizeof why - 1] = '\0';
    memcpy(user.jar.access, as_signed, sizeof as_signed);
    char *letter = &user.jar.access[strlen(as_signed) - 2]; // of the signature
    if (*letter == 'A')
        *letter = 'B';
    else
        *letter = 'A';
    int signature = cast_me(&user);
    agent_close(&user);
    cast_stop(&server);
    story_head("GET /me|");
    story_row("the token as it was signed|%d", before);
    story_row("another role in the payload|%d", after);
    story_row("one character of the signature|%d", signature);
    story_say("");
    story_say("WWW-Authenticate: %s", why);
    claim_report(&is_rejected,
                 holds_if(changed && before == 200 && after == 401 && signature == 401 &&
                          strstr(why, "its signature is wrong")),
                 "%d as it was signed, %d with another role", before, after);
}
