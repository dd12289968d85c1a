// todo.h: the messages of todo.proto, and the list of to-dos that the server keeps. Each
// todo_read_...() returns NULL, or why the bytes are no such message. Fields that are not known
// are skipped.
#ifndef TODO_H
#define TODO_H

#include "protobuf.h"

#define TODOS_MAX       4000 // the newest are kept: all of them fit in one message of 4 MB
#define TODO_TEXT_MAX   1000 // bytes
#define TODO_ITEM_BYTES (TODO_TEXT_MAX + 32) // a ToDoItem takes at most

struct todo_item {
    int32_t id;
    const uint8_t *text; // not ended by a zero
    size_t length;
};

struct todo_work {
    int32_t steps, step_ms;
};

struct todo_work_done {
    int32_t steps, running;
};

const char *todo_read_item(const uint8_t *bytes, size_t length, struct todo_item *item);
const char *todo_read_work(const uint8_t *bytes, size_t length, struct todo_work *work);
const char *todo_read_work_done(const uint8_t *bytes, size_t length,
                                struct todo_work_done *done);

// Calls `each` for every item of a ToDoItems.
const char *todo_read_items(const uint8_t *bytes, size_t length,
                            void (*each)(const struct todo_item *item));

void todo_put_item(struct protobuf_writer *writer, const struct todo_item *item);

// ---- the list ------------------------------------------------------------------------------

// Adds an item: its id is the next one, whatever item->id says. The item that is returned stays
// until TODOS_MAX others were added. NULL: there is no memory.
const struct todo_item *todo_create(const struct todo_item *item);

// The first item with this id, or a higher one. NULL: there is none.
const struct todo_item *todo_from(int32_t id);

void todo_free_all(void);

#endif
