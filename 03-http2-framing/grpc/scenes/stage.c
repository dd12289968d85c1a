// stage.c: see stage.h.
#include "stage.h"

#include <stdio.h>
#include <string.h>

#include "frame_names.h"
#include "net.h"
#include "smaller.h"
#include "story.h"
#include "text.h"

#define HEX_BYTES 16 // of a message in one line

const char *stage_host = "127.0.0.1";
int stage_port = 8103;

void stage_open(struct channel *channel)
{
    channel_connect(channel, stage_host, stage_port);
}

struct protobuf_writer stage_item(const char *text)
{
    static uint8_t bytes[TODO_ITEM_BYTES];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    struct todo_item item = {.text = (const uint8_t *)text, .length = strlen(text)};
    todo_put_item(&writer, &item);
    return writer;
}

struct protobuf_writer stage_work(int32_t steps, int32_t step_ms)
{
    static uint8_t bytes[32];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    protobuf_put_int(&writer, 1, steps);
    protobuf_put_int(&writer, 2, step_ms);
    return writer;
}

void stage_ask(struct channel *channel, const char *path, struct protobuf_writer message,
               struct reply *reply)
{
    if (!channel_ask(channel, path, message.out, message.length, 0, reply))
        die("%s ended with %s: %s", path, rpc_status_name(reply->status), reply->text);
}

struct todo_work_done stage_read_work(struct channel *channel)
{
    struct todo_work_done done;
    struct reply reply = {0};
    stage_ask(channel, "/toDo.ToDo/readWork", (struct protobuf_writer){0}, &reply);
    const uint8_t *bytes = bytes_at(&reply.message);
    if (reply.message.length == 0)
        done = (struct todo_work_done){0};
    else if (todo_read_work_done(bytes, reply.message.length, &done))
        die("readWork has answered with what is no WorkDone");
    reply_free(&reply);
    return done;
}

// ---- frames --------------------------------------------------------------------------------

char *stage_hex(const uint8_t *bytes, size_t length, char *text, size_t size)
{
    size_t at = 0;
    *text = '\0';
    for (size_t i = 0; i < length && at + 4 < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%02x", i ? " " : "", bytes[i]);
    return text;
}

// What has come of a direction, up to the next whole frame; and the table of its header blocks.
static struct direction {
    struct bytes bytes;
    struct hpack_decoder decoder;
    bool begun;
} directions[2];

void stage_print_from_here(void)
{
    for (int i = 0; i < 2; i++) {
        bytes_free(&directions[i].bytes);
        hpack_table_free(&directions[i].decoder.table);
        directions[i].begun = false;
    }
}

static void print_fields(struct direction *direction, const struct frame *frame)
{
    static struct hpack_list list;
    if (!hpack_decode(&direction->decoder, frame->content, frame->content_length, &list))
        die("a header block that is no HPACK");
    for (size_t i = 0; i < list.count; i++) {
        const struct hpack_field *field = &list.fields[i];
        printf("         %.*s: ", (int)field->name_length, field->name);
        char value[200];
        snprintf(value, sizeof value, "%.*s", (int)field->value_length, field->value);
        make_printable(value);
        printf("%s\n", value);
    }
}

// DATA that begins with a message, as it does here: its prefix, and its first bytes.
static void print_message(const struct frame *frame)
{
    char hex[3 * HEX_BYTES + 4];
    if (frame->content_length < RPC_PREFIX_BYTES)
        return;
    size_t length = frame->content_length - RPC_PREFIX_BYTES;
    const uint8_t *bytes = frame->content;
    printf("         %02x | %s", bytes[0], stage_hex(bytes + 1, 4, hex, sizeof hex));
    printf(" | %s", stage_hex(bytes + 5, smaller(length, HEX_BYTES), hex, sizeof hex));
    printf("%s\n", length > HEX_BYTES ? " ..." : "");
}

static void print_frame(struct direction *direction, bool to_server, struct frame *frame)
{
    char text[200];
    if (frame_check(frame).scope)
        die("a frame that is wrong");
    printf("  %s  %s\n", to_server ? "-->" : "<--", frame_describe(frame, text, sizeof text));
    if (frame->type == FRAME_HEADERS)
        print_fields(direction, frame);
    else if (frame->type == FRAME_DATA)
        print_message(frame);
}

void stage_print_frames(bool to_server, const uint8_t *bytes, size_t length)
{
    struct direction *direction = &directions[to_server];
    if (!direction->begun) {
        hpack_decoder_begin(&direction->decoder);
        direction->begun = true;
        if (to_server) {
            bytes += PREFACE_BYTES;
            length -= PREFACE_BYTES;
        }
    }
    if (!bytes_add(&direction->bytes, bytes, length))
        die("no memory for frames");
    while (direction->bytes.length >= FRAME_HEADER_BYTES) {
        struct frame frame;
        frame_read_header(bytes_at(&direction->bytes), &frame);
        if (direction->bytes.length < FRAME_HEADER_BYTES + frame.length)
            break;
        print_frame(direction, to_server, &frame);
        bytes_drop(&direction->bytes, FRAME_HEADER_BYTES + frame.length);
    }
}
