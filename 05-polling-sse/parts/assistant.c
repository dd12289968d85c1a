// assistant.c: see assistant.h. The assistant's answer is always the same: this lesson is about
// the way in which it is sent.
#include "assistant.h"

#include <string.h>

#include "utf8.h"

#define LAST_EVENT "data: [DONE]\n\n"

static const char opinion[] =
    "I am a very small model: I know one answer, and this is it. You read its first words "
    "while the last ones are not there yet, and that is the whole trick. The connection "
    "carries one request and one answer, and the answer is sent in chunks as long as there is "
    "something to say. Nothing was buffered on the way, or you would have seen all of it at "
    "once.";

// Takes the next word of the answer, and the space behind it. Its length is 0 at the end.
static struct http_text next_token(struct connection *c)
{
    const char *at = c->kept.bytes + c->tokens.at, *end = c->kept.bytes + c->kept.length;
    const char *stop = at;
    while (stop < end && *stop != ' ')
        stop++;
    if (stop < end)
        stop++;
    c->tokens.at += (uint32_t)(stop - at);
    return (struct http_text){at, (size_t)(stop - at)};
}

// Writes the parts as content: as one chunk, if the client knows chunks.
static void put_chunk(struct connection *c, struct http_out *out, const char *const *parts,
                      const size_t *lengths, int count)
{
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += lengths[i];
    if (c->tokens.chunked) {
        http_put_number(out, length, 16);
        http_put_text(out, "\r\n");
    }
    for (int i = 0; i < count; i++)
        http_put(out, parts[i], lengths[i]);
    if (c->tokens.chunked)
        http_put_text(out, "\r\n");
}

static void put_token(struct connection *c, struct http_out *out, struct http_text token)
{
    if (c->tokens.as_events)
        put_chunk(c, out, (const char *const[]){"data: ", token.at, "\n\n"},
                  (const size_t[]){6, token.length, 2}, 3);
    else
        put_chunk(c, out, &token.at, &token.length, 1);
}

static void timeout(struct connection *c)
{
    struct http_out out = connection_out(c);
    struct http_text token = next_token(c);
    bool last = c->tokens.at == c->kept.length;
    put_token(c, &out, token);
    if (last && c->tokens.as_events)
        put_chunk(c, &out, (const char *const[]){LAST_EVENT},
                  (const size_t[]){sizeof LAST_EVENT - 1}, 1);
    if (last && c->tokens.chunked)
        http_put_text(&out, "0\r\n\r\n");
    connection_wrote(c, out.length);
    if (last)
        connection_end_exchange(c);
    else
        conn_deadline(&c->conn, c->service->settings.token_ms);
}

static void stop(struct connection *c)
{
    c->http.keep_alive = false; // the answer may end, if that takes less than LOOP_STOP_MS
}

// Copies the question into the answer. Line ends become spaces.
static bool add_question(struct buffer *answer, struct http_text question)
{
    if (!buffer_add(answer, "You ask: ", 9) ||
        !buffer_add(answer, question.at, question.length) || !buffer_add(answer, " ... ", 5))
        return false;
    for (uint32_t i = 0; i < answer->length; i++)
        if ((uint8_t)answer->bytes[i] < ' ')
            answer->bytes[i] = ' ';
    return true;
}

void answer_chat(struct connection *c, const struct http_request *request)
{
    static const struct mode mode = {NULL, NULL, timeout, stop};
    struct http_text question = request->content;
    if (question.length > QUESTION_MAX) {
        connection_refuse(c, 413, "a question may have 4096 bytes", "");
        return;
    }
    if (!utf8_is_valid(question.at, question.length)) {
        connection_refuse(c, 400, "a question is UTF-8", "");
        return;
    }
    if (!add_question(&c->kept, question) ||
        !buffer_add(&c->kept, opinion, sizeof opinion - 1)) {
        connection_refuse(c, 503, "no memory for an answer", "");
        return;
    }
    struct http_text accept = http_field(&request->head, "accept");
    const char *type = "text/plain; charset=utf-8";
    c->tokens.as_events =
        accept.length && memmem(accept.at, accept.length, "text/event-stream", 17);
    if (c->tokens.as_events)
        type = "text/event-stream";
    connection_head(c, 200, type, CHUNKED, NO_DELAY);
    c->tokens.chunked = !c->http.http10;
    c->tokens.at = 0;
    c->conn.paused = true; // the client's next request waits
    c->mode = &mode;
    conn_deadline(&c->conn, c->service->settings.token_ms);
}
