// handshake.c: see handshake.h.
#include "handshake.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // the standard's constant (RFC 6455 §1.3)
#define VERSION "13"

void handshake_accept(struct http_text key, char accept[HANDSHAKE_ACCEPT])
{
    uint8_t digest[SHA1_BYTES];
    char text[HANDSHAKE_KEY + sizeof GUID];
    int length = snprintf(text, sizeof text, "%.*s" GUID, (int)key.length, key.at);
    sha1(text, (size_t)length, digest);
    base64(digest, sizeof digest, accept);
}

// 16 bytes in base64 are 22 characters and "==" (§4.2.1).
static bool is_key(struct http_text key)
{
    if (key.length != HANDSHAKE_KEY - 1 || memcmp(key.at + 22, "==", 2))
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.at[i], letter = c | 0x20;
        if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') && c != '+' &&
            c != '/')
            return false;
    }
    return true;
}

int handshake_check(const struct http_head *head, struct http_text *key, const char **why)
{
    struct http_text version;
    *why = "no Upgrade field names websocket";
    if (!http_list_has(head, "upgrade", "websocket"))
        return 426;
    *why = "a WebSocket begins with a GET of HTTP/1.1 that has no content";
    if (!http_is(head->method, "GET") || !head->minor || head->content_length > 0 ||
        head->chunked)
        return 400;
    *why = "no Connection field names Upgrade";
    if (!http_list_has(head, "connection", "upgrade"))
        return 400;
    *why = "there is not one Sec-WebSocket-Version field";
    if (http_single_field(head, "sec-websocket-version", &version) != 1)
        return 400;
    *why = "this server speaks version 13";
    if (!http_is(version, VERSION))
        return 426;
    *why = "there is not one Sec-WebSocket-Key field of 16 bytes in base64";
    if (http_single_field(head, "sec-websocket-key", key) != 1 || !is_key(*key))
        return 400;
    return 101;
}

bool handshake_origin_is_allowed(const struct http_head *head, const char *list)
{
    struct http_text origin, host = head->host;
    int count = http_single_field(head, "origin", &origin);
    if (!count || !strcmp(list, "*"))
        return true;
    if (count > 1)
        return false;
    const char *scheme_end = memmem(origin.at, origin.length, "://", 3);
    if (!scheme_end)
        return false; // also "null", which a page without a site sends
    const char *name = scheme_end + 3;
    size_t length = (size_t)(origin.at + origin.length - name);
    if (length == host.length && !strncasecmp(name, host.at, length))
        return true;
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == origin.length && !strncasecmp(at, origin.at, word))
            return true;
        at += word;
    }
    return false;
}

void handshake_put_answer(struct http_out *out, struct http_text key)
{
    char accept[HANDSHAKE_ACCEPT];
    handshake_accept(key, accept);
    http_put_status(out, 101);
    http_put_field(out, "Upgrade", "websocket");
    http_put_field(out, "Connection", "Upgrade");
    http_put_field(out, "Sec-WebSocket-Accept", accept);
    http_put_text(out, "\r\n");
}

void handshake_put_refusal(struct http_out *out)
{
    http_put_field(out, "Connection", "Upgrade"); // as with every Upgrade (RFC 9110 §7.8)
    http_put_field(out, "Upgrade", "websocket");
    http_put_field(out, "Sec-WebSocket-Version", VERSION);
}

void handshake_put_request(struct http_out *out, const char *host, const char *target,
                           const char *key)
{
    http_put_text(out, "GET ");
    http_put_text(out, target);
    http_put_text(out, " HTTP/1.1\r\n");
    http_put_field(out, "Host", host);
    http_put_field(out, "Upgrade", "websocket");
    http_put_field(out, "Connection", "Upgrade");
    http_put_field(out, "Sec-WebSocket-Key", key);
    http_put_field(out, "Sec-WebSocket-Version", VERSION);
    http_put_text(out, "\r\n");
}

const char *handshake_fault(const struct http_head *head, const char *key)
{
    struct http_text accept, value;
    char expected[HANDSHAKE_ACCEPT];
    handshake_accept((struct http_text){key, strlen(key)}, expected);
    if (!http_list_has(head, "upgrade", "websocket"))
        return "no Upgrade field names websocket";
    if (!http_list_has(head, "connection", "upgrade"))
        return "no Connection field names Upgrade";
    if (http_single_field(head, "sec-websocket-accept", &accept) != 1)
        return "there is not one Sec-WebSocket-Accept field";
    if (!http_is(accept, expected))
        return "its Sec-WebSocket-Accept does not fit our key";
    if (http_single_field(head, "sec-websocket-extensions", &value))
        return "it names an extension, and we offered none";
    if (http_single_field(head, "sec-websocket-protocol", &value))
        return "it names a subprotocol, and we offered none";
    return NULL;
}
