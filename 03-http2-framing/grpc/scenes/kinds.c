// kinds.c: the four kinds of calls, all at once on one connection; and a stream that nobody
// reads.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

#define ITEMS      3   // that a streaming client sends
#define LONG_ITEMS 150 // more bytes than the window of a stream
#define QUICK      20  // calls beside a stream that stands still

static struct channel channel;

// One call of the scene, and what was seen of it.
struct kind {
    const char *name;
    struct call *call; // NULL: it is over
    int to_send, sent, came;
    bool interleaved; // a message came before the last one was sent
    bool done;
    int status;
    int64_t ended_ns;
};

static void came(struct call *call, const uint8_t *bytes, size_t length)
{
    struct kind *kind = call->state;
    (void)bytes;
    kind->came++;
    if (kind->sent < kind->to_send)
        kind->interleaved = true;
    story_event("%s: %zu bytes come", kind->name, length);
}

static void ended(struct call *call)
{
    struct kind *kind = call->state;
    kind->done = true;
    kind->status = call->status;
    kind->call = NULL;
    kind->ended_ns = now_ns();
    story_event("%s: %s", kind->name, rpc_status_name(call->status));
}

static void begin(struct kind *kind, const struct handler *handler)
{
    story_event("%s: begins", kind->name);
    kind->call = channel_call(&channel, handler, kind, 0);
}

static void send_one(struct kind *kind)
{
    if (!kind->call || kind->sent == kind->to_send)
        return;
    struct protobuf_writer item = stage_item("one of several");
    story_event("%s: sends %zu bytes", kind->name, item.length);
    call_send(kind->call, item.out, item.length);
    if (++kind->sent == kind->to_send)
        call_half_close(kind->call);
}

static const struct claim four = {
    "3.14", "guide §4.4", "four kinds of calls: unary, and three with streams", HOLDS, NULL};
static const struct claim unblocked = {
    "3.27", "guide §4.4", "several calls share one TCP connection without blocking", HOLDS,
    NULL};

static struct kind unary = {.name = "unary", .to_send = 1};
static struct kind server_streams = {.name = "server streams", .to_send = 1};
static struct kind client_streams = {.name = "client streams", .to_send = ITEMS};
static struct kind both_stream = {.name = "both stream", .to_send = ITEMS};

static void play_four(void)
{
    static const struct handler handlers[] = {
        {.path = "/toDo.ToDo/createToDo", .message = came, .ended = ended},
        {.path = "/toDo.ToDo/readToDosStream", .message = came, .ended = ended},
        {.path = "/toDo.ToDo/createToDos", .message = came, .ended = ended},
        {.path = "/toDo.ToDo/exchangeToDos", .message = came, .ended = ended}};
    struct kind *const kinds[] = {&unary, &server_streams, &client_streams, &both_stream};
    for (int i = 0; i < 4; i++)
        begin(kinds[i], &handlers[i]);
    send_one(&unary);
    for (int round = 0; round < ITEMS; round++) {
        send_one(&client_streams);
        send_one(&both_stream);
        // The next item leaves when the answer to the one before is here.
        while (both_stream.came <= round && channel_step(&channel, 1000))
            ;
        if (round == 0) // by now the unary call has created its item
            send_one(&server_streams);
    }
    for (int i = 0; i < 4; i++)
        channel_await(&channel, &kinds[i]->done, CHANNEL_PATIENCE_MS);
}

// ---- a stream that nobody reads ------------------------------------------------------------

static size_t held_bytes;

static void hold(struct call *call, const uint8_t *bytes, size_t length)
{
    struct kind *kind = call->state;
    (void)bytes;
    kind->came++;
    held_bytes += length;
    call->hold = !kind->interleaved; // the scene sets it when it reads on
}

static void ended_quietly(struct call *call)
{
    struct kind *kind = call->state;
    kind->done = true;
    kind->status = call->status;
}

static void create_long_items(void)
{
    static const struct handler handler = {.path = "/toDo.ToDo/createToDos",
                                           .ended = ended_quietly};
    static struct kind kind;
    static char text[901];
    memset(text, 'x', sizeof text - 1);
    struct call *call = channel_call(&channel, &handler, &kind, 0);
    for (int i = 0; i < LONG_ITEMS; i++) {
        struct protobuf_writer item = stage_item(text);
        call_send(call, item.out, item.length);
    }
    call_half_close(call);
    if (!channel_await(&channel, &kind.done, CHANNEL_PATIENCE_MS) || kind.status != RPC_OK)
        die("the server has not created %d items", LONG_ITEMS);
}

// Returns how many calls were answered while a stream stood still; *before: messages of the
// stream that came meanwhile.
static int call_beside_a_stream(struct kind *still, int *before)
{
    static const struct handler handler = {
        .path = "/toDo.ToDo/readToDosStream", .message = hold, .ended = ended_quietly};
    int answered = 0;
    struct call *call = channel_call(&channel, &handler, still, 0);
    call_send(call, NULL, 0);
    call_half_close(call);
    for (int i = 0; i < QUICK; i++) {
        struct reply reply = {0};
        answered += channel_ask(&channel, "/toDo.ToDo/readWork", NULL, 0, 0, &reply);
        reply_free(&reply);
    }
    *before = still->came;
    still->interleaved = true;
    call_release(call);
    channel_await(&channel, &still->done, CHANNEL_PATIENCE_MS);
    return answered;
}

void scene_kinds(void)
{
    story_say(
        "One connection, four calls at once: one message each way; the server streams; the "
        "client streams; both do.");
    stage_open(&channel);
    story_timeline();
    play_four();
    story_quiet(true);
    story_head("kind of call|sent|came");
    story_row("unary: createToDo|%d|%d", unary.sent, unary.came);
    story_row("server streams: readToDosStream|%d|%d", server_streams.sent,
              server_streams.came);
    story_row("client streams: createToDos|%d|%d", client_streams.sent, client_streams.came);
    story_row("both stream: exchangeToDos|%d|%d", both_stream.sent, both_stream.came);
    story_say("");
    story_say(
        "Now the client does not read a stream of %d KB: the server may send no more than "
        "the stream's window. Meanwhile the client makes %d other calls.",
        LONG_ITEMS * 900 / 1024, QUICK);
    static struct kind still;
    int before;
    create_long_items();
    int answered = call_beside_a_stream(&still, &before);
    channel_close(&channel);
    bool counts = unary.came == 1 && server_streams.came >= 1 && client_streams.sent == ITEMS &&
                  client_streams.came == 1 && both_stream.came == ITEMS;
    bool all_ok = unary.status == RPC_OK && server_streams.status == RPC_OK &&
                  client_streams.status == RPC_OK && both_stream.status == RPC_OK;
    claim_report(
        &four, holds_if(counts && all_ok && both_stream.interleaved),
        "all four at the same time on one connection; where both stream, an answer came "
        "before the next message was sent");
    claim_report(
        &unblocked,
        holds_if(answered == QUICK && before == 1 && still.came >= LONG_ITEMS &&
                 still.status == RPC_OK),
        "%d of %d calls were answered while a stream stood still after %d message; then "
        "its other %d came. A packet that is lost stops all of them (claim 3.6)",
        answered, QUICK, before, still.came - before);
}
