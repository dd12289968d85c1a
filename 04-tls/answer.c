// answer.c: see answer.h.
#include "answer.h"

#include "context.h"
#include "log.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALPHABET     "abcdefghijklmnopqrstuvwxyz"
#define BULK_AT_ONCE (26 * 2520) // bytes: as many as the loop sends at once

void answer_text(struct answer *answer, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(answer->text, TEXT_BYTES, format, arguments);
    va_end(arguments);
    answer->status = status;
    answer->kind = ANSWER_TEXT;
    if (length >= TEXT_BYTES)
        length = TEXT_BYTES - 1;
    answer->length = (uint64_t)length;
}

static const char *yes_or_no(bool yes)
{
    if (yes)
        return "yes";
    return "no";
}

static void answer_facts(const struct tls_filter *s, struct answer *answer)
{
    const char *name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *selected;
    unsigned length;
    char client[80] = "none", protocol[80] = "none";
    X509 *certificate = SSL_get0_peer_certificate(s->ssl);
    SSL_get0_alpn_selected(s->ssl, &selected, &length);
    if (length)
        snprintf(protocol, sizeof protocol, "%.*s", (int)length, (const char *)selected);
    if (!name)
        name = "none";
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, client,
                                  sizeof client);
    answer_text(answer, 200,
                "version: %s\ncipher: %s\ngroup: %s\nresumed: %s\nserver name: %s\n"
                "protocol: %s\nearly data: %s\nclient certificate: %s\n",
                SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl),
                context_group_name(s->ssl), yes_or_no(SSL_session_reused(s->ssl)), name,
                protocol, yes_or_no(s->state != TLS_ESTABLISHED), client);
}

static void answer_count(struct http_text query, struct answer *answer)
{
    answer->kind = ANSWER_BULK;
    if (!http_number(http_parameter(query, "n"), BULK_MAX, &answer->length))
        answer_text(answer, 400, "Bad Request: /bytes?n=N takes an N from 0 to %ld\n",
                    BULK_MAX);
}

enum route { FACTS, BYTES, ECHO, TRANSFER, SAFE_TRANSFER, TRANSFERS, ROUTES };

static const struct {
    const char *path;
    bool post;
} routes[ROUTES] = {{"/", false},        {"/bytes", false},        {"/echo", true},
                    {"/transfer", true}, {"/safe-transfer", true}, {"/transfers", false}};

static enum route find_route(struct http_text path)
{
    enum route route = 0;
    while (route < ROUTES && !http_is(path, routes[route].path))
        route++;
    return route;
}

void answer_request(const struct http_head *head, const struct tls_filter *s, long transfers,
                    struct answer *answer)
{
    struct http_text path, query;
    http_split_target(head->target, &path, &query);
    enum route route = find_route(path);
    bool get = http_is(head->method, "GET") || http_is(head->method, "HEAD");
    bool post = http_is(head->method, "POST");
    *answer = (struct answer){.status = 200};
    if (!get && !post) {
        answer_text(answer, 501,
                    "Not Implemented: this server knows only GET, HEAD and POST\n");
    } else if (route == ROUTES) {
        answer_text(answer, 404, "Not Found: there is no such path here\n");
    } else if (post != routes[route].post) {
        answer_text(answer, 405, "Method Not Allowed: this path takes another method\n");
        answer->allow = "GET, HEAD";
        if (routes[route].post)
            answer->allow = "POST";
    } else if (route == FACTS) {
        answer_facts(s, answer);
    } else if (route == BYTES) {
        answer_count(query, answer);
    } else if (route == TRANSFERS) {
        answer_text(answer, 200, "%ld\n", transfers);
    } else if (route == SAFE_TRANSFER && s->state != TLS_ESTABLISHED) {
        answer_text(answer, 425,
                    "Too Early: early data may have been sent again by an attacker\n");
    } else if (route == ECHO) {
        answer->kind = ANSWER_ECHO;
    } else {
        answer->kind = ANSWER_ACT;
    }
}

static const char *alternative; // NULL: none

void answer_alternative(const char *value)
{
    alternative = value;
}

void answer_head(const struct answer *answer, bool keep_alive, struct http_out *out)
{
    http_put_status(out, answer->status);
    // The browser uses only https:// for this site for a year, also when the user types the
    // name alone (RFC 6797).
    http_put_field(out, "Strict-Transport-Security", "max-age=31536000");
    http_put_field(out, "Content-Type", "text/plain");
    if (alternative)
        http_put_field(out, "Alt-Svc", alternative);
    if (answer->allow)
        http_put_field(out, "Allow", answer->allow);
    http_put_length(out, answer->length);
    if (!keep_alive)
        http_put_field(out, "Connection", "close");
    http_put_text(out, "\r\n");
}

const char *answer_bulk(struct answer *answer, size_t room, size_t *length)
{
    static char pattern[BULK_AT_ONCE + 26]; // one alphabet more: a part may begin at any letter
    static bool made;
    uint64_t left = answer->length - answer->sent;
    const char *at = pattern + answer->sent % 26;
    for (size_t i = 0; !made && i < sizeof pattern; i++)
        pattern[i] = ALPHABET[i % 26];
    made = true;
    *length = BULK_AT_ONCE;
    if (*length > room)
        *length = room;
    if (*length > left)
        *length = (size_t)left;
    answer->sent += *length;
    return at;
}

void answer_log(const struct answer *answer, const char *request)
{
    if (!*request)
        request = "a request";
    if (answer->status < 400)
        log_line("%s: %d, %llu bytes", request, answer->status,
                 (unsigned long long)answer->length);
    else
        log_line("%s: %d, %llu bytes: %.*s", request, answer->status,
                 (unsigned long long)answer->length, (int)strcspn(answer->text, "\n"),
                 answer->text);
}
