// token.c: scene token: what stands in it, and who can check it.
#include <stdio.h>
#include <string.h>

#include "base64url.h"
#include "cast.h"
#include "claim.h"
#include "json.h"
#include "scenes.h"
#include "story.h"

static const struct claim is_encoded = {
    "4.32", "guide §12.3", "the payload is only encoded: anyone can read it", HOLDS, NULL};
static const struct claim no_lookup = {
    "4.30", "guide §12.3", "any service with the key can check a token, with no lookup", HOLDS,
    NULL};
static const struct claim needs_a_key = {
    "4.39", "guide §12.3", "all services need the secret key, or the public key", HOLDS, NULL};

// Prints a part of a token, decoded. True if it names alice and her role.
static bool print_part(const char *name, struct http_text part)
{
    uint8_t bytes[JWT_BYTES];
    size_t length;
    struct json object;
    char subject[SUBJECT_BYTES] = "", role[ROLE_BYTES] = "";
    if (!base64url_read(part, bytes, sizeof bytes, &length))
        return false;
    story_say("%s:", name);
    cast_print(part.at, part.length);
    cast_print((char *)bytes, length);
    return json_read((struct http_text){(char *)bytes, length}, &object) &&
           json_member_string(&object, "sub", subject, sizeof subject) &&
           json_member_string(&object, "role", role, sizeof role) && !strcmp(subject, USER) &&
           !strcmp(role, "user");
}

// What a server of the other kind knows, and can.
static struct check {
    int me, log_in; // statuses
    long lookups;
} try_server(const char *const options[], const struct agent *from)
{
    struct server server = cast_start(options);
    struct agent user = cast_user_of(&server);
    struct check check;
    user.jar = from->jar;
    check.me = cast_me(&user);
    check.lookups = cast_figure(&user, "lookups");
    check.log_in = agent_log_in(&user, USER, USER_PASSWORD);
    agent_close(&user);
    cast_stop(&server);
    return check;
}

// HS256: the key set that everybody may have is empty; without the secret there is no check.
static struct check try_hs256(bool with_secret)
{
    char first_keys[CAST_PATH], other_keys[CAST_PATH];
    snprintf(first_keys, sizeof first_keys, "%s", cast_file("first.json"));
    snprintf(other_keys, sizeof other_keys, "%s", cast_file("other.json"));
    const char *other = other_keys;
    if (with_secret)
        other = first_keys;
    const char *first_options[] = {"--auth",       "jwt",      "--alg", "HS256",
                                   "--token-keys", first_keys, NULL};
    const char *other_options[] = {"--auth",       "jwt", "--alg", "HS256",
                                   "--token-keys", other, NULL};
    struct server server = cast_start(first_options);
    struct agent user = cast_user_of(&server);
    cast_log_in(&user);
    struct check check = try_server(other_options, &user);
    agent_close(&user);
    cast_stop(&server);
    return check;
}

void scene_token(void)
{
    static const char *const options[] = {"--auth", "jwt", NULL};
    struct server first = cast_start(options);
    struct agent user = cast_user_of(&first);
    struct http_text parts[3] = {0};
    cast_log_in(&user);
    bool read = jwt_split((struct http_text){user.jar.access, strlen(user.jar.access)}, parts);
    story_say("A token: three parts, each base64url, with a dot between them.");
    story_say("");
    print_part("the header, and decoded", parts[0]);
    read = print_part("the payload, and decoded", parts[1]) && read;
    story_say("the signature:");
    cast_print(parts[2].at, parts[2].length);
    story_say("");
    agent_ask(&user, "GET", "/.well-known/jwks.json", NULL);
    bool is_public = strstr(user.reply.content, "\"d\"") == NULL;
    const char *trust[] = {"--auth", "jwt", "--trust",
                           cast_write_file("public.json", user.reply.content), NULL};
    struct check es256 = try_server(trust, &user);
    struct check with_secret = try_hs256(true), without = try_hs256(false);
    agent_close(&user);
    cast_stop(&first);
    story_head("another server|has|GET /me|lookups|POST /login");
    story_row("ES256|the public key|%d|%ld|%d: no key", es256.me, es256.lookups, es256.log_in);
    story_row("HS256|the secret|%d|%ld|%d: a token", with_secret.me, with_secret.lookups,
              with_secret.log_in);
    story_row("HS256|another secret|%d|%ld|", without.me, without.lookups);
    claim_report(&is_encoded, holds_if(read), "name and role were read here without any key");
    claim_report(&no_lookup,
                 holds_if(es256.me == 200 && es256.lookups == 0 && with_secret.lookups == 0),
                 "another server, which never saw this user: %d, with %ld lookups", es256.me,
                 es256.lookups);
    claim_report(&needs_a_key,
                 holds_if(is_public && es256.me == 200 && es256.log_in == 404 &&
                          with_secret.me == 200 && with_secret.log_in == 200 &&
                          without.me == 401),
                 "ES256: the public key is enough, and makes no tokens; HS256: who has the "
                 "secret can check and make them, who has it not can do neither");
}
