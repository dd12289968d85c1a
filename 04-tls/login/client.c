// client.c: a user's program: it logs in, and then says with each request who it is. What the
// server gave it, a cookie or tokens, it keeps in a file: its cookie jar.
//
// Run:    ./client                     a whole visit, from log-in to log-out
//         ./client login alice         then me, admin, logout; refresh (--auth hybrid)
//         ./client --token             what stands in the token
// Watch:  what the client sends to say who it is, and that the server no longer believes it
//         after the log-out (a session), or still does (a token).
//
// Read visit() first.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "base64url.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "passwords.h"
#include "text.h"

static struct agent agent = {.host = "127.0.0.1", .port = 8204};
static const char *jar_path;
static bool show_token;

// Prints what was asked, what said who asks, and the answer.
static int send_request(const char *method, const char *path, const char *content)
{
    char bytes[JWT_BYTES + 600];
    struct http_out out = {bytes, sizeof bytes - 1, 0, false};
    jar_write_fields(&agent.jar, true, INT64_MAX - 1, &out);
    bytes[out.length] = '\0';
    int status = agent_ask(&agent, method, path, content);
    printf("%s %s\n", method, path);
    if (*agent.jar.access && out.length > 60)
        printf("  Authorization: Bearer ... (%zu bytes)\n", strlen(agent.jar.access));
    else if (out.length)
        printf("  %s", bytes);
    printf("    %d ", status);
    if (agent.reply.length && strcmp(path, "/token") != 0)
        output_bytes(agent.reply.content, strlen(agent.reply.content));
    else
        printf("(%llu bytes)\n", (unsigned long long)agent.reply.length);
    return status;
}

// Reads a password; on a terminal nobody sees it.
static void read_password(const char *user, char password[PASSWORD_BYTES])
{
    struct termios before, silent;
    bool terminal = !tcgetattr(STDIN_FILENO, &before);
    if (terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        fprintf(stderr, "password of %s: ", user);
    }
    bool got = fgets(password, PASSWORD_BYTES, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fprintf(stderr, "\n");
    }
    if (!got)
        die("no password");
    password[strcspn(password, "\n")] = '\0';
}

static void empty_jar(void)
{
    memset(&agent.jar.cookies, 0, sizeof agent.jar.cookies);
    agent.jar.access[0] = agent.jar.refresh[0] = '\0';
}

static int log_in(const char *user, const char *password)
{
    empty_jar();
    int status = agent_log_in(&agent, user, password);
    char cookie[600];
    snprintf(cookie, sizeof cookie, "Set-Cookie: %s", agent_field(&agent, "set-cookie"));
    printf("POST /login as %s\n    ", user);
    int column = 4 + printf("%d ", status);
    if (status != 200)
        output_bytes(agent.reply.content, strlen(agent.reply.content));
    else if (*agent.jar.access)
        printf("a token of %zu bytes\n", strlen(agent.jar.access));
    else
        fold(cookie, column, 8);
    return status;
}

static const char *refresh_content(void)
{
    static char content[200];
    snprintf(content, sizeof content, "{\"refresh_token\":\"%s\"}", agent.jar.refresh);
    return content;
}

static int log_out(void)
{
    const char *content = NULL;
    if (*agent.jar.refresh)
        content = refresh_content();
    return send_request("POST", "/logout", content);
}

// The three parts of the token in the jar, the first two decoded: for that no key is needed.
static void print_token(void)
{
    struct http_text parts[3], token = {agent.jar.access, strlen(agent.jar.access)};
    char text[JWT_BYTES + 1];
    size_t length;
    if (!jwt_split(token, parts))
        die("there is no token: ./server --auth jwt, and ./client login alice");
    for (int i = 0; i < 2; i++) {
        if (!base64url_read(parts[i], (uint8_t *)text, JWT_BYTES, &length))
            die("the token is malformed");
        text[length] = '\0';
        make_printable(text);
        fold(text, 0, 2);
    }
    snprintf(text, sizeof text, "%.*s", (int)parts[2].length, parts[2].at);
    fold(text, 0, 2);
}

// The same four requests, and nobody says who sends them but a cookie or a token.
static void visit(void)
{
    empty_jar();
    send_request("GET", "/me", NULL);
    log_in(USER, USER_PASSWORD);
    send_request("GET", "/me", NULL);
    // A browser forgets its cookie when it logs out. A thief would not, nor does this client.
    struct jar kept = agent.jar;
    log_out();
    agent.jar = kept;
    send_request("GET", "/me", NULL);
}

static int run(char *const *arguments)
{
    char password[PASSWORD_BYTES];
    const char *what = arguments[0];
    if (show_token)
        return print_token(), 200;
    if (!what)
        return visit(), 200;
    if (!strcmp(what, "login") && arguments[1]) {
        read_password(arguments[1], password);
        return log_in(arguments[1], password);
    }
    if (!strcmp(what, "me"))
        return send_request("GET", "/me", NULL);
    if (!strcmp(what, "admin"))
        return send_request("GET", "/admin", NULL);
    if (!strcmp(what, "refresh"))
        return send_request("POST", "/token", refresh_content());
    if (strcmp(what, "logout") != 0)
        options_reject("there is login USER, me, admin, refresh, logout, not '%s'", what);
    int status = log_out();
    agent.jar.access[0] = agent.jar.refresh[0] = '\0';
    return status;
}

int main(int argc, char **argv)
{
    static const char *keys;
    static char path[CERTIFICATE_PATH];
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &agent.host, .help = "address of the server"},
        {"port", OPTION_INT, &agent.port, 1, 65535, "its port"},
        {"jar", OPTION_TEXT, &jar_path, .help = "FILE of the cookies and tokens"},
        {"token", OPTION_FLAG, &show_token, .help = "show what stands in the token"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    snprintf(path, sizeof path, "%s", certificate_folder("build/jar"));
    jar_path = path;
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    int first = options_parse(
        argc, argv,
        &(struct command){"[login USER | me | admin | refresh | logout]",
                          "A user: alice (white rabbit), or bob (green caterpillar), an admin.",
                          options});
    output_begin();
    text_begin();
    ask_keys(keys);
    jar_load(&agent.jar, jar_path, agent.host);
    int status = run(argv + first);
    jar_save(&agent.jar, jar_path);
    agent_close(&agent);
    output_flush();
    return status >= 400;
}
