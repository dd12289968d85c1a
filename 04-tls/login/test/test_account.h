// test_account.h: tests of the server: what it answers, and what it does not.
#ifndef TEST_ACCOUNT_H
#define TEST_ACCOUNT_H

#include "agent.h"
#include "measure.h"
#include "passwords.h"
#include "probe.h"
#include "smaller.h"
#include "test_parts.h"

#define JSON       "Content-Type: application/json\r\n"
#define GOOD_LOGIN "{\"user\":\"" USER "\",\"password\":\"" USER_PASSWORD "\"}"
#define BAD_LOGIN  "{\"user\":\"%s\",\"password\":\"x\"}"

// Starts a server whose passwords cost nothing; options may say otherwise.
static int start_server(pid_t *pid, const char *options)
{
    char command[400];
    snprintf(command, sizeof command, "./server --quiet --port 0 --scrypt-n 2 %s", options);
    ask_keys(PROBE_KEYS);
    return test_start(pid, command);
}

static struct agent user_of(int port)
{
    return (struct agent){.host = "127.0.0.1", .port = port};
}

// A request as text, valid until the next call.
static const char *request_of(const char *line, const char *fields, const char *content)
{
    static char text[8000];
    char length[60] = "";
    if (*content)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(content));
    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: " NAME "\r\n%s%s\r\n%s", line, fields,
             length, content);
    return text;
}

static long figure(int port, const char *name)
{
    struct agent user = user_of(port);
    struct json object;
    int64_t number = -1;
    agent_ask(&user, "GET", "/stats", NULL);
    CHECK(json_read(text_of(user.reply.content), &object));
    CHECK(json_member_integer(&object, name, &number));
    agent_close(&user);
    return (long)number;
}

static const char *refresh_of(const char *token)
{
    static char text[300];
    snprintf(text, sizeof text, "{\"refresh_token\":\"%s\"}", token);
    return text;
}

TEST(each_request_has_its_answer)
{
    static const struct {
        const char *line, *fields, *content;
        int status;
        const char *has;
    } cases[] = {
        {"GET /", "", "", 200, "text/html"},
        {"HEAD /stats", "", "", 200, "application/json"},
        {"GET /nothing", "", "", 404, ""},
        {"GET /me", "", "", 401, "WWW-Authenticate: Cookie realm="},
        {"GET /admin", "", "", 401, "WWW-Authenticate: "},
        {"GET /me", "Cookie: __Host-session=AAAAAAAAAAAAAAAAAAAAAA\r\n", "", 401, ""},
        {"GET /me", "Authorization: Bearer x\r\n", "", 401, "Cookie realm="},
        {"POST /me", "", "", 405, "Allow: GET"},
        {"DELETE /login", "", "", 405, "Allow: POST"},
        {"GET /login", "", "", 405, "Allow: POST"},
        {"POST /login", JSON, GOOD_LOGIN, 200, "Set-Cookie: __Host-session="},
        {"POST /login", JSON, GOOD_LOGIN, 200, "Cache-Control: no-store"},
        {"POST /login", "content-type: Application/JSON ; charset=utf-8\r\n", GOOD_LOGIN, 200,
         "; Path=/; Secure; HttpOnly; SameSite=Lax"},
        {"POST /login", "", GOOD_LOGIN, 415, ""},
        {"POST /login", "Content-Type: text/plain\r\n", GOOD_LOGIN, 415, ""},
        {"POST /login", "Content-Type: application/x-www-form-urlencoded\r\n", "user=alice",
         415, ""},
        {"POST /login", JSON JSON, GOOD_LOGIN, 415, ""},
        {"POST /login", JSON "Origin: https://evil.test\r\n", GOOD_LOGIN, 403, ""},
        {"POST /login", JSON "Sec-Fetch-Site: same-site\r\n", GOOD_LOGIN, 403, ""},
        {"POST /login", JSON "Origin: https://" NAME "\r\n", GOOD_LOGIN, 200, ""},
        {"POST /login", JSON, "", 400, ""},
        {"POST /login", JSON, "{}", 400, ""},
        {"POST /login", JSON, "[]", 400, ""},
        {"POST /login", JSON, "{\"user\":\"alice\"}", 400, ""},
        {"POST /login", JSON, "{\"user\":\"alice\",\"password\":7}", 400, ""},
        {"POST /login", JSON, "{\"user\":\"Robert'); DROP\",\"password\":\"x\"}", 400, ""},
        {"POST /login", JSON, "{\"user\":\"bob\",\"user\":\"alice\",\"password\":\"x\"}", 400,
         ""},
        {"POST /login", JSON, "{\"user\":\"alice\",\"password\":\"White rabbit\"}", 401,
         "WWW-Authenticate: "},
        {"POST /login", JSON, "{\"user\":\"nobody\",\"password\":\"White rabbit\"}", 401,
         "WWW-Authenticate: "},
        {"POST /login", JSON, "{\"user\":\"alice\",\"password\":\"\\u0077hite rabbit\"}", 200,
         ""},
        {"POST /token", JSON, "{\"refresh_token\":\"x\"}", 404, ""}, // not with --auth session
        {"POST /logout", "", "", 204, "Set-Cookie: __Host-session=; Max-Age=0"},
        {"POST /logout", "Origin: null\r\n", "", 403, ""},
        {"GET /.well-known/jwks.json", "", "", 200, "application/jwk-set+json"}};
    pid_t pid;
    int port = start_server(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = request_of(cases[i].line, cases[i].fields, cases[i].content);
        char closing[8100];
        // HEAD has no content, whatever its length: the probe reads to the end.
        snprintf(closing, sizeof closing, "%s", text);
        SSL *ssl = probe_open(port, &(struct probe){0});
        if (!strncmp(text, "HEAD", 4)) {
            CHECK(probe_write(ssl, closing, strlen(closing)));
            size_t got;
            CHECK(SSL_read_ex(ssl, probe_answer, ANSWER_MAX, &got));
            probe_answer[got] = '\0';
        } else {
            int status = probe_ask(ssl, closing);
            CHECK(status == cases[i].status || FAIL("case %zu: %d", i, status));
        }
        CHECK_HAS(probe_answer, cases[i].has);
        probe_close(ssl);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(large_and_malformed_requests)
{
    pid_t pid;
    char content[5000];
    int port = start_server(&pid, "");
    memset(content, 'x', sizeof content - 1);
    content[sizeof content - 1] = '\0';
    CHECK_INT(probe_once(port, &(struct probe){0}, request_of("POST /login", JSON, content)),
              413);
    CHECK_INT(probe_once(port, &(struct probe){0}, "nonsense\r\n\r\n"), 400);
    CHECK_INT(probe_once(port, &(struct probe){0}, "GET /me HTTP/1.1\r\n\r\n"), 400);
    CHECK_INT(
        probe_once(port, &(struct probe){0},
                   "POST /login HTTP/1.1\r\nHost: a\r\n" JSON
                   "Transfer-Encoding: chunked\r\n\r\n"
                   "a\r\n{\"user\":\"a\r\n25\r\nlice\",\"password\":\"white rabbit\"}     \r\n"
                   "0\r\n\r\n"),
        200);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// A log-in waits for a thread; what comes behind it on the connection waits as well, and is
// answered in its order.
TEST(pipelined_requests)
{
    pid_t pid;
    char text[3000] = "";
    int port = start_server(&pid, "--scrypt-n 1024");
    for (int i = 0; i < 3; i++) {
        strcat(text, request_of("POST /login", JSON, GOOD_LOGIN));
        strcat(text, request_of("GET /me", "", ""));
    }
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, text, strlen(text)));
    for (int i = 0; i < 6; i++) {
        int expected = 200;
        if (i % 2)
            expected = 401;
        CHECK_INT(probe_read(ssl), expected);
    }
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// A request that has begun has ten seconds, and a byte now and then buys no more.
TEST(a_request_that_does_not_end_gets_408)
{
    static const char begun[] = "GET /me HTTP/1.1\r\nX: ";
    pid_t pid;
    int port = start_server(&pid, "--scrypt-n 1024");
    SSL *ssl = probe_open(port, &(struct probe){.version = TLS1_2_VERSION}); // no later tickets
    int64_t start_ns = now_ns();
    struct pollfd answered = {SSL_get_fd(ssl), POLLIN, 0};
    CHECK(probe_write(ssl, begun, strlen(begun)));
    while (poll(&answered, 1, 500) == 0)
        CHECK(probe_write(ssl, "x", 1));
    double took_ms = (double)(now_ns() - start_ns) / 1e6;
    CHECK_INT(probe_read(ssl), 408);
    CHECK_BETWEEN(took_ms, 9900, 19000); // a machine with other work takes longer
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// ---- passwords -----------------------------------------------------------------------------

// While the server computes the hashes of its users it has not begun: a signal ends it at once.
TEST(a_signal_while_the_hashes_are_computed)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("./server", "./server", "--quiet", "--port", "0", "--scrypt-n", "262144", NULL);
        _exit(127);
    }
    while (memory_kb(pid, "VmHWM") < 128 << 10) // of the 256 MB that scrypt fills
        sleep_ms(5);
    CHECK_INT(test_stop(pid), 128 + SIGTERM);
}

// The same work for a user who does not exist; none for what is no log-in, or one too many.
TEST(unknown_users_cost_the_same_work)
{
    pid_t pid;
    char content[100];
    int port = start_server(&pid, "");
    struct agent user = user_of(port);
    CHECK_INT(figure(port, "scrypts"), 0);
    CHECK_INT(agent_log_in(&user, "alice", "wrong"), 401);
    CHECK_INT(figure(port, "scrypts"), 1);
    CHECK_INT(agent_log_in(&user, "mallory", "wrong"), 401);
    CHECK_INT(figure(port, "scrypts"), 2);
    CHECK_INT(agent_ask(&user, "POST", "/login", "{\"user\":1}"), 400);
    CHECK_INT(figure(port, "scrypts"), 2);
    snprintf(content, sizeof content, BAD_LOGIN, "mallory");
    for (int i = 1; i < ATTEMPTS_MAX; i++)
        CHECK_INT(agent_ask(&user, "POST", "/login", content), 401);
    CHECK_INT(agent_ask(&user, "POST", "/login", content), 429);
    CHECK(atoi(agent_field(&user, "retry-after")) > 0);
    CHECK_INT(figure(port, "scrypts"), 1 + ATTEMPTS_MAX);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200); // another user is not locked out
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
}

// Many attempts at the same time are not more than one after the other.
TEST(attempts_at_the_same_time)
{
    enum { CLIENTS = 40 };
    pid_t pid;
    char content[100];
    int port = start_server(&pid, ""), tried = 0, refused = 0;
    SSL *all[CLIENTS];
    snprintf(content, sizeof content, BAD_LOGIN, "alice");
    for (int i = 0; i < CLIENTS; i++)
        all[i] = probe_open(port, &(struct probe){0});
    const char *text = request_of("POST /login", JSON, content);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(probe_write(all[i], text, strlen(text)));
    for (int i = 0; i < CLIENTS; i++) {
        int status = probe_read(all[i]);
        tried += status == 401;
        refused += status == 429;
        probe_close(all[i]);
    }
    CHECK_INT(tried, ATTEMPTS_MAX);
    CHECK_INT(refused, CLIENTS - ATTEMPTS_MAX);
    CHECK_INT(test_stop(pid), 0);
}

static double time_of(struct agent *user, const char *path)
{
    int64_t began_ns = now_ns();
    agent_ask(user, "GET", path, NULL);
    return ms_since(began_ns);
}

// A thousand log-ins at once: a part of them is checked, the others are told to come again;
// and GET /me is answered meanwhile, in much less time than a password takes.
TEST(many_log_ins_leave_others_quick)
{
    enum { CLIENTS_MAX = 1000, ASKED = 15, OPEN_MS = 6000 };
    static SSL *all[CLIENTS_MAX];
    pid_t pid;
    char content[100];
    double ms[ASKED];
    int checked = 0, busy = 0, port = start_server(&pid, "--scrypt-n 4096");
    int clients = 0;
    if (raise_file_limit(CLIENTS_MAX + 100) < CLIENTS_MAX + 100)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    struct agent user = user_of(port);
    int64_t began_ns = now_ns();
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    double alone_ms = ms_since(began_ns) / 2;
    // On a busy machine fewer: the server waits only so long for the request of the first.
    for (began_ns = now_ns(); clients < CLIENTS_MAX && ms_since(began_ns) < OPEN_MS; clients++)
        all[clients] = probe_open(port, &(struct probe){0});
    CHECK_AT_LEAST(clients, 20);
    for (int i = 0; i < clients; i++) {
        snprintf(content, sizeof content, "{\"user\":\"user%d\",\"password\":\"x\"}", i);
        const char *text = request_of("POST /login", JSON, content);
        CHECK(all[i] && probe_write(all[i], text, strlen(text)));
    }
    for (int i = 0; i < ASKED; i++)
        ms[i] = time_of(&user, "/me");
    CHECK_INT(user.reply.status, 200);
    long still = figure(port, "scrypts");
    for (int i = 0; i < clients; i++) {
        int status = probe_read(all[i]);
        checked += status == 401;
        busy += status == 503;
        probe_close(all[i]);
    }
    CHECK_INT(checked + busy, clients);
    CHECK_AT_LEAST(checked, smaller((size_t)clients, 64)); // so many may wait for a thread
    CHECK_INT(figure(port, "scrypts"), checked + 2);
    CHECK(still < checked + 2); // GET /me came while passwords were being checked
    CHECK_AT_MOST(median_of(ms, ASKED), alone_ms / 2);
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
}

// Clients that leave while a thread is at their password; a server that is stopped meanwhile.
TEST(clients_that_do_not_wait)
{
    pid_t pid;
    int port = start_server(&pid, "--scrypt-n 1024");
    const struct linger reset = {1, 0};
    const char *text;
    for (int i = 0; i < 20; i++) {
        char content[100];
        snprintf(content, sizeof content, "{\"user\":\"user%d\",\"password\":\"x\"}", i);
        text = request_of("POST /login", JSON, content);
        SSL *ssl = probe_open(port, &(struct probe){0});
        CHECK(probe_write(ssl, text, strlen(text)));
        if (i % 2)
            setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
    }
    CHECK(exchange(port));
    text = request_of("POST /login", JSON, GOOD_LOGIN);
    SSL *ssl = probe_open(port, &(struct probe){0});
    CHECK(probe_write(ssl, text, strlen(text)));
    CHECK(exchange(port)); // by now the server has read it
    kill(pid, SIGTERM);
    CHECK_INT(probe_read(ssl), 200); // it is still answered
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// A client that closes its half behind its request gets its answer.
TEST(half_closed_clients)
{
    pid_t pid;
    int port = start_server(&pid, "--scrypt-n 1024");
    SSL *ssl = probe_open(port, &(struct probe){0});
    const char *text = request_of("POST /login", JSON, GOOD_LOGIN);
    CHECK(probe_write(ssl, text, strlen(text)));
    SSL_shutdown(ssl);
    shutdown(SSL_get_fd(ssl), SHUT_WR);
    CHECK_INT(probe_read(ssl), 200);
    probe_close(ssl);
    CHECK_INT(test_stop(pid), 0);
}

// ---- sessions and tokens -------------------------------------------------------------------

TEST(a_session_from_log_in_to_log_out)
{
    pid_t pid;
    int port = start_server(&pid, "");
    struct agent user = user_of(port), admin = user_of(port);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    CHECK_INT(agent_log_in(&admin, ADMIN, ADMIN_PASSWORD), 200);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
    CHECK_TEXT(user.reply.content, "{\"user\":\"alice\",\"role\":\"user\"}\n");
    CHECK_INT(agent_ask(&user, "GET", "/admin", NULL), 403);
    CHECK_INT(agent_ask(&admin, "GET", "/admin", NULL), 200);
    CHECK_INT(figure(port, "sessions"), 2);
    struct jar kept = user.jar;
    CHECK_INT(agent_ask(&user, "POST", "/logout", NULL), 204);
    CHECK_TEXT(user.jar.cookies[0].name, "");
    user.jar = kept;
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 401);
    CHECK_INT(agent_ask(&admin, "GET", "/me", NULL), 200);
    CHECK_INT(figure(port, "sessions"), 1);
    agent_close(&user);
    agent_close(&admin);
    CHECK_INT(test_stop(pid), 0);
}

// --idle-s counts from the last use, --absolute-s from the log-in.
TEST(a_session_that_ends)
{
    static const struct {
        const char *options;
        int status;
    } cases[] = {{"--idle-s 1", 401}, {"--absolute-s 1", 401}, {"--idle-s 1000", 200}};
    pid_t pids[3];
    struct agent users[3];
    for (int i = 0; i < 3; i++) {
        users[i] = user_of(start_server(&pids[i], cases[i].options));
        CHECK_INT(agent_log_in(&users[i], USER, USER_PASSWORD), 200);
    }
    sleep_ms(1500);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(agent_ask(&users[i], "GET", "/me", NULL), cases[i].status);
        agent_close(&users[i]);
        CHECK_INT(test_stop(pids[i]), 0);
    }
}

// A refresh token is good for --refresh-s, and an access token for those of --audience.
TEST(tokens_that_end_and_tokens_of_others)
{
    char path[40] = "/tmp/tokens.XXXXXX", options[200];
    pid_t pid;
    struct agent user = user_of(start_server(&pid, "--auth hybrid --refresh-s 1"));
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    sleep_ms(1500);
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of(user.jar.refresh)), 400);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200); // this one is good for longer
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
    close(mkstemp(path));
    unlink(path);
    snprintf(options, sizeof options, "--auth jwt --token-keys %s", path);
    user.port = start_server(&pid, options);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
    strcat(options, " --audience others"); // the same keys
    user.port = start_server(&pid, options);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 401);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
    unlink(path);
    strcat(path, ".lock");
    unlink(path);
}

// A key that signs no longer still checks; its tokens and those of the new key have other kids.
TEST(keys_rotate)
{
    char path[40] = "/tmp/tokens.XXXXXX", options[200];
    pid_t pid;
    close(mkstemp(path));
    unlink(path);
    snprintf(options, sizeof options, "--auth jwt --token-keys %s", path);
    int port = start_server(&pid, options);
    struct agent user = user_of(port);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
    strcat(options, " --new-key");
    user.port = start_server(&pid, options);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
    struct agent other = user_of(user.port);
    CHECK_INT(agent_log_in(&other, USER, USER_PASSWORD), 200);
    CHECK(strncmp(user.jar.access, other.jar.access, 90) != 0);
    CHECK_INT(agent_ask(&other, "GET", "/.well-known/jwks.json", NULL), 200);
    const char *first = strstr(other.reply.content, "\"kid\"");
    CHECK(first && strstr(first + 1, "\"kid\""));
    CHECK(!strstr(other.reply.content, "\"d\""));
    agent_close(&user);
    agent_close(&other);
    CHECK_INT(test_stop(pid), 0);
    strcat(path, ".lock");
    unlink(path);
    path[strlen(path) - 5] = '\0';
    unlink(path);
}

TEST(refresh_tokens)
{
    pid_t pid;
    int port = start_server(&pid, "--auth hybrid --alg HS256");
    struct agent user = user_of(port);
    CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
    char first[100];
    strcpy(first, user.jar.refresh);
    CHECK_INT(agent_ask(&user, "POST", "/token", "{}"), 400);
    CHECK_HAS(user.reply.content, "invalid_request");
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of("AAAA")), 400);
    CHECK_INT(agent_ask(&user, "POST", "/token",
                        refresh_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
              400);
    CHECK_HAS(user.reply.content, "invalid_grant");
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of(user.jar.refresh)), 200);
    CHECK(strcmp(first, user.jar.refresh) != 0);
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of(user.jar.refresh)), 200);
    CHECK_INT(figure(port, "sessions"), 1);
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of(first)), 400);
    CHECK_INT(figure(port, "sessions"), 0);
    CHECK_INT(agent_ask(&user, "POST", "/token", refresh_of(user.jar.refresh)), 400);
    CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200); // until it expires
    agent_close(&user);
    CHECK_INT(test_stop(pid), 0);
}

// What the server writes about its work has no password, id or token in it, also when a user
// puts one into a wrong place.
TEST(nothing_secret_in_the_log)
{
    static const char *const modes[] = {"session", "jwt", "hybrid"};
    for (int i = 0; i < 3; i++) {
        char command[200], id[JWT_BYTES];
        pid_t pid;
        snprintf(command, sizeof command,
                 "sh -c 'exec ./server --port 0 --scrypt-n 2 --auth %s >build/log'", modes[i]);
        ask_keys(PROBE_KEYS);
        int port = test_start(&pid, command);
        struct agent user = user_of(port);
        CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
        snprintf(id, sizeof id, "%s", user.jar.access);
        if (!*id)
            snprintf(id, sizeof id, "%s", user.jar.cookies[0].value);
        CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
        CHECK_INT(agent_ask(&user, "GET",
                            "/white-rabbit?password="
                            "swordfish",
                            NULL),
                  404);
        CHECK_INT(agent_log_in(&user, "swordfish", "swordfish"), 401);
        CHECK_INT(agent_ask(&user, "POST", "/logout", refresh_of(user.jar.refresh)), 204);
        char refresh[100];
        strcpy(refresh, user.jar.refresh);
        agent_close(&user);
        CHECK_INT(test_stop(pid), 0);
        const char *log = probe_log("build/log");
        CHECK_HAS(log, "POST /login: 200");
        CHECK(!strstr(log, USER_PASSWORD) && !strstr(log, "swordfish") &&
              !strstr(log, "rabbit"));
        CHECK(*id && !strstr(log, id) && !strstr(log, id + strlen(id) - 10));
        CHECK(!*refresh || !strstr(log, refresh));
    }
}

TEST(the_client)
{
    pid_t pid;
    char command[400], options[100];
    int port = start_server(&pid, "--auth hybrid");
    snprintf(options, sizeof options, "--port %d --jar build/jar-of-test", port);
    CHECK_INT(test_run("rm -f build/jar-of-test"), 0);
    snprintf(command, sizeof command, "./client %s me", options);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "401");
    snprintf(command, sizeof command, "echo wrong | ./client %s login alice", options);
    CHECK_INT(test_run(command), 1);
    snprintf(command, sizeof command, "echo '" USER_PASSWORD "' | ./client %s login alice",
             options);
    CHECK_INT(test_run(command), 0);
    static struct jar jar;
    jar_load(&jar, "build/jar-of-test", "127.0.0.1");
    snprintf(command, sizeof command, "a token of %zu bytes\n", strlen(jar.access));
    CHECK_HAS(test_output, command);
    CHECK_INT(test_run("stat -c %a build/jar-of-test"), 0);
    CHECK_TEXT(test_output, "600\n");
    snprintf(command, sizeof command, "./client %s me && ./client %s --token", options,
             options);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "{\"user\":\"alice\",\"role\":\"user\"}");
    CHECK_HAS(test_output, "\"sub\":\"alice\"");
    snprintf(command, sizeof command, "./client %s refresh && ./client %s logout", options,
             options);
    CHECK_INT(test_run(command), 0);
    snprintf(command, sizeof command, "./client %s me", options);
    CHECK_INT(test_run(command), 1);
    snprintf(command, sizeof command, "./client %s fly", options);
    CHECK_INT(test_run(command), 2);
    snprintf(command, sizeof command, "./client %s", options);
    CHECK_INT(test_run(command), 0);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "cannot connect to");
}

// What the client shows fits a terminal of 80 columns, and is all there.
TEST(the_clients_lines_fit_a_terminal)
{
    static const char *const modes[] = {"session", "hybrid"};
    for (int i = 0; i < 2; i++) {
        pid_t pid;
        char options[100], command[200];
        snprintf(options, sizeof options, "--auth %s", modes[i]);
        int port = start_server(&pid, options);
        snprintf(command, sizeof command,
                 "TERM=dumb ./client --port %d --jar build/jar-of-terminal%s", port,
                 i ? "; TERM=dumb ./client --token --jar build/jar-of-terminal" : "");
        run_in_terminal(80, command);
        CHECK_BETWEEN(widest_line(), 60, 80);
        if (i == 0) {
            CHECK_HAS(test_output, "200 Set-Cookie: __Host-session=");
            CHECK_HAS(test_output, " Secure;\r\n        HttpOnly; SameSite=Lax");
        } else {
            CHECK_HAS(test_output, "\"sub\":\"alice\",");
            CHECK_HAS(test_output, "\r\n  \"iat\":");
            CHECK_HAS(test_output, "\"jti\":");
        }
        CHECK_INT(test_stop(pid), 0);
        unlink("build/jar-of-terminal");
    }
}

TEST(valgrind_finds_nothing)
{
    static const char *const modes[] = {"session", "hybrid --alg HS256", "jwt"};
    if (!has_valgrind())
        return;
    for (int i = 0; i < 3; i++) {
        char command[300];
        pid_t pid;
        snprintf(command, sizeof command,
                 VALGRIND "./server --quiet --port 0 --scrypt-n 2 --auth %s", modes[i]);
        ask_keys(PROBE_KEYS);
        int port = test_start(&pid, command);
        struct agent user = user_of(port);
        CHECK_INT(agent_log_in(&user, USER, USER_PASSWORD), 200);
        CHECK_INT(agent_ask(&user, "GET", "/me", NULL), 200);
        CHECK_INT(agent_ask(&user, "GET", "/.well-known/jwks.json", NULL), 200);
        agent_ask(&user, "POST", "/token", refresh_of(user.jar.refresh));
        CHECK_INT(agent_ask(&user, "POST", "/logout", refresh_of(user.jar.refresh)), 204);
        agent_close(&user);
        CHECK_INT(test_stop(pid), 0);
    }
}

#endif
