// token_rules.h: rules that hold for any bytes, for the tests and the fuzzer.
#ifndef TOKEN_RULES_H
#define TOKEN_RULES_H

#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "cookie.h"
#include "json.h"
#include "jwt.h"
#include "sessions.h"

#define RULES_NOW_S 1000000

// The key of the rules: whoever does not know it makes no token that is taken.
static inline const struct jwt_rules *rules_of_test(void)
{
    static struct keys keys = {.count = 1};
    static struct jwt_rules rules = {&keys, "issuer", "audience"};
    struct key *key = &keys.list[0];
    *key = (struct key){.algorithm = HS256, .id = "a", .secret_length = 32, .can_sign = true};
    memset(key->secret, 'k', key->secret_length);
    return &rules;
}

// A token that is taken has the one signature that it can have, written in the one way that
// there is.
static inline const char *token_fault(struct http_text text)
{
    const struct jwt_rules *rules = rules_of_test();
    struct claims claims;
    struct http_text parts[3];
    uint8_t signature[SIGNATURE_BYTES];
    char again[BASE64URL_SIZE(SIGNATURE_BYTES)];
    if (jwt_verify(rules, text, RULES_NOW_S, &claims))
        return NULL;
    if (!jwt_split(text, parts))
        return "a token is taken that does not have three parts";
    struct http_text is_signed = {text.at, (size_t)(parts[2].at - 1 - text.at)};
    size_t length = jwt_signature(&rules->keys->list[0], is_signed, signature);
    base64url_write(signature, length, again);
    if (!http_is(parts[2], again))
        return "a token is taken whose signature is another one";
    if (claims.expires_s <= RULES_NOW_S)
        return "an expired token is taken";
    return NULL;
}

static inline const char *base64url_fault(struct http_text text)
{
    static uint8_t bytes[4096];
    static char again[BASE64URL_SIZE(sizeof bytes)];
    size_t length;
    if (!base64url_read(text, bytes, sizeof bytes, &length))
        return NULL;
    base64url_write(bytes, length, again);
    if (!http_is(text, again))
        return "the same bytes have two texts";
    return NULL;
}

// What is inside of a value that was read can be read by itself.
static inline const char *json_fault(struct http_text text)
{
    static char string[4096];
    struct json value, item, again;
    size_t at = 0;
    int64_t number;
    if (!json_read(text, &value))
        return NULL;
    if (!json_read(value.text, &again) || again.type != value.type)
        return "a value cannot be read a second time";
    while (json_next(&value, &at, &item))
        if (!json_read(item.text, &again) || again.type != item.type)
            return "an element of an array is no value";
    json_string(&value, string, sizeof string);
    json_member_string(&value, "user", string, sizeof string);
    json_member_integer(&value, "exp", &number);
    return NULL;
}

// A key set that was read is written so that it can be read again.
static inline const char *keys_fault(struct http_text text, enum algorithm algorithm)
{
    static char out_bytes[KEYS_FILE_BYTES];
    struct keys keys, again;
    struct http_out out = {out_bytes, sizeof out_bytes, 0, false};
    if (keys_read(&keys, algorithm, text))
        return NULL;
    keys_write(&keys, true, &out);
    int count = keys.count;
    bool can_sign = keys_signing(&keys);
    keys_free(&keys);
    if (out.overflow || keys_read(&again, algorithm, (struct http_text){out.bytes, out.length}))
        return "a key set cannot be read again";
    bool same = again.count == count && can_sign == (keys_signing(&again) != NULL);
    keys_free(&again);
    if (!same)
        return "a key set is another one when it is read again";
    return NULL;
}

// An id that was read stands in the request.
static inline const char *cookie_fault(struct http_text fields)
{
    static char request[8192];
    static struct http_head head;
    char id_text[BASE64URL_SIZE(SESSION_ID)];
    uint8_t id[SESSION_ID];
    if (fields.length > sizeof request - 100)
        return NULL;
    size_t length = (size_t)sprintf(request, "GET / HTTP/1.1\r\nHost: a\r\n");
    memcpy(request + length, fields.at, fields.length);
    length += fields.length;
    memcpy(request + length, "\r\n", 3);
    if (http_read_request(request, length + 2, &head) != 1)
        return NULL;
    request_is_foreign(&head);
    if (!cookie_read(&head, id))
        return NULL;
    base64url_write(id, sizeof id, id_text);
    if (!memmem(request, length, id_text, strlen(id_text)))
        return "an id was read that is not there";
    return NULL;
}

static inline const char *session_fault(struct http_text text)
{
    char line[2 * SESSION_LINE], again[SESSION_LINE];
    struct session_request request, second;
    struct session_reply reply;
    if (text.length >= sizeof line)
        return NULL;
    memcpy(line, text.at, text.length);
    line[text.length] = '\0';
    session_read_reply(line, &reply);
    if (!session_read_request(line, &request))
        return NULL;
    session_write_request(&request, again);
    if (!session_read_request(again, &second) || memcmp(&request, &second, sizeof request) != 0)
        return "an operation is another one when it is read again";
    return NULL;
}

// The first letter says who reads the rest. The bytes end where they end, so that a sanitizer
// sees a read beyond them.
static inline const char *fault_of(const char *bytes, size_t size)
{
    const char *fault = NULL;
    if (!size)
        return NULL;
    size_t length = size - 1;
    char *copy = malloc(length + (length == 0));
    memcpy(copy, bytes + 1, length);
    struct http_text text = {copy, length};
    switch (bytes[0]) {
    case 't':
        fault = token_fault(text);
        break;
    case 'j':
        fault = json_fault(text);
        break;
    case 'k':
        fault = keys_fault(text, ES256);
        break;
    case 'o':
        fault = keys_fault(text, HS256);
        break;
    case 'c':
        fault = cookie_fault(text);
        break;
    case 's':
        fault = session_fault(text);
        break;
    default:
        fault = base64url_fault(text);
    }
    free(copy);
    return fault;
}

#endif
