// conditions.c: see conditions.h.
#include "conditions.h"

// Takes the next tag from a list. The quotes are a part of the tag, and a comma may stand
// between them. False: the list has no further tag.
static bool next_tag(struct http_text *list, struct http_text *tag, bool *weak)
{
    const char *at = list->at, *end = at + list->length, *close = NULL;
    while (at < end && strchr(" \t,", *at))
        at++;
    *weak = end - at > 2 && !memcmp(at, "W/", 2);
    if (*weak)
        at += 2;
    if (at < end && *at == '"')
        close = memchr(at + 1, '"', (size_t)(end - at - 1));
    if (!close)
        return false;
    *tag = (struct http_text){at, (size_t)(close + 1 - at)};
    *list = (struct http_text){close + 1, (size_t)(end - close - 1)};
    return true;
}

// True if a list of tags, in one field or in several, names this tag, or is "*" (any tag).
// If-None-Match also accepts a weak tag W/"..."; If-Match does not (RFC 9110 §8.8.3.2, §13.1).
static bool names_tag(const struct http_head *head, const char *name, const char *ours,
                      bool weak_too)
{
    for (size_t i = 0; i < head->field_count; i++) {
        struct http_text list = head->fields[i].value, tag;
        bool weak;
        if (!http_is_token(head->fields[i].name, name))
            continue;
        if (http_is(list, "*"))
            return true;
        while (next_tag(&list, &tag, &weak))
            if (http_is(tag, ours) && (weak_too || !weak))
                return true;
    }
    return false;
}

// The date in a field. -1: the field is missing, is no date, or comes twice; then the server
// ignores it (RFC 9110 §13.1.3, §13.1.4).
static time_t date_field(const struct http_head *head, const char *name)
{
    struct http_text value;
    if (http_single_field(head, name, &value) != 1)
        return -1;
    return http_read_date(value);
}

enum condition conditions_test(const struct http_head *head, const char *tag, time_t date)
{
    time_t unmodified = date_field(head, "if-unmodified-since");
    time_t modified = date_field(head, "if-modified-since");
    bool changed = unmodified >= 0 && unmodified < date, known = modified >= date;
    if (http_field(head, "if-match").at)
        changed = !names_tag(head, "if-match", tag, false);
    if (http_field(head, "if-none-match").at)
        known = names_tag(head, "if-none-match", tag, true);
    if (changed)
        return CONDITION_CHANGED;
    if (known)
        return CONDITION_KNOWN;
    return CONDITION_NONE;
}

bool condition_if_range(const struct http_head *head, const char *tag, time_t date)
{
    struct http_text value;
    int count = http_single_field(head, "if-range", &value);
    if (count != 1)
        return count == 0;
    if (value.length && (*value.at == '"' || *value.at == 'W'))
        return http_is(value, tag);
    return http_read_date(value) == date && date < time(NULL) - 1;
}
