// deadline.c: a call whose time is up, and a client that is gone: does the server go on
// working?
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

#define STEPS      50   // of the call that has time enough
#define LONG_STEPS 1000 // of those that are ended
#define STEP_MS    5
#define TIMEOUT_MS 120

static struct channel channel, witness; // the witness asks how much work was done

static const struct claim local = {
    "3.26", "guide §4.4", "calling a remote function feels like calling a local one", NOT_HERE,
    "A local call has no deadline, and cannot lose its caller (gRPC over HTTP2: "
    "grpc-timeout)."};

struct outcome {
    bool done;
    int status, steps;
};

static void ended(struct call *call)
{
    struct outcome *outcome = call->state;
    outcome->done = true;
    outcome->status = call->status;
    story_event("the client's call: %s", rpc_status_name(call->status));
}

static void begin_work(struct outcome *outcome, int steps, int timeout_ms, bool own_clock)
{
    static const struct handler handler = {.path = "/toDo.ToDo/work", .ended = ended};
    struct protobuf_writer message = stage_work(steps, STEP_MS);
    struct call *call = channel_call(&channel, &handler, outcome, timeout_ms);
    if (!own_clock) // only the server is to end this call
        call->deadline_ns = NEVER;
    call_send(call, message.out, message.length);
    call_half_close(call);
    channel_step(&channel, 0);
}

// Waits until no call of work is under way. Returns the steps of all work.
static int await_quiet(void)
{
    for (;;) {
        struct todo_work_done work = stage_read_work(&witness);
        if (work.running == 0)
            return work.steps;
        sleep_ms(2);
    }
}

// Waits until the server has done some of the work.
static void await_some_work(int before)
{
    while (stage_read_work(&witness).steps < before + 10)
        sleep_ms(2);
}

static void row(const char *title, const struct outcome *outcome)
{
    story_row("%s|%s|%d", title, rpc_status_name(outcome->status), outcome->steps);
}

void scene_deadline(void)
{
    static struct outcome patient, both, server_only, gone;
    stage_open(&channel);
    stage_open(&witness);
    story_say(
        "Four calls of work, in steps of %d ms. The first has %d steps and no deadline. The "
        "others have %d; two of them have a deadline of %d ms, which the server gets in the "
        "header field grpc-timeout; the last one's client closes its connection.",
        STEP_MS, STEPS, LONG_STEPS, TIMEOUT_MS);
    int before = await_quiet();
    story_timeline();
    begin_work(&patient, STEPS, 0, true);
    channel_await(&channel, &patient.done, CHANNEL_PATIENCE_MS);
    patient.steps = await_quiet() - before;

    before = await_quiet();
    begin_work(&both, LONG_STEPS, TIMEOUT_MS, true);
    channel_await(&channel, &both.done, CHANNEL_PATIENCE_MS);
    both.steps = await_quiet() - before;

    before = await_quiet();
    begin_work(&server_only, LONG_STEPS, TIMEOUT_MS, false);
    channel_await(&channel, &server_only.done, CHANNEL_PATIENCE_MS);
    server_only.steps = await_quiet() - before;

    before = await_quiet();
    begin_work(&gone, LONG_STEPS, 0, true);
    await_some_work(before);
    shutdown(channel.socket.fd, SHUT_RDWR);
    channel_await(&channel, &gone.done, CHANNEL_PATIENCE_MS);
    gone.steps = await_quiet() - before;
    story_quiet(true);
    channel_close(&witness);

    story_head("|status at the client|steps done");
    row("no deadline", &patient);
    row("both sides watch the deadline", &both);
    row("only the server watches it", &server_only);
    row("the client is gone", &gone);
    bool whole = patient.status == RPC_OK && patient.steps == STEPS;
    bool timed = both.status == RPC_DEADLINE_EXCEEDED && both.steps < LONG_STEPS &&
                 server_only.status == RPC_DEADLINE_EXCEEDED && server_only.steps < LONG_STEPS;
    bool lost = gone.status == RPC_UNAVAILABLE && gone.steps > 0 && gone.steps < LONG_STEPS;
    enum verdict seen = UNCLEAR;
    if (whole && timed && lost)
        seen = NOT_HERE;
    claim_report(
        &local, seen,
        "ended after %d, %d and %d of %d steps, without an answer; the work of the server "
        "ended with the call",
        both.steps, server_only.steps, gone.steps, LONG_STEPS);
}
