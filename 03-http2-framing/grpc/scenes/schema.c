// schema.c: the .proto file has changed, and not all programs have: what do old and new
// programs make of each other's messages?
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

static struct channel channel;

static const struct claim regenerate = {
    "3.18", "guide §4.4", "each change needs the .proto updated and code generated anew", HOLDS,
    NULL};

// What a program with the old .proto reads in the answer.
static struct todo_item read_answer(const struct reply *reply)
{
    struct todo_item item;
    const char *wrong = todo_read_item(bytes_at(&reply->message), reply->message.length, &item);
    if (wrong)
        die("an answer that is no ToDoItem: %s", wrong);
    return item;
}

// Asks the server, which has the old .proto, to create an item. Prints what it has understood.
static bool create(const char *title, struct protobuf_writer message, const char *expected)
{
    struct reply reply = {0};
    bool ok =
        channel_ask(&channel, "/toDo.ToDo/createToDo", message.out, message.length, 0, &reply);
    bool right;
    if (ok) {
        struct todo_item item = read_answer(&reply);
        right = expected && item.length == strlen(expected) &&
                !memcmp(item.text, expected, item.length);
        story_row("%s|%zu|text \"%.*s\"", title, message.length, (int)item.length,
                  (const char *)item.text);
    } else {
        right = expected == NULL;
        story_row("%s|%zu|%s", title, message.length, rpc_status_name(reply.status));
    }
    reply_free(&reply);
    return right;
}

static struct protobuf_writer new_writer(void)
{
    static uint8_t bytes[200];
    return (struct protobuf_writer){bytes, 0, sizeof bytes, false};
}

void scene_schema(void)
{
    stage_open(&channel);
    story_say(
        "The server has the .proto of the notes: id = 1, text = 2. Clients send createToDo "
        "by newer ones.");
    story_head("the client's .proto|bytes|what the server reads");
    struct protobuf_writer same = new_writer();
    protobuf_put_bytes(&same, 2, "tidy", 4);
    bool same_right = create("the same", same, "tidy");

    struct protobuf_writer added = new_writer(); // of each type, a message among them
    protobuf_put_int(&added, 3, 20991231);
    protobuf_put_fixed(&added, 4, PROTOBUF_FIXED32, 7);
    protobuf_put_bytes(&added, 2, "tidy", 4);
    protobuf_put_fixed(&added, 5, PROTOBUF_FIXED64, 7);
    size_t begun = protobuf_begin(&added, 6);
    protobuf_put_bytes(&added, 2, "not this", 8);
    protobuf_end(&added, begun);
    bool added_right = create("four new fields", added, "tidy");

    struct protobuf_writer renamed = new_writer(); // names are not sent
    protobuf_put_bytes(&renamed, 2, "tidy", 4);
    bool renamed_right = create("text is called title now", renamed, "tidy");

    struct protobuf_writer moved = new_writer();
    protobuf_put_bytes(&moved, 3, "tidy", 4);
    bool moved_lost = create("text has number 3 now", moved, NULL);

    struct protobuf_writer retyped = new_writer();
    protobuf_put_int(&retyped, 2, 5);
    bool retyped_lost = create("text is an int32 now", retyped, NULL);

    struct reply reply = {0};
    added = new_writer();
    protobuf_put_bytes(&added, 2, "tidy", 4);
    protobuf_put_int(&added, 3, 20991231);
    channel_ask(&channel, "/toDo.ToDo/createToDo", added.out, added.length, 0, &reply);
    struct protobuf_reader reader =
        protobuf_reader(bytes_at(&reply.message), reply.message.length);
    struct protobuf_field field;
    int came_back = 0;
    while (protobuf_next(&reader, &field))
        came_back += field.number == 3;
    reply_free(&reply);
    channel_close(&channel);
    story_say("");
    story_say("The number of a field is its name: whoever gives a number another meaning loses "
              "data, without an error of protobuf's. A program goes on without a field that it "
              "does not know: so both sides can be updated one after the other, as with JSON.");
    claim_report(
        &regenerate,
        holds_if(same_right && added_right && renamed_right && moved_lost && retyped_lost &&
                 came_back == 0),
        "for who uses a new field: it comes back from the old server %d times. %d of 3 "
        "messages with the old numbers are understood, also with new fields and names; "
        "%d of 2 in which a number has another meaning are refused",
        came_back, same_right + added_right + renamed_right, moved_lost + retyped_lost);
}
