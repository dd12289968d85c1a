// cancel.c: a call that is cancelled while the server works for it.
#include <stdio.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"

#define STEPS    2000 // of work that is cancelled
#define STEP_MS  10
#define OTHER    30          // steps of the other call's work
#define SOON     (OTHER + 1) // when the server has done so many steps of both, the client cancels
#define LATER_MS 100         // so long the scene looks whether the work goes on

static struct channel channel;

static const struct claim cancelable = {
    "3.15", "guide §4.4", "requests can be cancelled while they are under way", HOLDS, NULL};

struct outcome {
    bool done;
    int status;
    struct todo_work_done work;
};

static void answer(struct call *call, const uint8_t *bytes, size_t length)
{
    struct outcome *outcome = call->state;
    if (todo_read_work_done(bytes, length, &outcome->work))
        die("an answer that is no WorkDone");
}

static void ended(struct call *call)
{
    struct outcome *outcome = call->state;
    outcome->done = true;
    outcome->status = call->status;
    story_event("a call of work: %s", rpc_status_name(call->status));
}

static struct call *begin_work(struct outcome *outcome, int steps)
{
    static const struct handler handler = {
        .path = "/toDo.ToDo/work", .message = answer, .ended = ended};
    struct protobuf_writer message = stage_work(steps, STEP_MS);
    struct call *call = channel_call(&channel, &handler, outcome, 0);
    story_event("work: %d steps of %d ms", steps, STEP_MS);
    call_send(call, message.out, message.length);
    call_half_close(call);
    return call;
}

static void wait_for(int ms)
{
    static const bool never = false;
    channel_await(&channel, &never, ms);
}

void scene_cancel(void)
{
    static struct outcome long_work, other_work;
    stage_open(&channel);
    struct todo_work_done before = stage_read_work(&channel);
    story_say("Two calls of work on one connection. After a few steps the client cancels the "
              "longer one: RST_STREAM, error code CANCEL.");
    story_timeline();
    struct call *call = begin_work(&long_work, STEPS);
    begin_work(&other_work, OTHER);
    while (stage_read_work(&channel).steps < before.steps + SOON)
        ;
    story_event("cancels");
    call_cancel(call);
    channel_await(&channel, &other_work.done, CHANNEL_PATIENCE_MS);
    story_quiet(true);
    struct todo_work_done after = stage_read_work(&channel);
    wait_for(LATER_MS);
    struct todo_work_done later = stage_read_work(&channel);
    channel_close(&channel);
    int done = after.steps - before.steps - OTHER;
    story_head("|steps asked for|steps done|status");
    story_row("the call that was cancelled|%d|%d|%s", STEPS, done,
              rpc_status_name(long_work.status));
    story_row("the other call|%d|%d|%s", OTHER, other_work.work.steps,
              rpc_status_name(other_work.status));
    bool stopped = done > 0 && done < STEPS && later.steps == after.steps &&
                   after.running == before.running;
    bool other = other_work.status == RPC_OK && other_work.work.steps == OTHER;
    claim_report(
        &cancelable, holds_if(stopped && other && long_work.status == RPC_CANCELLED),
        "the work stopped after %d of %d steps, and %d ms later there were %d more. The "
        "other call was not disturbed; with HTTP/1.1 the client would have to close the "
        "connection. What was done is not undone",
        done, STEPS, LATER_MS, later.steps - after.steps);
}
