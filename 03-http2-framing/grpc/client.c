// client.c: calls the functions of a server of to-dos. It works with any server of todo.proto.
//
// Run:    ./client                       creates a to-do, reads the list: guide §4.4's client
//         ./client create "Do laundry", list, health          one message each way
//         ./client stream, watch         the server streams: the list; and what is new
//         ./client many A B C            the client streams; exchange A B C: both do
//         ./client work 100 20           100 steps of 20 ms; with --timeout 500 it is ended
// Watch:  the status that ends a call, if it is not OK.
//
// Read methods[] first: which method a command calls, what it writes, what prints the answer;
// then call_method(). call.c, call_receive.c and rpc.c are the server's, too; see
// parts/channel.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "error_details.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "text.h"
#include "todo.h"

static struct channel channel;
static int timeout_ms;
static bool is_over, failed;

// The client writes one message for each word. The server chooses an item's id.
static void write_item(struct protobuf_writer *writer, char **words)
{
    struct todo_item item = {.text = (const uint8_t *)*words, .length = strlen(*words)};
    todo_put_item(writer, &item);
}

static void write_work(struct protobuf_writer *writer, char **words)
{
    protobuf_put_int(writer, 1, atoi(words[0]));
    if (words[1])
        protobuf_put_int(writer, 2, atoi(words[1]));
}

static void print_one(const struct todo_item *item)
{
    printf("%d  ", item->id);
    output_bytes(item->text, item->length);
    putchar('\n');
}

// Each prints a message, and returns NULL, or why the bytes are no such message.
static const char *print_item(const uint8_t *bytes, size_t length)
{
    struct todo_item item;
    const char *wrong = todo_read_item(bytes, length, &item);
    if (!wrong)
        print_one(&item);
    return wrong;
}

static const char *print_items(const uint8_t *bytes, size_t length)
{
    return todo_read_items(bytes, length, print_one);
}

static const char *print_work(const uint8_t *bytes, size_t length)
{
    struct todo_work_done done;
    const char *wrong = todo_read_work_done(bytes, length, &done);
    if (!wrong)
        printf("%d steps are done\n", done.steps);
    return wrong;
}

static const char *print_health(const uint8_t *bytes, size_t length)
{
    bool serving = length == 2 && bytes[0] == 8 && bytes[1] == 1;
    puts(serving ? "SERVING" : "not SERVING");
    return NULL;
}

// What a command calls. Without `write` the client sends one empty message.
struct method {
    const char *command;
    int least, most; // words that follow
    const char *path;
    void (*write)(struct protobuf_writer *writer, char **words);
    const char *(*print)(const uint8_t *bytes, size_t length);
};

static const struct method methods[] = {
    {"create", 1, 1, "/toDo.ToDo/createToDo", write_item, print_item},
    {"list", 0, 0, "/toDo.ToDo/readToDos", NULL, print_items},
    {"stream", 0, 0, "/toDo.ToDo/readToDosStream", NULL, print_item},
    {"watch", 0, 0, "/toDo.ToDo/watchToDos", NULL, print_item},
    {"many", 0, 10000, "/toDo.ToDo/createToDos", write_item, print_items},
    {"exchange", 0, 10000, "/toDo.ToDo/exchangeToDos", write_item, print_item},
    {"work", 1, 2, "/toDo.ToDo/work", write_work, print_work},
    {"health", 0, 0, "/grpc.health.v1.Health/Check", NULL, print_health},
    {0}};

static void message(struct call *call, const uint8_t *bytes, size_t length)
{
    const struct method *method = call->state;
    const char *wrong = method->print(bytes, length);
    if (wrong)
        die("an answer that is no message of this method: %s", wrong);
    output_flush();
}

// The trailers may say more about an error than a code and a text.
static void trailers(struct call *call, const struct hpack_list *fields)
{
    struct error_details details = error_details_read(fields);
    (void)call;
    make_printable(details.field);
    make_printable(details.why);
    if (*details.field)
        fprintf(stderr, "google.rpc.BadRequest: %s: %s\n", details.field, details.why);
}

static void ended(struct call *call)
{
    is_over = true;
    failed = call->status != RPC_OK;
    make_printable(call->text);
    if (failed)
        fprintf(stderr, "client: %s ended with %s%s%s\n", call->handler->path,
                rpc_status_name(call->status), *call->text ? ":\n  " : "", call->text);
}

// Calls a method: sends its messages, prints those that come, and waits for the status.
static void call_method(const struct method *method, char **words)
{
    static uint8_t bytes[65536];
    struct handler handler = {
        .path = method->path, .message = message, .trailers = trailers, .ended = ended};
    struct call *call = channel_call(&channel, &handler, (void *)method, timeout_ms);
    int messages = 0;
    while (method->write == write_item && words[messages])
        messages++;
    is_over = false;
    for (int i = 0; i < messages + (method->write != write_item) && !is_over; i++) {
        struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
        if (method->write)
            method->write(&writer, words + i);
        if (writer.no_room)
            die("a message of more than %zu bytes", sizeof bytes);
        call_send(call, bytes, writer.length);
        channel_step(&channel, 0);
    }
    if (!is_over)
        call_half_close(call);
    while (!is_over && channel_step(&channel, -1))
        ;
}

// Finds the method that a command names, or rejects the command.
static const struct method *find_method(const char *command, int words)
{
    const struct method *method = methods;
    while (method->command && strcmp(method->command, command))
        method++;
    if (!method->command || words < method->least || words > method->most)
        options_reject("there is no command '%s' with %d words", command, words);
    return method;
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8103;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"timeout", OPTION_INT, &timeout_ms, 0, 86400000, "ms for the call; 0: no deadline"},
        {0}};
    static char *laundry[] = {(char *)"Do laundry", NULL};
    int first = options_parse(
        argc, argv,
        &(struct command){
            "[COMMAND [WORD...]]",
            "Calls a server of to-dos: create TEXT, list, stream, watch, many TEXT...,\n"
            "exchange TEXT..., work STEPS [MS], health. Without COMMAND: create, list.",
            options});
    const struct method *method = find_method("create", 1);
    char **words = laundry;
    if (first < argc) {
        method = find_method(argv[first], argc - first - 1);
        words = argv + first + 1;
    }
    output_begin();
    channel_connect(&channel, host, port);
    call_method(method, words);
    if (first == argc) // guide §4.4's client
        call_method(find_method("list", 0), words + 1);
    channel_close(&channel);
    output_flush();
    return failed;
}
