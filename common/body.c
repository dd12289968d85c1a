// body.c: see body.h.
#include "body.h"

#define SIZE_DIGITS 15 // of a chunk's size: what an int64_t certainly holds

void http_body_of_request(struct http_body *body, const struct http_head *head)
{
    uint64_t length = head->content_length > 0 ? (uint64_t)head->content_length : 0;
    *body = (struct http_body){head->chunked ? BODY_SIZE_LINE : BODY_LENGTH, length, 0, false};
    body->done = !head->chunked && !length;
}

void http_body_of_response(struct http_body *body, const struct http_head *head, bool to_head)
{
    http_body_of_request(body, head);
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        body->done = true;
    else if (!head->chunked && head->content_length < 0)
        *body = (struct http_body){BODY_TO_CLOSE, UINT64_MAX, 0, false};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "1a3f;name=value\r\n". The extensions mean nothing to us, but must be without control bytes.
static ssize_t read_size(struct http_body *body, const char *bytes, size_t length)
{
    size_t i = 0;
    body->left = 0;
    for (; i < length && hex_digit(bytes[i]) >= 0; i++) {
        if (i == SIZE_DIGITS)
            return -400;
        body->left = body->left * 16 + (uint64_t)hex_digit(bytes[i]);
    }
    if (i < length && (i == 0 || (bytes[i] != ';' && bytes[i] != '\r')))
        return -400;
    while (i < length && ((uint8_t)bytes[i] >= ' ' || bytes[i] == '\t') && bytes[i] != 0x7f)
        i++;
    if (i > CHUNK_LINE_BYTES || (i < length && bytes[i] != '\r') ||
        (i + 1 < length && bytes[i + 1] != '\n'))
        return -400;
    if (i + 1 >= length)
        return 0;
    body->state = body->left ? BODY_CHUNK : BODY_TRAILER;
    return (ssize_t)i + 2;
}

static ssize_t read_line_end(const char *bytes, size_t length)
{
    if ((length > 0 && bytes[0] != '\r') || (length > 1 && bytes[1] != '\n'))
        return -400;
    return length > 1 ? 2 : 0;
}

// Fields after the last chunk: read, checked and thrown away.
static ssize_t read_trailer(struct http_body *body, const char *bytes, size_t length)
{
    struct http_field field;
    int status;
    if (length && bytes[0] == '\r') {
        ssize_t used = read_line_end(bytes, length);
        body->done = used > 0;
        return used;
    }
    size_t room = HTTP_HEAD_BYTES - body->trailer_bytes;
    const char *end = bytes + (length < room ? length : room);
    const char *next = http_read_field(bytes, end, &field, &status);
    if (status)
        return status;
    if (!next)
        return length > room ? -431 : 0;
    body->trailer_bytes += (size_t)(next - bytes);
    return next - bytes;
}

ssize_t http_body_take(struct http_body *body, const char *bytes, size_t length,
                       struct http_text *content)
{
    ssize_t used = 0;
    *content = (struct http_text){bytes, 0};
    switch (body->state) {
    case BODY_SIZE_LINE:
        return read_size(body, bytes, length);
    case BODY_CHUNK_END:
        used = read_line_end(bytes, length);
        if (used > 0)
            body->state = BODY_SIZE_LINE;
        return used;
    case BODY_TRAILER:
        return read_trailer(body, bytes, length);
    case BODY_LENGTH:
    case BODY_CHUNK:
    case BODY_TO_CLOSE:
        break;
    }
    content->length = length < body->left ? length : (size_t)body->left;
    if (body->state != BODY_TO_CLOSE)
        body->left -= content->length;
    if (!body->left && body->state == BODY_CHUNK)
        body->state = BODY_CHUNK_END;
    else if (!body->left)
        body->done = true;
    return (ssize_t)content->length;
}
