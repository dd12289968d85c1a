// load.c: calls for bench.sh: prints how much CPU time a server has used for each, in
// microseconds (user and system, all its threads, as the kernel counts them), and its largest
// memory.
//
// Run:    build/load --port 8103 --pid PID --calls 10000 --at-once 50 [--stream]
#include <dirent.h>
#include <stdio.h>

#include "net.h"
#include "options.h"
#include "reply.h"

#define AT_ONCE_MAX 1000

static struct channel channel;
static int port, pid, calls = 10000, at_once = 1, came;
static bool streamed, over;

// Nanoseconds of CPU time of all threads, as the scheduler counts them.
static double used_ns(void)
{
    char path[300];
    double sum = 0, thread_ns;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    if (!threads)
        die("there is no process %d", pid);
    for (struct dirent *thread; (thread = readdir(threads));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread->d_name);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%lf", &thread_ns) == 1)
            sum += thread_ns;
        if (file)
            fclose(file);
    }
    closedir(threads);
    return sum;
}

static void call_in_rounds(int count)
{
    static struct reply replies[AT_ONCE_MAX];
    struct handler handler = reply_handler("/toDo.ToDo/createToDo");
    for (int done = 0; done < count; done += at_once) {
        for (int i = 0; i < at_once; i++)
            channel_send(&channel, &handler,
                         "\x12\x0a"
                         "Do laundry",
                         12, 0, &replies[i]);
        for (int i = 0; i < at_once; i++) {
            channel_await(&channel, &replies[i].done, CHANNEL_PATIENCE_MS);
            if (replies[i].status != RPC_OK)
                die("a call ended with %s: %s", rpc_status_name(replies[i].status),
                    replies[i].text);
            reply_free(&replies[i]);
        }
    }
}

static void count(struct call *call, const uint8_t *bytes, size_t length)
{
    (void)call;
    (void)bytes;
    (void)length;
    came++;
}

static void note_end(struct call *call)
{
    over = true;
    if (call->status != RPC_OK)
        die("the stream ended with %s: %s", rpc_status_name(call->status), call->text);
}

// One call, with so many messages each way.
static void stream(int messages)
{
    static const struct handler handler = {
        .path = "/toDo.ToDo/exchangeToDos", .message = count, .ended = note_end};
    struct call *call = channel_call(&channel, &handler, NULL, 0);
    for (int i = 0; i < messages && !over; i++) {
        call_send(call,
                  "\x12\x0a"
                  "Do laundry",
                  12);
        while (!over && !call_has_room(call) && channel_step(&channel, 1000))
            ;
    }
    if (!over)
        call_half_close(call);
    channel_await(&channel, &over, CHANNEL_PATIENCE_MS);
    if (came != messages)
        die("%d of %d messages came", came, messages);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"port", OPTION_INT, &port, 1, 65535, "of the server, here"},
        {"pid", OPTION_INT, &pid, 1, 4194304, "of the server"},
        {"calls", OPTION_INT, &calls, 1, 10000000, "or messages"},
        {"at-once", OPTION_INT, &at_once, 1, AT_ONCE_MAX, "calls on their way"},
        {"stream", OPTION_FLAG, &streamed, .help = "one call with all messages"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "Calls createToDo.", options});
    channel_connect(&channel, "127.0.0.1", port);
    call_in_rounds(at_once); // the server's code is warm
    double before = used_ns();
    if (streamed)
        stream(calls);
    else
        call_in_rounds(calls);
    double after = used_ns();
    channel_close(&channel);
    printf("%.3f\n", (after - before) / 1000 / calls);
    return 0;
}
