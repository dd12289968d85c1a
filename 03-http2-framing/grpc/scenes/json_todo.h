// json_todo.h: a to-do as JSON (RFC 8259): {"id":1,"text":"Do laundry"}, for rest.c and for the
// scenes that compare. Like protobuf's reader, this one skips members that it does not know.
#ifndef JSON_TODO_H
#define JSON_TODO_H

#include "todo.h"

// Where json_read_items() is in the text, and where decoded strings go.
struct json_reader {
    const char *at, *end;
    const char *wrong;            // NULL, or why the text is no such document
    char text[TODO_TEXT_MAX + 8]; // of the last item
};

// Reads one item. item->text points into the reader. Returns NULL, or what is wrong.
const char *json_read_item(struct json_reader *reader, struct todo_item *item);

// Reads an array of items.
const char *json_read_items(struct json_reader *reader,
                            void (*each)(const struct todo_item *item));

// Writes an item; at most JSON_ITEM_BYTES. Returns the length.
#define JSON_ITEM_BYTES (6 * TODO_TEXT_MAX + 40)
size_t json_put_item(char *out, const struct todo_item *item);

#endif
