// unary.c: one call, frame by frame; and the bytes of a to-do as protobuf and as JSON.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "json_todo.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

static struct channel channel;

static const struct claim compact = {
    "3.12", "guide §4.4", "Protocol Buffers are more compact than JSON", HOLDS, NULL};

// The bytes of one to-do in both formats.
struct sizes {
    size_t protobuf, json;
};

static struct sizes measure(int32_t id, const char *text)
{
    static uint8_t bytes[TODO_ITEM_BYTES];
    static char json[JSON_ITEM_BYTES];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    struct todo_item item = {id, (const uint8_t *)text, strlen(text)};
    todo_put_item(&writer, &item);
    return (struct sizes){writer.length, json_put_item(json, &item)};
}

static void row(const char *title, struct sizes sizes)
{
    story_row("%s|%zu|%zu|%.2f", title, sizes.protobuf, sizes.json,
              (double)sizes.protobuf / (double)sizes.json);
}

// What each byte of the answer's message is.
static void explain(const uint8_t *bytes, size_t length)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    char hex[200];
    story_say("The answer's message, field by field:");
    for (;;) {
        const uint8_t *begun = reader.at;
        if (!protobuf_next(&reader, &field))
            break;
        stage_hex(begun, (size_t)(reader.at - begun), hex, sizeof hex);
        if (field.type == PROTOBUF_VARINT)
            printf("    %-38s field %u, varint: %llu\n", hex, field.number,
                   (unsigned long long)field.value);
        else
            printf("    %-38s field %u, %zu bytes: \"%.*s\"\n", hex, field.number, field.length,
                   (int)field.length, (const char *)field.bytes);
    }
}

void scene_unary(void)
{
    static char longer[301];
    struct reply reply = {0};
    memset(longer, 'x', sizeof longer - 1);
    story_say("createToDo({id: -1, text: \"Do laundry\"}), all frames that client and server "
              "send. The five bytes before a message say: not compressed, and its length.");
    story_say("");
    stage_print_from_here();
    channel.socket.seen = stage_print_frames;
    stage_open(&channel);
    stage_ask(&channel, "/toDo.ToDo/createToDo", stage_item("Do laundry"), &reply);
    uint64_t up = channel.socket.up, down = channel.socket.down;
    story_say("");
    explain(bytes_at(&reply.message), reply.message.length);
    struct todo_item item;
    bool right = !todo_read_item(bytes_at(&reply.message), reply.message.length, &item) &&
                 item.length == 10 && !memcmp(item.text, "Do laundry", 10);
    reply_free(&reply);
    channel.socket.seen = NULL;
    stage_ask(&channel, "/toDo.ToDo/createToDo", stage_item("Do laundry"), &reply);
    story_say("");
    story_say("%llu bytes to the server and %llu back for the first call on a connection; %llu "
              "and %llu for the second one, whose header fields HPACK knows.",
              (unsigned long long)up, (unsigned long long)down,
              (unsigned long long)(channel.socket.up - up),
              (unsigned long long)(channel.socket.down - down));
    reply_free(&reply);
    channel_close(&channel);

    struct sizes one = measure(1, "Do laundry"), number = measure(1000000, "");
    struct sizes text = measure(1, longer), quotes = measure(1, "say \"hi\"");
    story_head("bytes of a to-do|protobuf|JSON|ratio");
    row("id 1, \"Do laundry\"", one);
    row("id 1000000, no text", number);
    row("id 1, say \"hi\" (JSON escapes)", quotes);
    row("id 1, a text of 300 bytes", text);
    bool smaller_all = one.protobuf < one.json && number.protobuf < number.json &&
                       text.protobuf < text.json && quotes.protobuf < quotes.json;
    claim_report(
        &compact, holds_if(right && smaller_all),
        "%zu bytes instead of %zu, because the names of the fields stand in the .proto "
        "file; of a long text it saves next to nothing: %zu instead of %zu",
        one.protobuf, one.json, text.protobuf, text.json);
}
