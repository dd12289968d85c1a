// todo.c: see todo.h.
#include "todo.h"

#include <stdlib.h>
#include <string.h>

// ---- messages ------------------------------------------------------------------------------

const char *todo_read_item(const uint8_t *bytes, size_t length, struct todo_item *item)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    *item = (struct todo_item){.text = bytes};
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 1, PROTOBUF_VARINT)) {
            item->id = (int32_t)field.value;
        } else if (protobuf_is(&field, 2, PROTOBUF_DELIMITED)) {
            item->text = field.bytes;
            item->length = field.length;
        }
    }
    if (!reader.wrong && !protobuf_is_utf8(item->text, item->length))
        return "a text that is not UTF-8";
    return reader.wrong;
}

// Reads up to two numbers, the fields 1 and 2.
static const char *read_numbers(const uint8_t *bytes, size_t length, int32_t *first,
                                int32_t *second)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    *first = *second = 0;
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 1, PROTOBUF_VARINT))
            *first = (int32_t)field.value;
        else if (protobuf_is(&field, 2, PROTOBUF_VARINT))
            *second = (int32_t)field.value;
    }
    return reader.wrong;
}

const char *todo_read_work(const uint8_t *bytes, size_t length, struct todo_work *work)
{
    return read_numbers(bytes, length, &work->steps, &work->step_ms);
}

const char *todo_read_work_done(const uint8_t *bytes, size_t length,
                                struct todo_work_done *done)
{
    return read_numbers(bytes, length, &done->steps, &done->running);
}

const char *todo_read_items(const uint8_t *bytes, size_t length,
                            void (*each)(const struct todo_item *item))
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    struct todo_item item;
    while (protobuf_next(&reader, &field)) {
        if (!protobuf_is(&field, 1, PROTOBUF_DELIMITED))
            continue;
        const char *wrong = todo_read_item(field.bytes, field.length, &item);
        if (wrong)
            return wrong;
        each(&item);
    }
    return reader.wrong;
}

void todo_put_item(struct protobuf_writer *writer, const struct todo_item *item)
{
    protobuf_put_int(writer, 1, item->id);
    protobuf_put_bytes(writer, 2, item->text, item->length);
}

// ---- the list ------------------------------------------------------------------------------

static struct todo_item list[TODOS_MAX]; // item number n is at n % TODOS_MAX
static int32_t newest;                   // its id; the first one is 1

const struct todo_item *todo_create(const struct todo_item *item)
{
    uint8_t *text = malloc(item->length + 1);
    if (!text)
        return NULL;
    if (item->length)
        memcpy(text, item->text, item->length);
    struct todo_item *place = &list[++newest % TODOS_MAX];
    free((void *)place->text);
    *place = (struct todo_item){newest, text, item->length};
    return place;
}

const struct todo_item *todo_from(int32_t id)
{
    int32_t oldest = newest - TODOS_MAX + 1;
    if (oldest < 1)
        oldest = 1;
    if (id < oldest)
        id = oldest;
    if (id > newest)
        return NULL;
    return &list[id % TODOS_MAX];
}

void todo_free_all(void)
{
    for (int i = 0; i < TODOS_MAX; i++) {
        free((void *)list[i].text);
        list[i] = (struct todo_item){0};
    }
    newest = 0;
}
