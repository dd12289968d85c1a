// websocket.c: see websocket.h. Read read_header() with the picture there beside it, then
// websocket_read().
#include "websocket.h"

#include <string.h>

#define FIN      0x80
#define RESERVED 0x70
#define OPCODE   0x0f
#define MASKED   0x80
#define LENGTH16 126 // the length stands in the next 2 bytes
#define LENGTH64 127 // the length stands in the next 8 bytes

struct header {
    size_t bytes; // the length of this header
    uint8_t opcode;
    bool final;
    uint64_t length; // the length of the payload
    const uint8_t *mask;
};

void websocket_begin(struct websocket *ws, bool from_client, uint32_t message_max)
{
    *ws = (struct websocket){.from_client = from_client, .message_max = message_max};
}

void websocket_end(struct websocket *ws)
{
    buffer_free(&ws->message);
}

void websocket_forget(struct websocket *ws)
{
    if (ws->delivered)
        buffer_free(&ws->message);
    ws->delivered = false;
}

static uint64_t read_number(const uint8_t *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

// Checks the first two bytes alone, so that a wrong frame is refused at once.
static bool is_header_possible(const struct websocket *ws, uint8_t first, uint8_t second)
{
    int opcode = first & OPCODE;
    bool control = opcode >= WS_CLOSE;
    if (first & RESERVED) // for extensions, and none was agreed upon (§5.2)
        return false;
    if (!(second & MASKED) == ws->from_client) // §5.1
        return false;
    if (control) // whole, and short (§5.5)
        return opcode <= WS_PONG && first & FIN && (second & ~MASKED) <= WS_CONTROL_BYTES;
    // Frames of two messages must not be mixed (§5.4).
    if (opcode == WS_CONTINUATION)
        return ws->opcode != 0;
    return opcode <= WS_BINARY && ws->opcode == 0;
}

// Reads a frame's header. Returns 1, 0 if it is not whole yet, or -1002.
static int read_header(const struct websocket *ws, const uint8_t *at, size_t length,
                       struct header *header)
{
    if (length < 2)
        return 0;
    if (!is_header_possible(ws, at[0], at[1]))
        return -WS_PROTOCOL_ERROR;
    int code = at[1] & ~MASKED, more = 0; // bytes of a longer length
    if (code == LENGTH16)
        more = 2;
    else if (code == LENGTH64)
        more = 8;
    header->bytes = 2 + (size_t)more;
    if (ws->from_client)
        header->bytes += 4;
    if (length < header->bytes)
        return 0;
    header->opcode = at[0] & OPCODE;
    header->final = at[0] & FIN;
    header->length = (uint64_t)code;
    if (more)
        header->length = read_number(at + 2, more);
    header->mask = at + 2 + more;
    // A length is written in as few bytes as possible, and its highest bit is 0 (§5.2).
    if (more == 2 && header->length < LENGTH16)
        return -WS_PROTOCOL_ERROR;
    if (more == 8 && (header->length <= UINT16_MAX || header->length >> 63))
        return -WS_PROTOCOL_ERROR;
    return 1;
}

// True if this code may stand in a close frame (§7.4).
static bool is_valid_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

// A close frame: nothing, or a code and a reason in UTF-8 (§5.5.1).
static int read_close(struct ws_message *got)
{
    got->code = WS_NO_CODE;
    if (got->length == 0)
        return 1;
    if (got->length == 1)
        return -WS_PROTOCOL_ERROR;
    got->code = (int)read_number((const uint8_t *)got->bytes, 2);
    got->bytes += 2;
    got->length -= 2;
    if (!is_valid_code(got->code))
        return -WS_PROTOCOL_ERROR;
    if (!utf8_is_valid(got->bytes, got->length))
        return -WS_NOT_UTF8;
    return 1;
}

// Pings, pongs and closes are short: each is read when all of it is here.
static ssize_t read_control(const struct header *header, const char *bytes, size_t length,
                            struct ws_message *got)
{
    size_t whole = header->bytes + header->length;
    if (length < whole)
        return 0;
    if (bytes[1] & MASKED)
        websocket_mask(got->control, bytes + header->bytes, header->length, header->mask, 0);
    else
        memcpy(got->control, bytes + header->bytes, header->length);
    got->opcode = header->opcode;
    got->bytes = got->control;
    got->length = header->length;
    if (header->opcode == WS_CLOSE) {
        int result = read_close(got);
        if (result < 0)
            return result;
    }
    return (ssize_t)whole;
}

static int begin_frame(struct websocket *ws, const struct header *header)
{
    if (header->length > ws->message_max - ws->message.length)
        return -WS_TOO_BIG;
    if (header->opcode != WS_CONTINUATION) {
        ws->opcode = header->opcode;
        ws->utf8 = (struct utf8){0};
    }
    ws->in_frame = true;
    ws->final = header->final;
    ws->left = (uint32_t)header->length;
    ws->mask_at = 0;
    if (ws->from_client)
        memcpy(ws->mask, header->mask, sizeof ws->mask);
    return 1;
}

// Takes what is here of a data frame's payload. Returns a negated code if it is wrong.
static ssize_t take_payload(struct websocket *ws, const char *bytes, size_t length,
                            struct ws_message *got)
{
    size_t part = ws->left;
    if (part > length)
        part = length;
    if (part) {
        char *to = buffer_grow(&ws->message, part);
        if (!to)
            return -WS_TRY_LATER;
        websocket_mask(to, bytes, part, ws->mask, ws->mask_at);
        if (ws->opcode == WS_TEXT && !utf8_take(&ws->utf8, to, part))
            return -WS_NOT_UTF8;
    }
    ws->mask_at = (ws->mask_at + part) & 3;
    ws->message.length += (uint32_t)part;
    ws->left -= (uint32_t)part;
    ws->in_frame = ws->left > 0;
    if (ws->in_frame || !ws->final)
        return (ssize_t)part;
    if (ws->opcode == WS_TEXT && !utf8_is_whole(&ws->utf8))
        return -WS_NOT_UTF8;
    got->opcode = ws->opcode;
    got->bytes = ws->message.bytes;
    got->length = ws->message.length;
    ws->opcode = 0;
    ws->delivered = true;
    return (ssize_t)part;
}

ssize_t websocket_read(struct websocket *ws, const char *bytes, size_t length,
                       struct ws_message *got)
{
    struct header header;
    size_t used = 0;
    got->opcode = -1;
    got->bytes = NULL;
    got->length = 0;
    websocket_forget(ws);
    if (!ws->in_frame) {
        int result = read_header(ws, (const uint8_t *)bytes, length, &header);
        if (result < 1)
            return result;
        if (header.opcode >= WS_CLOSE)
            return read_control(&header, bytes, length, got);
        result = begin_frame(ws, &header);
        if (result < 1)
            return result;
        used = header.bytes;
    }
    ssize_t part = take_payload(ws, bytes + used, length - used, got);
    if (part < 0)
        return part;
    return (ssize_t)used + part;
}

// ---- writing -------------------------------------------------------------------------------

void websocket_mask(char *to, const char *from, size_t length, const uint8_t mask[4],
                    unsigned at)
{
    uint8_t turned[8]; // the mask, twice, beginning with the byte that is next
    uint64_t eight, word;
    size_t i = 0;
    for (unsigned j = 0; j < 8; j++)
        turned[j] = mask[(at + j) & 3];
    memcpy(&eight, turned, 8);
    for (; i + 8 <= length; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= eight;
        memcpy(to + i, &word, 8);
    }
    for (; i < length; i++)
        to[i] = (char)(from[i] ^ (char)turned[i & 7]);
}

size_t websocket_put_header(char *to, enum ws_opcode opcode, bool final, uint64_t length,
                            const uint8_t *mask)
{
    size_t more = 0; // bytes of a longer length
    uint8_t first = (uint8_t)opcode, second = (uint8_t)length;
    if (length > UINT16_MAX) {
        more = 8;
        second = LENGTH64;
    } else if (length >= LENGTH16) {
        more = 2;
        second = LENGTH16;
    }
    if (final)
        first |= FIN;
    if (mask)
        second |= MASKED;
    to[0] = (char)first;
    to[1] = (char)second;
    for (size_t i = 0; i < more; i++)
        to[2 + i] = (char)(length >> (8 * (more - 1 - i)));
    if (!mask)
        return 2 + more;
    memcpy(to + 2 + more, mask, 4);
    return 2 + more + 4;
}

size_t websocket_put_close(char *to, int code, const char *reason, const uint8_t *mask)
{
    char payload[WS_CONTROL_BYTES] = {(char)(code >> 8), (char)code};
    size_t length = strnlen(reason, sizeof payload - 2) + 2;
    memcpy(payload + 2, reason, length - 2);
    if (code == WS_NO_CODE)
        length = 0;
    size_t header = websocket_put_header(to, WS_CLOSE, true, length, mask);
    if (mask)
        websocket_mask(payload, payload, length, mask, 0);
    memcpy(to + header, payload, length);
    return header + length;
}
