// answer.c: see answer.h.
#include "answer.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALPHABET     "abcdefghijklmnopqrstuvwxyz"
#define BULK_AT_ONCE (26 * 2520) // bytes, as many as the loop sends at once

void answer_text(struct answer *answer, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(answer->text, TEXT_BYTES, format, arguments);
    va_end(arguments);
    answer->status = status;
    answer->kind = ANSWER_TEXT;
    answer->length = length < TEXT_BYTES ? (uint64_t)length : TEXT_BYTES - 1;
}

static void answer_facts(const struct secure *s, struct answer *answer)
{
    const char *name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *protocol;
    unsigned protocol_length;
    char client[80] = "none";
    X509 *certificate = SSL_get0_peer_certificate(s->ssl);
    SSL_get0_alpn_selected(s->ssl, &protocol, &protocol_length);
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, client,
                                  sizeof client);
    answer_text(answer, 200,
                "version: %s\ncipher: %s\ngroup: %s\nresumed: %s\nserver name: %s\n"
                "protocol: %.*s\nearly data: %s\nclient certificate: %s\n",
                SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl), secure_group(s),
                SSL_session_reused(s->ssl) ? "yes" : "no", name ? name : "none",
                protocol_length ? (int)protocol_length : 4,
                protocol_length ? (const char *)protocol : "none",
                s->state == SECURE_ESTABLISHED ? "no" : "yes", client);
}

// "n=123", nothing else. False: it is something else, or too much.
static bool read_count(struct http_text query, uint64_t *count)
{
    if (query.length < 3 || query.length > 12 || memcmp(query.at, "n=", 2))
        return false;
    *count = 0;
    for (size_t i = 2; i < query.length; i++) {
        if (query.at[i] < '0' || query.at[i] > '9')
            return false;
        *count = *count * 10 + (uint64_t)(query.at[i] - '0');
    }
    return *count <= BULK_MAX;
}

static void answer_count(struct http_text query, struct answer *answer)
{
    answer->kind = ANSWER_BULK;
    if (!read_count(query, &answer->length))
        answer_text(answer, 400, "/bytes?n=N, N from 0 to %ld\n", BULK_MAX);
}

enum route { FACTS, BYTES, ECHO, TRANSFER, SAFE_TRANSFER, TRANSFERS, ROUTES };

static const struct {
    const char *path;
    bool post;
} routes[ROUTES] = {{"/", false},        {"/bytes", false},        {"/echo", true},
                    {"/transfer", true}, {"/safe-transfer", true}, {"/transfers", false}};

static enum route find_route(struct http_text target, struct http_text *query)
{
    const char *end = target.at + target.length;
    const char *mark = memchr(target.at, '?', target.length);
    struct http_text path = {target.at, (size_t)((mark ? mark : end) - target.at)};
    enum route route = 0;
    *query = mark ? (struct http_text){mark + 1, (size_t)(end - mark - 1)}
                  : (struct http_text){end, 0};
    while (route < ROUTES && !http_is(path, routes[route].path))
        route++;
    return route;
}

void answer_request(const struct http_head *head, const struct secure *s, long transfers,
                    struct answer *answer)
{
    struct http_text query;
    enum route route = find_route(head->target, &query);
    bool get = http_is(head->method, "GET") || http_is(head->method, "HEAD");
    bool post = http_is(head->method, "POST");
    *answer = (struct answer){.status = 200};
    if (!get && !post) {
        answer_text(answer, 501, "only GET, HEAD and POST are known here\n");
    } else if (route == ROUTES) {
        answer_text(answer, 404, "there is nothing here\n");
    } else if (post != routes[route].post) {
        answer_text(answer, 405, "not with this method\n");
        answer->allow = routes[route].post ? "POST" : "GET, HEAD";
    } else if (route == FACTS) {
        answer_facts(s, answer);
    } else if (route == BYTES) {
        answer_count(query, answer);
    } else if (route == TRANSFERS) {
        answer_text(answer, 200, "%ld\n", transfers);
    } else if (route == SAFE_TRANSFER && s->state != SECURE_ESTABLISHED) {
        answer_text(answer, 425, "not with early data: anybody may have sent it again\n");
    } else {
        answer->kind = route == ECHO ? ANSWER_ECHO : ANSWER_ACT;
    }
}

void answer_head(const struct answer *answer, bool keep_alive, struct http_out *out)
{
    http_put_status(out, answer->status);
    // "For a year, come with https:// only" (RFC 6797): also who types no https:// next time.
    http_put_field(out, "Strict-Transport-Security", "max-age=31536000");
    http_put_field(out, "Content-Type", "text/plain");
    if (answer->allow)
        http_put_field(out, "Allow", answer->allow);
    http_put_length(out, answer->length);
    if (!keep_alive)
        http_put_field(out, "Connection", "close");
    http_put_text(out, "\r\n");
}

const char *answer_bulk(struct answer *answer, size_t room, size_t *length)
{
    static char pattern[BULK_AT_ONCE + 26]; // a whole alphabet more: it may begin anywhere
    static bool made;
    uint64_t left = answer->length - answer->sent;
    const char *at = pattern + answer->sent % 26;
    for (size_t i = 0; !made && i < sizeof pattern; i++)
        pattern[i] = ALPHABET[i % 26];
    made = true;
    *length = room < BULK_AT_ONCE ? room : BULK_AT_ONCE;
    *length = left < *length ? (size_t)left : *length;
    answer->sent += *length;
    return at;
}
