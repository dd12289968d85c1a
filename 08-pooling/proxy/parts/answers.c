// answers.c: see answers.h.
#include "answers.h"

#include <stdio.h>

#include "settings.h"

static void put_line(struct http_out *out, const struct http_field *field)
{
    http_put(out, field->name.at, field->name.length);
    http_put(out, ": ", 2);
    if (field->value.length)
        http_put(out, field->value.at, field->value.length);
    http_put(out, "\r\n", 2);
}

// Takes back the empty line at the end of a head: further fields follow.
static void reopen(struct http_out *out)
{
    if (!out->overflow)
        out->length -= 2;
}

static void put_connection(const struct client *client, struct http_out *out)
{
    if (client->last)
        http_put_field(out, "Connection", "close");
    else if (client->old)
        http_put_field(out, "Connection", "keep-alive");
}

// An answer without a Date gets the time at which it came (RFC 9110 §6.6.1).
static void put_date(const struct http_head *answer, struct http_out *out)
{
    if (!http_field(answer, "date").at)
        http_put_field(out, "Date", http_date(time(NULL)));
}

void answer_put_stored_head(const struct http_head *answer, struct http_out *out)
{
    struct forward forward = {.by = &settings.self};
    struct http_head kept = *answer;
    kept.field_count = 0;
    for (size_t i = 0; i < answer->field_count; i++)
        if (!http_is_token(answer->fields[i].name, "age") &&
            !http_is_token(answer->fields[i].name, "content-length"))
            kept.fields[kept.field_count++] = answer->fields[i];
    forward_answer_head(&forward, &kept, true, false, out);
    reopen(out);
    put_date(answer, out);
    http_put_text(out, "\r\n");
}

void answer_put_head(const struct client *client, const struct http_head *answer,
                     const char *word, struct http_out *out)
{
    struct forward forward = {.by = &settings.self};
    forward.asked[0].old = client->old;
    forward_answer_head(&forward, answer, !client->last, false, out);
    reopen(out);
    put_date(answer, out);
    if (client->framing == FRAMED_BY_CHUNKS)
        http_put_field(out, "Transfer-Encoding", "chunked");
    if (word)
        http_put_field(out, "X-Cache", word);
    http_put_text(out, "\r\n");
}

void answer_put_interim(const struct http_head *answer, struct http_out *out)
{
    struct forward forward = {.by = &settings.self};
    struct http_text protocol = http_field(answer, "upgrade");
    forward_answer_head(&forward, answer, true, false, out);
    if (answer->status != 101 || !protocol.at)
        return;
    reopen(out);
    put_line(out, &(struct http_field){{"Upgrade", strlen("Upgrade")}, protocol});
    http_put_text(out, "Connection: Upgrade\r\n\r\n");
}

// The fields that depend on the moment.
static void put_moment(const struct client *client, const struct entry *entry, const char *word,
                       struct http_out *out)
{
    int64_t age = cache_age(entry);
    bool asked_now = !strcmp(word, "MISS") || !strcmp(word, "REVALIDATED");
    if (age > 0 || !asked_now) { // RFC 9111 §5.1
        http_put_text(out, "Age: ");
        http_put_number(out, (uint64_t)age, 10);
        http_put(out, "\r\n", 2);
    }
    http_put_field(out, "X-Cache", word);
    put_connection(client, out);
    http_put(out, "\r\n", 2);
}

void answer_put_entry(const struct client *client, const struct entry *entry, const char *word,
                      struct http_out *out)
{
    http_put(out, entry->text + entry->key_length + entry->vary_length, entry->head_length - 2);
    if (client->framing == FRAMED_BY_CHUNKS)
        http_put_field(out, "Transfer-Encoding", "chunked");
    else if (entry->status != 204 && entry->whole)
        http_put_length(out, entry->length);
    else if (entry->status != 204 && entry->expected >= 0)
        http_put_length(out, (uint64_t)entry->expected);
    put_moment(client, entry, word, out);
}

void answer_put_not_modified(const struct client *client, const struct entry *entry,
                             const char *word, struct http_out *out)
{
    static const char *const kept[] = {
        "cache-control", "content-location", "date", "etag", "expires", "vary", "via"};
    struct http_head head;
    cache_head(entry, &head);
    http_put_text(out, "HTTP/1.1 304 Not Modified\r\n");
    for (size_t i = 0; i < head.field_count; i++)
        for (size_t j = 0; j < sizeof kept / sizeof *kept; j++)
            if (http_is_token(head.fields[i].name, kept[j]))
                put_line(out, &head.fields[i]);
    put_moment(client, entry, word, out);
}

void answer_begin_entry(struct client *client, const struct http_head *request,
                        struct entry *entry, const char *word, struct http_out *out)
{
    struct http_head stored;
    bool asks =
        http_field(request, "if-none-match").at || http_field(request, "if-modified-since").at;
    client->framing = FRAMED_BY_LENGTH;
    client->entry_at = 0;
    if (entry->status == 200 && asks) {
        cache_head(entry, &stored);
        if (freshness_client_has_it(request, &stored)) {
            answer_put_not_modified(client, entry, word, out);
            return;
        }
    }
    answer_put_entry(client, entry, word, out);
    if (!client->head_only)
        client->entry = cache_hold(entry);
}

void answer_put_own(const struct client *client, int status, const char *why,
                    struct http_out *out)
{
    char text[300];
    snprintf(text, sizeof text, "%d %s: %s\n", status, http_reason(status), why);
    http_put_status(out, status);
    if (status != 204)
        http_put_field(out, "Content-Type", "text/plain");
    if (status != 204)
        http_put_length(out, strlen(text));
    put_connection(client, out);
    http_put_text(out, "\r\n");
    if (status != 204 && !client->head_only)
        http_put_text(out, text);
}
