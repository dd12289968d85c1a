// record.c: see record.h.
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "key.h"

struct record *record_new(enum record_kind kind, struct http_text name, struct http_text text)
{
    struct record *record = malloc(sizeof *record + name.length + text.length);
    if (!record)
        return NULL;
    *record = (struct record){.kind = (uint8_t)kind,
                              .name_length = (uint16_t)name.length,
                              .text_length = (uint16_t)text.length};
    if (text.length)
        memcpy(record->texts, text.at, text.length);
    if (name.length)
        memcpy(record->texts + text.length, name.at, name.length);
    return record;
}

struct http_text record_name(const struct record *record)
{
    return (struct http_text){record->texts + record->text_length, record->name_length};
}

struct http_text record_text(const struct record *record)
{
    return (struct http_text){record->texts, record->text_length};
}

const char record_currencies[CURRENCIES][4] = {"eur", "usd", "gbp", "chf", "jpy"};

int record_currency(struct http_text text)
{
    int i = CURRENCIES - 1;
    while (i >= 0 && !http_is(text, record_currencies[i]))
        i--;
    return i;
}

bool record_is_word(struct http_text text, size_t max)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            (!c || !strchr("_-.", c)))
            return false;
    }
    return text.length && text.length <= max;
}

// ---- the line ------------------------------------------------------------------------------

static const char *const kind_names[] = {
    [MARK] = "mark", [ACCOUNT] = "account", [ACCOUNT_GONE] = "deleted"};

static void put_number(struct http_out *out, const char *before, int64_t number)
{
    http_put_text(out, before);
    http_put_number(out, (uint64_t)number, 10);
}

static void put_charge(struct http_out *out, const struct record *record)
{
    http_put_text(out, "{\"charge\":\"");
    http_put(out, record->id, ID_LENGTH);
    put_number(out, "\",\"amount\":", record->amount);
    http_put_text(out, ",\"currency\":\"");
    http_put(out, record_currencies[record->currency], 3);
    http_put_text(out, "\",\"source\":");
    json_put(out, record_text(record));
    put_number(out, ",\"created_ms\":", record->created_ms);
    if (record->succeeded)
        http_put_text(out, ",\"succeeded\":true");
    else
        http_put_text(out, ",\"succeeded\":false");
    if (record->name_length) {
        http_put_text(out, ",\"key\":");
        json_put(out, record_name(record));
    }
}

size_t record_write(struct record *record, char line[RECORD_BYTES])
{
    struct http_out out = {line, RECORD_BYTES, 0, false};
    if (record->kind == CHARGE) {
        put_charge(&out, record);
    } else {
        http_put_text(&out, "{\"");
        http_put_text(&out, kind_names[record->kind]);
        http_put_text(&out, "\":");
        json_put(&out, record_name(record));
        put_number(&out, ",\"created_ms\":", record->created_ms);
        if (record->kind == ACCOUNT) {
            put_number(&out, ",\"limit\":", record->amount);
            http_put_text(&out, ",\"owner\":");
            json_put(&out, record_text(record));
        }
    }
    http_put_text(&out, "}\n");
    record->line_length = 0;
    if (!out.overflow)
        record->line_length = (uint16_t)out.length;
    return record->line_length;
}

// ---- and back ------------------------------------------------------------------------------

// The text of a member; length 0 if there is none, or if it has more than `max` bytes.
static struct http_text text_of(const struct json *json, const char *name, size_t max)
{
    const struct json_value *value = json_member(json, name);
    if (value && value->type == JSON_STRING && value->text.length <= max)
        return value->text;
    return (struct http_text){NULL, 0};
}

static bool number_of(const struct json *json, const char *name, int64_t max, int64_t *number)
{
    const struct json_value *value = json_member(json, name);
    return value && json_integer(value, 0, max, number);
}

static struct record *read_charge(const struct json *json)
{
    struct http_text id = text_of(json, "charge", ID_LENGTH);
    struct http_text source = text_of(json, "source", SOURCE_MAX);
    int currency = record_currency(text_of(json, "currency", 3));
    const struct json_value *succeeded = json_member(json, "succeeded");
    int64_t amount;
    if (id.length != ID_LENGTH || !source.length || currency < 0 || !succeeded ||
        !number_of(json, "amount", AMOUNT_MAX, &amount))
        return NULL;
    struct record *record = record_new(CHARGE, text_of(json, "key", KEY_MAX), source);
    if (!record)
        return NULL;
    memcpy(record->id, id.at, ID_LENGTH);
    record->currency = (uint8_t)currency;
    record->amount = amount;
    record->succeeded = succeeded->type == JSON_TRUE;
    return record;
}

static struct record *read_other(const struct json *json)
{
    for (int kind = MARK; kind <= ACCOUNT_GONE; kind++) {
        struct http_text name = text_of(json, kind_names[kind], KEY_MAX);
        struct http_text owner = text_of(json, "owner", OWNER_MAX);
        int64_t limit = 0;
        if (!name.length)
            continue;
        if (kind == ACCOUNT && (!owner.length || !number_of(json, "limit", AMOUNT_MAX, &limit)))
            return NULL;
        struct record *record = record_new((enum record_kind)kind, name, owner);
        if (record)
            record->amount = limit;
        return record;
    }
    return NULL;
}

struct record *record_read(struct json *json, const char *line, size_t length)
{
    int64_t created_ms;
    if (!json_read(json, line, length) || json->values[0].type != JSON_OBJECT ||
        !number_of(json, "created_ms", INT64_MAX, &created_ms))
        return NULL;
    struct record *record;
    if (json_member(json, "charge"))
        record = read_charge(json);
    else
        record = read_other(json);
    if (record) {
        record->created_ms = record->key_from_ms = created_ms;
        record->line_length = (uint16_t)length;
        record->state = DURABLE;
    }
    return record;
}
