// trace.c: see trace.h. Read trace_begin() first.
#include "trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "measure.h"

#define PARENT_BYTES 55 // "00-" 32 "-" 16 "-" 2

// Hexadecimal digits in lower case only (§2.2.1); not all of them 0 where that is no id.
static bool is_hex(const char *at, size_t length, bool may_be_zero)
{
    bool zero = true;
    for (size_t i = 0; i < length; i++) {
        bool digit = at[i] >= '0' && at[i] <= '9';
        if (!digit && !(at[i] >= 'a' && at[i] <= 'f'))
            return false;
        zero = zero && at[i] == '0';
    }
    return may_be_zero || !zero;
}

static unsigned hex_value(char c)
{
    if (c <= '9')
        return (unsigned)(c - '0');
    return (unsigned)(c - 'a' + 10);
}

bool trace_read_parent(struct http_text text, struct trace *trace)
{
    const char *at = text.at;
    if (text.length < PARENT_BYTES || at[2] != '-' || at[35] != '-' || at[52] != '-' ||
        !is_hex(at, 2, true) || !is_hex(at + 3, TRACE_ID, false) ||
        !is_hex(at + 36, TRACE_SPAN, false) || !is_hex(at + 53, 2, true))
        return false;
    // Version ff is forbidden. Version 00 ends here; a later one may have more behind a '-'.
    bool first = at[0] == '0' && at[1] == '0';
    if ((at[0] == 'f' && at[1] == 'f') || (first && text.length != PARENT_BYTES) ||
        (text.length > PARENT_BYTES && at[PARENT_BYTES] != '-'))
        return false;
    snprintf(trace->id, sizeof trace->id, "%.*s", TRACE_ID, at + 3);
    snprintf(trace->parent, sizeof trace->parent, "%.*s", TRACE_SPAN, at + 36);
    trace->flags = hex_value(at[53]) << 4 | hex_value(at[54]);
    trace->flags &= 1; // "sampled" is the only one that version 00 knows; others are set to 0
    return true;
}

// A key: a-z, digits, and _ - * / @ behind the first character, at most 256 (§3.3.1.3.1).
static bool is_key(const char *at, size_t length)
{
    if (length == 0 || length > 256)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool first = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '0' && at[i] <= '9');
        if (!first && (i == 0 || !at[i] || !strchr("_-*/@", at[i])))
            return false;
    }
    return true;
}

// A value: printable ASCII without ',' and '=', at most 256, not ending in a blank.
static bool is_value(const char *at, size_t length)
{
    if (length == 0 || length > 256 || at[length - 1] == ' ')
        return false;
    for (size_t i = 0; i < length; i++)
        if (at[i] < ' ' || at[i] > '~' || at[i] == ',' || at[i] == '=')
            return false;
    return true;
}

// How many items the text has.
static int items_of(const char *text)
{
    int items = *text != '\0';
    for (; *text; text++)
        items += *text == ',';
    return items;
}

bool trace_read_state(struct http_text text, struct trace *trace)
{
    struct http_text list = text, item;
    while (http_next_item(&list, &item)) {
        const char *equals = memchr(item.at, '=', item.length);
        size_t used = strlen(trace->state);
        if (!equals || !is_key(item.at, (size_t)(equals - item.at)) ||
            !is_value(equals + 1, (size_t)(item.at + item.length - equals - 1)) ||
            used + item.length + 1 >= TRACE_STATE_BYTES ||
            items_of(trace->state) == TRACE_STATE_ITEMS)
            return false;
        if (used)
            trace->state[used++] = ',';
        snprintf(trace->state + used, sizeof trace->state - used, "%.*s", (int)item.length,
                 item.at);
    }
    return true;
}

// Random digits; ids must not be guessed from others, but they are no secret.
static void make_id(char *id, int digits)
{
    static uint64_t state;
    if (!state && getrandom(&state, sizeof state, 0) != sizeof state)
        state = (uint64_t)time(NULL) << 20 ^ (uint64_t)(uintptr_t)&state;
    for (int i = 0; i < digits; i += 16)
        snprintf(id + i, 17, "%016llx", (unsigned long long)random_next(&state) | 1);
}

void trace_begin(struct trace *trace, const struct http_head *head)
{
    struct http_text parent;
    *trace = (struct trace){.flags = 1};
    make_id(trace->span, TRACE_SPAN);
    bool carried = http_single_field(head, "traceparent", &parent) == 1 &&
                   trace_read_parent(parent, trace);
    if (!carried) { // then tracestate counts for nothing (§3.3)
        make_id(trace->id, TRACE_ID);
        return;
    }
    for (size_t i = 0; i < head->field_count; i++)
        if (http_is_token(head->fields[i].name, "tracestate") &&
            !trace_read_state(head->fields[i].value, trace)) {
            trace->state[0] = '\0'; // a part of it would be wrong: none
            return;
        }
}

void trace_put(const struct trace *trace, struct http_out *out)
{
    char parent[PARENT_BYTES + 1];
    snprintf(parent, sizeof parent, "00-%s-%s-%02x", trace->id, trace->span, trace->flags & 1);
    http_put_field(out, "traceparent", parent);
    if (trace->state[0])
        http_put_field(out, "tracestate", trace->state);
}
