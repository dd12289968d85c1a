// todo_service.c: what the methods of todo.proto do. Read create() first: one message comes,
// one goes, and the call is over. Then stream_items() and exchange(): many messages, in either
// direction. None of these functions waits: a call that has to wait is called again (go_on).
#include <stdlib.h>

#include "error_details.h"
#include "services.h"
#include "todo.h"

#define WORK_STEPS_MAX   1000000
#define WORK_STEP_MS_MAX 60000

// ---- one item ------------------------------------------------------------------------------

static void send_item(struct call *call, const struct todo_item *item)
{
    uint8_t bytes[TODO_ITEM_BYTES];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    todo_put_item(&writer, item);
    call_send(call, bytes, writer.length);
}

// Calls of watchToDos, which are told of each new item.
static struct call *watchers[1000];
static int watcher_count;

// Creates the item of a message. NULL: the call is ended.
static const struct todo_item *create_item(struct call *call, const uint8_t *bytes,
                                           size_t length)
{
    struct todo_item item;
    const char *wrong = todo_read_item(bytes, length, &item);
    if (wrong) {
        call_finish(call, RPC_INTERNAL, wrong);
        return NULL;
    }
    if (item.length == 0 || item.length > TODO_TEXT_MAX) {
        finish_with_bad_field(call, "text", "it takes 1 to 1000 bytes");
        return NULL;
    }
    const struct todo_item *created = todo_create(&item);
    if (!created)
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for a to-do");
    for (int i = 0; i < watcher_count; i++)
        call_wake(watchers[i]);
    return created;
}

// createToDo
static void create(struct call *call, const uint8_t *bytes, size_t length)
{
    const struct todo_item *item = create_item(call, bytes, length);
    if (!item)
        return;
    send_item(call, item);
    call_finish(call, RPC_OK, NULL);
}

// readToDos: all items in one message.
static void read_all(struct call *call, const uint8_t *bytes, size_t length)
{
    uint8_t *message = malloc(RPC_MESSAGE_MAX);
    struct protobuf_writer writer = {message, 0, RPC_MESSAGE_MAX, false};
    (void)bytes;
    (void)length; // a NoParam has no fields
    if (!message) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for the list");
        return;
    }
    const struct todo_item *item = NULL;
    for (int32_t id = 1; (item = todo_from(id)); id = item->id + 1) {
        size_t begun = protobuf_begin(&writer, 1);
        todo_put_item(&writer, item);
        protobuf_end(&writer, begun);
    }
    call_send(call, message, writer.length);
    call_finish(call, RPC_OK, NULL);
    free(message);
}

// ---- the server streams --------------------------------------------------------------------

// Sends the items that this call has not sent, as far as there is room. True: all are sent.
// call->number is the id of the last one.
static bool stream_items(struct call *call)
{
    const struct todo_item *item;
    while ((item = todo_from((int32_t)call->number + 1))) {
        if (!call_has_room(call))
            return false; // go_on() is called when there is room
        send_item(call, item);
        call->number = item->id;
    }
    return true;
}

// readToDosStream
static void stream_and_finish(struct call *call)
{
    if (stream_items(call))
        call_finish(call, RPC_OK, NULL);
}

// watchToDos
static void watch(struct call *call)
{
    if (watcher_count == sizeof watchers / sizeof *watchers) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "too many calls of watchToDos");
        return;
    }
    watchers[watcher_count++] = call;
    call_begin_answer(call);
    stream_items(call);
}

static void watch_on(struct call *call)
{
    if (call_is_stopping(call))
        call_finish(call, RPC_UNAVAILABLE, "the server stops");
    else
        stream_items(call);
}

static void watch_ended(struct call *call)
{
    for (int i = 0; i < watcher_count; i++)
        if (watchers[i] == call)
            watchers[i--] = watchers[--watcher_count];
}

// ---- the client streams --------------------------------------------------------------------

// createToDos: call->number is how many were created.
static void create_one_of_many(struct call *call, const uint8_t *bytes, size_t length)
{
    const struct todo_item *item = create_item(call, bytes, length);
    if (!item)
        return;
    uint8_t field[TODO_ITEM_BYTES + 16];
    struct protobuf_writer writer = {field, 0, sizeof field, false};
    struct bytes *items = call->state;
    if (!items && !(items = call->state = calloc(1, sizeof *items))) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for the answer");
        return;
    }
    size_t begun = protobuf_begin(&writer, 1);
    todo_put_item(&writer, item);
    protobuf_end(&writer, begun);
    if (items->length + writer.length > RPC_MESSAGE_MAX ||
        !bytes_add(items, field, writer.length))
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "an answer of more than 4194304 bytes");
}

static void answer_many(struct call *call)
{
    static const struct bytes none;
    const struct bytes *items = call->state;
    if (!items)
        items = &none;
    call_send(call, bytes_at(items), items->length);
    call_finish(call, RPC_OK, NULL);
}

static void free_many(struct call *call)
{
    struct bytes *items = call->state;
    if (items)
        bytes_free(items);
    free(items);
}

// ---- both stream ---------------------------------------------------------------------------

// exchangeToDos
static void exchange(struct call *call, const uint8_t *bytes, size_t length)
{
    const struct todo_item *item = create_item(call, bytes, length);
    if (item)
        send_item(call, item);
}

static void finish_ok(struct call *call)
{
    call_finish(call, RPC_OK, NULL);
}

// ---- work that takes its time --------------------------------------------------------------

struct work {
    struct todo_work asked;
    int32_t done;
};

static struct todo_work_done all_work;

static void send_work_done(struct call *call, int32_t steps, int32_t running)
{
    uint8_t bytes[32];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    protobuf_put_int(&writer, 1, steps);
    protobuf_put_int(&writer, 2, running);
    call_send(call, bytes, writer.length);
    call_finish(call, RPC_OK, NULL);
}

static void wait_for_step(struct call *call, const struct work *work)
{
    call_wake_at(call, call->calls->transport.now_ns + work->asked.step_ms * INT64_C(1000000));
}

static void begin_work(struct call *call, const uint8_t *bytes, size_t length)
{
    struct todo_work asked;
    const char *wrong = todo_read_work(bytes, length, &asked);
    if (wrong) {
        call_finish(call, RPC_INTERNAL, wrong);
        return;
    }
    if (asked.steps < 1 || asked.steps > WORK_STEPS_MAX || asked.step_ms < 0 ||
        asked.step_ms > WORK_STEP_MS_MAX) {
        finish_with_bad_field(call, "steps", "work takes 1 to 1000000 steps of 0 to 60000 ms");
        return;
    }
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for this work");
        return;
    }
    work->asked = asked;
    call->state = work;
    all_work.running++;
    wait_for_step(call, work);
}

// One step is done.
static void work_on(struct call *call)
{
    struct work *work = call->state;
    if (!work)
        return;
    all_work.steps++;
    if (++work->done == work->asked.steps)
        send_work_done(call, work->done, 0);
    else
        wait_for_step(call, work);
}

// The work is done; or the client has cancelled it, is gone, or its deadline has passed: then
// the next step is never done.
static void end_work(struct call *call)
{
    if (call->state)
        all_work.running--;
    free(call->state);
}

static void read_work(struct call *call, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    send_work_done(call, all_work.steps, all_work.running);
}

const struct handler todo_service[] = {
    {.path = "/toDo.ToDo/createToDo", .message = create},
    {.path = "/toDo.ToDo/readToDos", .message = read_all},
    {.path = "/toDo.ToDo/readToDosStream",
     .half_closed = stream_and_finish,
     .go_on = stream_and_finish},
    {.path = "/toDo.ToDo/watchToDos",
     .half_closed = watch,
     .go_on = watch_on,
     .ended = watch_ended},
    {.path = "/toDo.ToDo/createToDos",
     .streams_in = true,
     .message = create_one_of_many,
     .half_closed = answer_many,
     .ended = free_many},
    {.path = "/toDo.ToDo/exchangeToDos",
     .streams_in = true,
     .message = exchange,
     .half_closed = finish_ok},
    {.path = "/toDo.ToDo/work", .message = begin_work, .go_on = work_on, .ended = end_work},
    {.path = "/toDo.ToDo/readWork", .unlogged = true, .message = read_work},
    {0}};
