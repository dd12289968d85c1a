// trace.c: see trace.h. Read trace_begin() first.
#include "trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "measure.h"

#define PARENT_BYTES 55  // "00-" 32 "-" 16 "-" 2
#define ITEM_BYTES   514 // of tracestate: a key, '=' and a value, with the '\0'
#define LOWER        "abcdefghijklmnopqrstuvwxyz0123456789"

// Version ff is forbidden. Version 00 ends behind its flags; a later one may have more behind a
// '-'. Digits are in lower case only (§2.2.1), and an id is not all zeros.
bool trace_read_parent(struct http_text text, struct trace *trace)
{
    char field[PARENT_BYTES + 1], version[3], id[TRACE_ID + 1], parent[TRACE_SPAN + 1];
    unsigned flags;
    int end = 0;
    snprintf(field, sizeof field, "%.*s", (int)text.length, text.at);
    sscanf(field, "%2[0-9a-f]-%32[0-9a-f]-%16[0-9a-f]-%*2[0-9a-f]%n", version, id, parent,
           &end);
    if (end != PARENT_BYTES || !strcmp(version, "ff") || strspn(id, "0") == TRACE_ID ||
        strspn(parent, "0") == TRACE_SPAN ||
        (text.length > PARENT_BYTES &&
         (!strcmp(version, "00") || text.at[PARENT_BYTES] != '-')))
        return false;
    strcpy(trace->id, id);
    strcpy(trace->parent, parent);
    sscanf(field + PARENT_BYTES - 2, "%2x", &flags);
    trace->flags = flags & 1; // "sampled", the only one of version 00; others are set to 0
    return true;
}

// An item of a tracestate: KEY=VALUE. A key has a-z, digits, and _ - * / @ behind the first
// character; a value has printable ASCII without ',' and '=', and does not end in a blank. Each
// has at most 256 characters (§3.3.1.3).
static bool is_item(const char *item)
{
    size_t key = strspn(item, LOWER "_-*/@");
    const char *value = item + key + 1;
    size_t length = 0;
    if (key == 0 || key > 256 || !strchr(LOWER, item[0]) || item[key] != '=')
        return false;
    while (value[length] >= ' ' && value[length] <= '~' && !strchr(",=", value[length]))
        length++;
    return length > 0 && length <= 256 && !value[length] && value[length - 1] != ' ';
}

bool trace_read_state(struct http_text text, struct trace *trace)
{
    struct http_text list = text, item;
    while (http_next_item(&list, &item)) {
        char one[ITEM_BYTES];
        size_t used = strlen(trace->state);
        snprintf(one, sizeof one, "%.*s", (int)item.length, item.at);
        if (strlen(one) != item.length || !is_item(one) ||
            used + item.length + 1 >= TRACE_STATE_BYTES ||
            trace->state_items == TRACE_STATE_ITEMS)
            return false;
        if (used)
            trace->state[used++] = ',';
        strcpy(trace->state + used, one);
        trace->state_items++;
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
