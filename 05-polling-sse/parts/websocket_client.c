// websocket_client.c: see websocket_client.h.
#include "websocket_client.h"

#include <stdio.h>
#include <sys/random.h>

#include "handshake.h"

#define MASKED_BYTES 16384 // bytes that are masked at once; a multiple of the mask's four

static void random_bytes(void *to, size_t length)
{
    if (getrandom(to, length, 0) != (ssize_t)length)
        die("the kernel gives no random bytes");
}

enum fetch_result websocket_open(struct fetch *f, const char *authority, const char *target,
                                 char why[ANSWER_WHY])
{
    uint8_t random[HANDSHAKE_KEY_BYTES];
    char key[HANDSHAKE_KEY], request[2000];
    struct http_out out = {request, sizeof request, 0, false};
    random_bytes(random, sizeof random);
    base64(random, sizeof random, key);
    handshake_put_request(&out, authority, target, key);
    snprintf(f->about, sizeof f->about, "GET %s", target);
    enum fetch_result result = FETCH_TOO_LONG;
    if (!out.overflow)
        result = fetch_send_bytes(f, request, out.length);
    if (result == FETCH_OK)
        result = fetch_answer(f);
    fetch_why(f, result, why);
    if (result != FETCH_OK)
        return result;
    if (f->head.status != 101) {
        snprintf(why, ANSWER_WHY, "the server refuses a WebSocket: %d %s", f->head.status,
                 http_reason(f->head.status));
        if (f->head.status >= 500)
            return FETCH_CLOSED;
        return FETCH_MALFORMED;
    }
    const char *fault = handshake_fault(&f->head, key);
    if (fault) {
        snprintf(why, ANSWER_WHY, "the server's 101 is wrong: %s", fault);
        return FETCH_MALFORMED;
    }
    return FETCH_OK;
}

enum fetch_result websocket_send(struct fetch *f, enum ws_opcode opcode, const char *bytes,
                                 size_t length)
{
    uint8_t mask[4];
    char frame[WS_HEADER_BYTES + MASKED_BYTES];
    enum fetch_result result;
    random_bytes(mask, sizeof mask);
    size_t used = websocket_put_header(frame, opcode, true, length, mask); // bytes of `frame`
    do {
        size_t part = length;
        if (part > MASKED_BYTES)
            part = MASKED_BYTES;
        websocket_mask(frame + used, bytes, part, mask, 0);
        result = fetch_send_bytes(f, frame, used + part);
        used = 0; // further parts have no header
        bytes += part;
        length -= part;
    } while (result == FETCH_OK && length > 0);
    return result;
}

enum fetch_result websocket_send_close(struct fetch *f, int code)
{
    char bytes[2] = {(char)(code >> 8), (char)code};
    size_t length = sizeof bytes;
    if (code == WS_NO_CODE)
        length = 0;
    return websocket_send(f, WS_CLOSE, bytes, length);
}
