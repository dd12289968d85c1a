// http_framing.c: where a message ends. Only its head says it (RFC 9112 §6): after so many
// bytes, after the last chunk, or when the connection closes. See http.h.
//
// A smuggler needs two programs that read the same bytes differently: one reads as a second
// request what the other reads as content of the first (RFC 9112 §11.2). So these functions
// refuse whatever could be read in two ways.
//
// Read http_read_framing() first: what a head says. Then http_body_take(): content, as it
// comes.
#include "http.h"
#include "smaller.h"

// ---- what the head says --------------------------------------------------------------------

// Each of these functions reads the value of one field. All but the last one return 1, or what
// http_refuse() returns: the negated status of the refusal, such as -400. http_is_token()
// compares a text with a word, and ignores the case of letters.

static int take_length(struct http_head *head, struct http_text value)
{
    uint64_t length;
    if (head->content_length >= 0) // even if both say the same
        return http_refuse(head, 400, "two Content-Length fields");
    if (!http_number(value, INT64_MAX, &length))
        return http_refuse(head, 400, "a Content-Length that is no number, or too large");
    head->content_length = (int64_t)length;
    return 1;
}

// Only "chunked", once and as the last coding, tells where the message ends (RFC 9112 §6.1).
static int take_coding(struct http_head *head, struct http_text value)
{
    struct http_text item;
    bool others = false; // other codings than chunked
    if (head->chunked)   // even if this one is empty
        return http_refuse(head, 400, "two Transfer-Encoding fields");
    while (http_next_item(&value, &item)) {
        if (head->chunked)
            return http_refuse(head, 400, "a transfer coding behind chunked");
        head->chunked = http_is_token(item, "chunked");
        others = others || !head->chunked;
    }
    // A response (its status is set) may have another coding without chunked: its content ends
    // when the connection closes. But the coding is not known here.
    if (!head->chunked && others && head->status)
        return http_refuse(head, 501, "a transfer coding that is not known here");
    if (!head->chunked)
        return http_refuse(head, 400, "a Transfer-Encoding that does not end with chunked");
    if (others)
        return http_refuse(head, 501, "a transfer coding that is not known here");
    return 1;
}

static int take_host(struct http_head *head, struct http_text value)
{
    if (!http_is_host(value))
        return http_refuse(head, 400, "the Host field is no host");
    if (!head->host.at) // a host in the target comes first (RFC 9112 §3.2.2)
        head->host = value;
    return 1;
}

static int take_expectation(struct http_head *head, struct http_text value)
{
    for (struct http_text item; http_next_item(&value, &item);) {
        if (!http_is_token(item, "100-continue"))
            return http_refuse(head, 417, "an expectation that is not known here");
        head->expects_continue = true;
    }
    return 1;
}

static void take_connection(struct http_text value, bool *close, bool *keep_alive)
{
    for (struct http_text item; http_next_item(&value, &item);) {
        *close = *close || http_is_token(item, "close");
        *keep_alive = *keep_alive || http_is_token(item, "keep-alive");
    }
}

// read_head() in http_head.c calls this when it has all fields of a head.
int http_read_framing(struct http_head *head, bool request)
{
    bool close = false, keep_alive = false;
    int hosts = 0, result = 1;
    for (size_t i = 0; i < head->field_count && result != -400; i++) {
        const struct http_field *field = &head->fields[i];
        int taken = 1;
        if (http_is_token(field->name, "connection")) {
            take_connection(field->value, &close, &keep_alive);
        } else if (http_is_token(field->name, "content-length")) {
            taken = take_length(head, field->value);
        } else if (http_is_token(field->name, "transfer-encoding")) {
            taken = take_coding(head, field->value);
        } else if (request && http_is_token(field->name, "host")) {
            taken = take_host(head, field->value);
            hosts++;
        } else if (request && head->minor && http_is_token(field->name, "expect")) {
            taken = take_expectation(head, field->value);
        }
        if (taken < 1)
            result = taken; // the loop goes on: a later field may bring 400, which is worse
    }
    if (result == -400)
        return result;
    if (head->chunked && head->content_length >= 0)
        return http_refuse(head, 400, "a length beside chunks: two ends");
    if (head->chunked && head->minor == 0)
        return http_refuse(head, 400, "chunks, which HTTP/1.0 does not have");
    if (hosts > 1)
        return http_refuse(head, 400, "two Host fields");
    if (request && head->minor && !hosts)
        return http_refuse(head, 400, "a Host field is missing");
    // HTTP/1.1 stays open unless one side says close; HTTP/1.0 has to ask (RFC 9112 §9.3).
    head->keep_alive = !close && (head->minor || keep_alive);
    return result;
}

// ---- the content ---------------------------------------------------------------------------

void http_body_of_request(struct http_body *body, const struct http_head *head)
{
    *body = (struct http_body){.state = BODY_LENGTH};
    if (head->chunked)
        body->state = BODY_SIZE_LINE;
    else if (head->content_length > 0)
        body->left = (uint64_t)head->content_length;
    else
        body->done = true;
}

void http_body_of_response(struct http_body *body, const struct http_head *head, bool to_head)
{
    http_body_of_request(body, head);
    if (to_head || head->status < 200 || head->status == 204 || head->status == 304)
        body->done = true;
    else if (!head->chunked && head->content_length < 0)
        *body = (struct http_body){.state = BODY_TO_CLOSE, .left = UINT64_MAX}; // never 0
}

static ssize_t refuse(struct http_body *body, int status, const char *why)
{
    body->why = why;
    return -status;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // a capital letter becomes a small one
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

// Reads "1a3f;name=value\r\n". This function and the two below return how many bytes they have
// used, 0 if more have to come, or a negated status. Extensions mean nothing here, but must be
// without control bytes.
static ssize_t read_size(struct http_body *body, const char *bytes, size_t length)
{
    size_t i = 0;
    body->left = 0;
    for (; i < length && hex_digit(bytes[i]) >= 0; i++) {
        if (body->left > (uint64_t)INT64_MAX >> 4)
            return refuse(body, 400, "a chunk's size is too large");
        body->left = body->left * 16 + (uint64_t)hex_digit(bytes[i]);
    }
    if (i < length && (i == 0 || (bytes[i] != ';' && bytes[i] != '\r')))
        return refuse(body, 400, "a chunk's size is no hexadecimal number");
    while (i < length && ((uint8_t)bytes[i] >= ' ' || bytes[i] == '\t') && bytes[i] != 0x7f)
        i++;
    if (i > HTTP_CHUNK_BYTES)
        return refuse(body, 400, "a chunk's size and extensions have at most 256 bytes");
    if ((i < length && bytes[i] != '\r') || (i + 1 < length && bytes[i + 1] != '\n'))
        return refuse(body, 400, "a chunk's size does not end with CRLF");
    if (i + 1 >= length)
        return 0;
    body->state = BODY_CHUNK;
    if (body->left == 0) // the last chunk
        body->state = BODY_TRAILER;
    return (ssize_t)i + 2;
}

static ssize_t read_line_end(struct http_body *body, const char *bytes, size_t length)
{
    if ((length > 0 && bytes[0] != '\r') || (length > 1 && bytes[1] != '\n'))
        return refuse(body, 400, "a chunk does not end with CRLF where its size says");
    if (length < 2)
        return 0;
    return 2;
}

// Fields behind the last chunk are read, checked and thrown away.
static ssize_t read_trailer(struct http_body *body, const char *bytes, size_t length)
{
    struct http_field field;
    if (length && bytes[0] == '\r') {
        ssize_t used = read_line_end(body, bytes, length);
        body->done = used > 0;
        return used;
    }
    size_t room = HTTP_HEAD_BYTES - body->trailer_bytes;
    const char *end = bytes + smaller(length, room);
    const char *next = http_read_field(bytes, end, &field, &body->why);
    if (body->why)
        return -400;
    if (!next && length > room)
        return refuse(body, 431, "all trailer fields together have at most 16384 bytes");
    if (!next)
        return 0;
    body->trailer_bytes += (size_t)(next - bytes);
    return next - bytes;
}

ssize_t http_body_take(struct http_body *body, const char *bytes, size_t length,
                       struct http_text *content)
{
    ssize_t used;
    *content = (struct http_text){bytes, 0};
    switch (body->state) {
    case BODY_SIZE_LINE:
        return read_size(body, bytes, length);
    case BODY_CHUNK_END:
        used = read_line_end(body, bytes, length);
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
    // In these three states the bytes are content.
    content->length = length;
    if (body->left < length)
        content->length = (size_t)body->left;
    if (body->state != BODY_TO_CLOSE)
        body->left -= content->length;
    if (!body->left && body->state == BODY_CHUNK)
        body->state = BODY_CHUNK_END;
    else if (!body->left)
        body->done = true;
    return (ssize_t)content->length;
}
