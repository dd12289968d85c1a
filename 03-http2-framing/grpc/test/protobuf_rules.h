// protobuf_rules.h: what has to be true of any bytes, for test.c and fuzz.c: a reader stays
// within them and ends, and what it has read is read again from what a writer makes of it.
#ifndef PROTOBUF_RULES_H
#define PROTOBUF_RULES_H

#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "todo.h"

static inline void see_item(const struct todo_item *item)
{
    if (item->length && item->text[item->length - 1] == 0xff)
        abort(); // it is not UTF-8
}

// NULL, or the rule that is broken.
static inline const char *protobuf_fault(const uint8_t *bytes, size_t length)
{
    static uint8_t out[70000];
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_writer writer = {out, 0, sizeof out, false};
    struct protobuf_field field;
    struct todo_item item, again;
    int fields = 0;
    while (protobuf_next(&reader, &field)) {
        if (reader.at < bytes || reader.at > bytes + length)
            return "the reader has left the bytes";
        if (field.type == PROTOBUF_DELIMITED &&
            (field.bytes < bytes || field.bytes + field.length > bytes + length))
            return "a field outside of the bytes";
        fields++;
    }
    if (!reader.wrong && reader.at != bytes + length)
        return "bytes that were not read";
    if ((size_t)fields > length)
        return "more fields than bytes";
    todo_read_items(bytes, length, see_item);
    const char *wrong = todo_read_item(bytes, length, &item);
    if (reader.wrong && !wrong)
        return "a malformed message that is an item";
    if (wrong)
        return NULL;
    todo_put_item(&writer, &item);
    if (writer.no_room)
        return NULL;
    if (todo_read_item(writer.out, writer.length, &again) || again.id != item.id ||
        again.length != item.length ||
        (item.length && memcmp(again.text, item.text, item.length)))
        return "an item that is another one when it was written and read";
    return NULL;
}

#endif
