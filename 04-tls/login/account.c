// account.c: see account.h. Read log_in() and who_is_it() first: in each of them sessions and
// tokens part.
#include "account.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#include "attempts.h"
#include "base64url.h"
#include "json.h"

#define REALM "realm=\"workbench\""

static const struct settings *settings;
static struct keys keys;
static struct jwt_rules rules;

void account_begin(const struct settings *given)
{
    settings = given;
    rules = (struct jwt_rules){&keys, JWT_ISSUER, settings->audience};
    if (settings->trust)
        keys_open_public(&keys, settings->trust);
    else
        keys_open(&keys, settings->algorithm, settings->key_file, settings->new_key);
}

void account_end(void)
{
    keys_free(&keys);
}

// ---- refusals ------------------------------------------------------------------------------

static void refuse(struct connection *c, int status, const char *fields, const char *why)
{
    exchange_answer_json(c, status, fields, "{\"error\":\"%s\"}\n", why);
}

// 401: we do not know who this is (RFC 9110 §15.5.2); how to say so is in WWW-Authenticate,
// which has to be there. (403 is for somebody whom we know, and who may not.)
static void refuse_unknown(struct connection *c, const char *why)
{
    char field[FIELDS_BYTES];
    if (settings->auth == AUTH_SESSION) // there is no registered scheme for cookies
        snprintf(field, sizeof field,
                 "WWW-Authenticate: Cookie " REALM ", cookie-name=\"" COOKIE_NAME "\"\r\n");
    else if (why) // RFC 6750 §3.1
        snprintf(field, sizeof field,
                 "WWW-Authenticate: Bearer " REALM ", error=\"invalid_token\", "
                 "error_description=\"%s\"\r\n",
                 why);
    else
        snprintf(field, sizeof field, "WWW-Authenticate: Bearer " REALM "\r\n");
    if (!why)
        why = "log in first";
    refuse(c, 401, field, why);
}

// 503: the request itself is good.
static void refuse_for_now(struct connection *c, const char *why)
{
    refuse(c, 503, "Retry-After: 1\r\n", why);
}

// Does c->exchange->question, and goes on in `next`.
static void ask_sessions(struct connection *c, void (*next)(struct connection *))
{
    if (!exchange_ask_sessions(c, next))
        refuse_for_now(c, "too busy");
}

// ---- ids and tokens ------------------------------------------------------------------------

static void hash(const uint8_t bytes[SESSION_ID], uint8_t key[SESSION_KEY])
{
    EVP_Digest(bytes, SESSION_ID, key, NULL, EVP_sha256(), NULL);
}

// A refresh token is the id of its family, and the secret that is good for one use.
static bool read_refresh_token(const struct http_request *request, uint8_t parts[2][SESSION_ID])
{
    struct json object;
    char text[100];
    size_t length;
    return json_read(request->content, &object) &&
           json_member_string(&object, "refresh_token", text, sizeof text) &&
           base64url_read((struct http_text){text, strlen(text)}, parts[0], 2 * SESSION_ID,
                          &length) &&
           length == 2 * SESSION_ID;
}

// Answers with a new access token, and with the refresh token in x->id if there is one.
static void answer_tokens(struct connection *c, const char *user, const char *role)
{
    char token[JWT_BYTES], refresh[100] = "";
    struct claims claims = {.issued_s = time(NULL)};
    claims.expires_s = claims.issued_s + settings->token_s;
    snprintf(claims.subject, sizeof claims.subject, "%s", user);
    snprintf(claims.role, sizeof claims.role, "%s", role);
    if (!jwt_sign(&rules, &claims, token)) {
        refuse(c, 500, "", "cannot sign");
        return;
    }
    if (settings->auth == AUTH_HYBRID)
        snprintf(refresh, sizeof refresh, ",\"refresh_token\":\"%s\"", c->exchange->id);
    exchange_answer_json(
        c, 200, "", "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%d%s}\n",
        token, settings->token_s, refresh);
}

// ---- POST /login ---------------------------------------------------------------------------

static void session_begun(struct connection *c)
{
    struct exchange *x = c->exchange;
    char field[COOKIE_BYTES];
    if (x->reply.result != SESSION_OK) {
        refuse_for_now(c, "no store of sessions");
    } else if (settings->auth == AUTH_HYBRID) {
        answer_tokens(c, x->user, x->role);
    } else {
        cookie_write(x->id, field);
        exchange_answer_json(c, 200, field, "{\"user\":\"%s\",\"role\":\"%s\"}\n", x->user,
                             x->role);
    }
}

// The password is right. A session gets an id that nobody has seen before, whatever cookie the
// client has brought: else an attacker could give a user an id that he knows, and wait until
// that user logs in with it (session fixation).
static void begin_session(struct connection *c)
{
    struct exchange *x = c->exchange;
    uint8_t bytes[2][SESSION_ID];
    if (RAND_bytes(bytes[0], sizeof bytes) != 1) {
        refuse_for_now(c, "too busy");
        return;
    }
    x->question = (struct session_request){.operation = SESSION_PUT,
                                           .idle_s = settings->idle_s,
                                           .lifetime_s = settings->absolute_s};
    hash(bytes[0], x->question.key);
    size_t length = SESSION_ID;
    if (settings->auth == AUTH_HYBRID) {
        x->question.idle_s = 0;
        x->question.lifetime_s = settings->refresh_s;
        hash(bytes[1], x->question.secret);
        length = 2 * SESSION_ID;
    }
    base64url_write(bytes[0], length, x->id);
    snprintf(x->question.user, sizeof x->question.user, "%s", x->user);
    snprintf(x->question.role, sizeof x->question.role, "%s", x->role);
    ask_sessions(c, session_begun);
}

static void password_checked(struct connection *c)
{
    struct exchange *x = c->exchange;
    if (!x->role) {
        refuse_unknown(c, "wrong user or password");
        return;
    }
    attempt_succeeded(x->user, c->address);
    if (settings->auth == AUTH_JWT)
        answer_tokens(c, x->user, x->role);
    else
        begin_session(c);
}

static void log_in(struct connection *c, const struct http_request *request)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    struct exchange *x = c->exchange;
    struct json object;
    char field[40];
    if (!json_read(request->content, &object) ||
        !json_member_string(&object, "user", x->user, sizeof x->user) ||
        !json_member_string(&object, "password", x->password, sizeof x->password) ||
        !*x->user || strspn(x->user, letters) != strlen(x->user)) {
        refuse(c, 400, "", "a user and a password are needed");
        return;
    }
    int wait_s = attempt_begin(x->user, c->address, time(NULL));
    if (wait_s) {
        snprintf(field, sizeof field, "Retry-After: %d\r\n", wait_s);
        refuse(c, 429, field, "too many attempts");
    } else if (!exchange_check_password(c, password_checked)) {
        refuse_for_now(c, "too busy");
    }
}

// ---- GET /me, GET /admin -------------------------------------------------------------------

static void answer_who(struct connection *c, const char *user, const char *role)
{
    if (!strcmp(c->line, "GET /admin") && strcmp(role, "admin") != 0)
        exchange_answer_json(c, 403, "", "{\"error\":\"%s is no admin\"}\n", user);
    else
        exchange_answer_json(c, 200, "", "{\"user\":\"%s\",\"role\":\"%s\"}\n", user, role);
}

static void session_found(struct connection *c)
{
    const struct session_reply *reply = &c->exchange->reply;
    if (reply->result == SESSION_OK)
        answer_who(c, reply->user, reply->role);
    else if (reply->result == SESSION_NONE)
        refuse_unknown(c, NULL);
    else
        refuse_for_now(c, "no store of sessions");
}

// A session is looked up. A token is computed.
static void who_is_it(struct connection *c, const struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const size_t length = sizeof scheme - 1;
    struct session_request *question = &c->exchange->question;
    struct claims claims;
    struct http_text field;
    uint8_t id[SESSION_ID];
    if (settings->auth == AUTH_SESSION) {
        *question = (struct session_request){.operation = SESSION_GET};
        if (!cookie_read(&request->head, id)) {
            refuse_unknown(c, NULL);
            return;
        }
        hash(id, question->key);
        ask_sessions(c, session_found);
        return;
    }
    int fields = http_single_field(&request->head, "authorization", &field);
    if (fields != 1 || field.length < length || strncasecmp(field.at, scheme, length) != 0) {
        refuse_unknown(c, NULL);
        return;
    }
    struct http_text token = {field.at + length, field.length - length};
    const char *why = jwt_verify(&rules, token, time(NULL), &claims);
    if (why)
        refuse_unknown(c, why);
    else
        answer_who(c, claims.subject, claims.role);
}

// ---- POST /logout, POST /token -------------------------------------------------------------

static void session_ended(struct connection *c)
{
    char field[COOKIE_BYTES] = "";
    if (settings->auth == AUTH_SESSION)
        cookie_write(NULL, field);
    if (c->exchange->reply.result == SESSION_FAILED)
        refuse_for_now(c, "no store of sessions");
    else
        exchange_answer(c, 204, NULL, field, "");
}

static void log_out(struct connection *c, const struct http_request *request)
{
    struct exchange *x = c->exchange;
    uint8_t parts[2][SESSION_ID];
    x->reply.result = SESSION_NONE;
    if (settings->auth == AUTH_JWT) {
        // There is nothing to end here: the token is good until it expires. The client has to
        // forget it.
        session_ended(c);
        return;
    }
    bool known = false;
    if (settings->auth == AUTH_SESSION)
        known = cookie_read(&request->head, parts[0]);
    else
        known = read_refresh_token(request, parts);
    if (!known) {
        session_ended(c); // there was no session
        return;
    }
    x->question = (struct session_request){.operation = SESSION_DELETE};
    hash(parts[0], x->question.key);
    ask_sessions(c, session_ended);
}

static void token_rotated(struct connection *c)
{
    const struct session_reply *reply = &c->exchange->reply;
    if (reply->result == SESSION_OK)
        answer_tokens(c, reply->user, reply->role);
    else if (reply->result == SESSION_FAILED)
        refuse_for_now(c, "no store of sessions");
    else // RFC 6749 §5.2
        refuse(c, 400, "", "invalid_grant");
}

static void refresh(struct connection *c, const struct http_request *request)
{
    struct exchange *x = c->exchange;
    uint8_t parts[2][SESSION_ID];
    x->question = (struct session_request){.operation = SESSION_ROTATE};
    if (!read_refresh_token(request, parts)) {
        refuse(c, 400, "", "invalid_request");
        return;
    }
    hash(parts[0], x->question.key);
    hash(parts[1], x->question.secret);
    if (RAND_bytes(parts[1], SESSION_ID) != 1) {
        refuse_for_now(c, "too busy");
        return;
    }
    hash(parts[1], x->question.next_secret);
    base64url_write(parts[0], 2 * SESSION_ID, x->id);
    ask_sessions(c, token_rotated);
}

// ---- the others ----------------------------------------------------------------------------

static void show_keys(struct connection *c, const struct http_request *request)
{
    char text[CONTENT_BYTES] = "";
    struct http_out out = {text, sizeof text - 1, 0, false};
    (void)request;
    keys_write(&keys, false, &out);
    exchange_answer(c, 200, "application/jwk-set+json", "Cache-Control: max-age=300\r\n", text);
}

static void show_stats(struct connection *c, const struct http_request *request)
{
    int sessions;
    long lookups;
    (void)request;
    exchange_count(&sessions, &lookups);
    exchange_answer_json(c, 200, "", "{\"sessions\":%d,\"lookups\":%ld,\"scrypts\":%ld}\n",
                         sessions, lookups, password_checks());
}

static void show_page(struct connection *c, const struct http_request *request)
{
    (void)request;
    exchange_answer(c, 200, "text/html; charset=utf-8",
                    "Content-Security-Policy: default-src 'self'\r\n",
                    "<!doctype html><title>login</title><p>Try ./client, or curl.</p>\n");
}

static const struct route {
    const char *path, *method;
    bool json;   // it wants JSON: a form of another site cannot send that without being asked
    bool issues; // it makes sessions or tokens
    void (*serve)(struct connection *, const struct http_request *);
} routes[] = {{"/login", "POST", true, true, log_in},
              {"/me", "GET", false, false, who_is_it},
              {"/admin", "GET", false, false, who_is_it},
              {"/logout", "POST", false, true, log_out},
              {"/token", "POST", true, true, refresh},
              {"/.well-known/jwks.json", "GET", false, false, show_keys},
              {"/stats", "GET", false, false, show_stats},
              {"/", "GET", false, false, show_page}};

static bool is_json(const struct http_head *head)
{
    struct http_text type;
    if (http_single_field(head, "content-type", &type) != 1)
        return false;
    const char *semicolon = memchr(type.at, ';', type.length);
    if (semicolon)
        type = http_trim(type.at, semicolon);
    return http_is_token(type, "application/json");
}

void account_serve(struct connection *c, const struct http_request *request)
{
    const struct route *route = routes, *end = routes + sizeof routes / sizeof *routes;
    const struct http_head *head = &request->head;
    char field[40];
    while (route < end && !http_is(request->path, route->path))
        route++;
    bool here = route < end && !(route->issues && settings->trust) &&
                !(route->serve == refresh && settings->auth != AUTH_HYBRID);
    if (!here) {
        refuse(c, 404, "", "there is no such thing here");
        return;
    }
    const char *method = route->method;
    if (!http_is(head->method, method) &&
        !(http_is(head->method, "HEAD") && !strcmp(method, "GET"))) {
        snprintf(field, sizeof field, "Allow: %s\r\n", method);
        exchange_answer_json(c, 405, field, "{\"error\":\"it takes %s\"}\n", method);
    } else if (route->issues && request_is_foreign(head)) {
        refuse(c, 403, "", "a page of another origin asks");
    } else if (route->json && !is_json(head)) {
        refuse(c, 415, "", "it takes application/json");
    } else {
        snprintf(c->line, sizeof c->line, "%s %s", method, route->path);
        route->serve(c, request);
    }
}
