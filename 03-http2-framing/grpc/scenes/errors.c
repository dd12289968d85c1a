// errors.c: how a call says what is wrong: a code, a text, and where there is more to say, a
// message in the trailers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "error_details.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

static struct channel channel;
static struct error_details details;
static int http_status;

static const struct claim no_format = {
    "3.16", "guide §4.4", "status codes, but no standardized error format", NOT_HERE,
    "Not as stated: google.rpc.Status in grpc-status-details-bin, with standard details."};

static void read_fields(const struct hpack_list *fields, bool trailers)
{
    const struct hpack_field *status = call_field(fields, ":status");
    if (status)
        http_status = atoi(status->value);
    if (trailers)
        details = error_details_read(fields);
}

// Makes a call that fails. Returns its status.
static int fail(const char *title, const char *path, const void *message, size_t length,
                int timeout_ms)
{
    struct reply reply = {.fields = read_fields};
    char text[40];
    details.code = -1;
    http_status = 0;
    channel_ask(&channel, path, message, length, timeout_ms, &reply);
    snprintf(text, sizeof text, "%d", http_status);
    if (http_status == 0)
        snprintf(text, sizeof text, "-");
    story_row("%s|%d %s|%s", title, reply.status, rpc_status_name(reply.status), text);
    int status = reply.status;
    reply_free(&reply);
    return status;
}

void scene_errors(void)
{
    static const char *const create = "/toDo.ToDo/createToDo";
    static uint8_t large[RPC_MESSAGE_MAX + 1];
    stage_open(&channel);
    story_say(
        "What goes wrong, the status of the call, and the status of HTTP, which only says "
        "that the server speaks gRPC.");
    story_head("|grpc-status|HTTP");
    struct protobuf_writer work = stage_work(100, 10);
    bool codes = true;
    codes &=
        fail("there is no such method", "/toDo.ToDo/nothing", NULL, 0, 0) == RPC_UNIMPLEMENTED;
    codes &= fail("there is no such service", "/none/nothing", NULL, 0, 0) == RPC_UNIMPLEMENTED;
    codes &= fail("no protobuf", create, "\x12\x7f", 2, 0) == RPC_INTERNAL;
    codes &= fail("a text that is not UTF-8", create, "\x12\1\xff", 3, 0) == RPC_INTERNAL;
    codes &= fail("more than 4 MB", create, large, sizeof large, 0) == RPC_RESOURCE_EXHAUSTED;
    codes &= fail("its time is up", "/toDo.ToDo/work", work.out, work.length, 50) ==
             RPC_DEADLINE_EXCEEDED;
    codes &= fail("a to-do without text", create, "\x08\x01", 2, 0) == RPC_INVALID_ARGUMENT;
    channel_close(&channel);
    story_say("");
    story_say("The last one has more in its trailers: google.rpc.Status, with a "
              "google.rpc.BadRequest in it:");
    printf("    code %d, message \"%s\"\n", details.code, details.message);
    printf("    field_violations: field \"%s\", description \"%s\"\n", details.field,
           details.why);
    enum verdict seen = UNCLEAR;
    if (codes && details.code == RPC_INVALID_ARGUMENT && !strcmp(details.field, "text"))
        seen = NOT_HERE;
    claim_report(
        &no_format, seen,
        "a program can read which field is wrong (\"%s\"). True is that it is an addition: "
        "nobody has to send it",
        details.field);
}
