// stolen.c: scene stolen: an id is read on its way, a secret gets into the wrong hands.
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cast.h"
#include "claim.h"
#include "forge.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

static const struct claim exposed = {
    "4.58", "guide §12.5", "over plain HTTP session ids and tokens can be intercepted", HOLDS,
    NULL};
static const struct claim forged = {
    "4.59", "guide §12.5", "with a stolen secret an attacker forges valid tokens", HOLDS, NULL};

// Asks over TLS. True if the id stands in the bytes that left the client.
static bool is_read_over_tls(struct agent *user)
{
    const struct recording *bytes = &user->up->recording;
    const char *id = user->jar.cookies[0].value;
    size_t from = bytes->length[true];
    if (cast_me(user) != 200)
        die("alice is not known");
    return memmem(bytes->bytes[true] + from, bytes->length[true] - from, id, strlen(id));
}

// The user follows a link to http://. A machine on the way takes the connection, and reads. The
// cookie is Secure, or it is not. True if the machine has read the id.
static bool is_read_in_plain(const struct agent *user, bool secure)
{
    char request[600], read_by_thief[600];
    struct http_out out = {request, sizeof request, 0, false};
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    struct jar jar = user->jar;
    const char *id = jar.cookies[0].value;
    jar.cookies[0].secure = secure;
    http_put_text(&out, "GET /me HTTP/1.1\r\nHost: " WORKBENCH "\r\n");
    jar_write_fields(&jar, false, time(NULL), &out);
    http_put_text(&out, "\r\n");
    int machine = net_listen("127.0.0.1", 0, 1);
    if (getsockname(machine, (struct sockaddr *)&address, &length))
        die("the machine on the way has no address");
    int client = net_connect_or_die("127.0.0.1", ntohs(address.sin_port));
    int fd = accept(machine, NULL, NULL);
    if (fd < 0 || out.overflow || !write_all(client, request, out.length))
        die("cannot send a request in plain text");
    if (!read_exactly(fd, read_by_thief, out.length))
        die("the machine on the way gets nothing");
    close(fd);
    close(client);
    close(machine);
    return memmem(read_by_thief, out.length, id, strlen(id));
}

// The attacker makes a token for bob, the admin, with the secret that he has stolen.
static int forge_admin(const struct server *server, const struct keys *stolen)
{
    struct agent attacker = cast_user_of(server);
    struct claims claims = {ADMIN, "admin", time(NULL), time(NULL) + 3600};
    struct jwt_rules rules = {stolen, JWT_ISSUER, "workbench"};
    jwt_sign(&rules, &claims, attacker.jar.access);
    int status = agent_ask(&attacker, "GET", "/admin", NULL);
    agent_close(&attacker);
    return status;
}

void scene_stolen(void)
{
    struct agent user = cast_user();
    char file[CAST_PATH];
    snprintf(file, sizeof file, "%s", cast_file("stolen.json"));
    const char *options[] = {"--auth",       "jwt", "--alg", "HS256",
                             "--token-keys", file,  NULL,    NULL};
    story_quiet(true);
    cast_log_in(&user);
    bool over_tls = is_read_over_tls(&user), in_plain = is_read_in_plain(&user, false),
         with_secure = is_read_in_plain(&user, true);
    struct agent thief = cast_user();
    thief.jar = user.jar;
    int taken = cast_me(&thief);
    agent_close(&user);
    agent_close(&thief);
    struct server server = cast_start(options);
    struct keys stolen;
    keys_open(&stolen, HS256, file, false);
    int admin = forge_admin(&server, &stolen);
    cast_stop(&server);
    options[6] = "--new-key";
    server = cast_start(options); // the old key still checks
    int rotated = forge_admin(&server, &stolen);
    cast_stop(&server);
    unlink(file);
    options[6] = NULL;
    server = cast_start(options);
    int removed = forge_admin(&server, &stolen);
    cast_stop(&server);
    keys_free(&stolen);
    story_head("the id of alice's session|");
    story_row("is read on the way, https|%s", cast_yes(over_tls));
    story_row("is read on the way, http|%s", cast_yes(in_plain));
    story_row("http, and the cookie is Secure|%s", cast_yes(with_secure));
    story_row("the thief asks with it: GET /me|%d", taken);
    story_head("the secret of HS256|a forged token");
    story_row("is stolen|%d", admin);
    story_row("--new-key: the old still checks|%d", rotated);
    story_row("the old key is gone|%d", removed);
    claim_report(&exposed, holds_if(in_plain && !over_tls && !with_secure && taken == 200),
                 "http: %s; http, where the cookie is Secure, and so not sent: %s; https: %s. "
                 "Who has the id is alice: %d",
                 cast_yes(in_plain), cast_yes(with_secure), cast_yes(over_tls), taken);
    claim_report(&forged, holds_if(admin == 200 && rotated == 200 && removed == 401),
                 "%d as an admin. A new key alone does not help: %d; the stolen one has to go: "
                 "%d",
                 admin, rotated, removed);
}
