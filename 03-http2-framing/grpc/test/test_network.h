// test_network.h: the server over sockets: many calls at once, slow readers, refusals of HTTP,
// bytes that are no gRPC, a stop with calls under way.
#ifndef TEST_NETWORK_H
#define TEST_NETWORK_H

#include <poll.h>

#include "datagram.h"
#include "frame.h"
#include "hpack.h"
#include "measure.h"
#include "reply.h"
#include "test_server.h"
#include "todo.h"

#define AT_ONCE 1000

static inline int start_grpc(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./server --quiet --port 0 %s", options);
    int port = test_start(pid, command);
    CHECK(port > 0);
    return port;
}

// One call on a connection of its own. Returns its status.
static inline int ask_once(int port, const char *path, const void *message, size_t length)
{
    static struct channel channel;
    struct reply reply = {0};
    channel_connect(&channel, "127.0.0.1", port);
    channel_ask(&channel, path, message, length, 0, &reply);
    reply_free(&reply);
    channel_close(&channel);
    return reply.status;
}

TEST(a_thousand_calls_at_once)
{
    static struct channel channel;
    static struct reply replies[AT_ONCE];
    pid_t pid;
    int port = start_grpc(&pid, "--streams 1000");
    channel_connect(&channel, "127.0.0.1", port);
    struct handler handler = reply_handler("/toDo.ToDo/work");
    int ok = 0;
    CHECK_INT(ask_once(port, "/toDo.ToDo/readWork", NULL, 0), RPC_OK);
    for (int i = 0; i < AT_ONCE; i++) // five steps of 10 ms
        channel_send(&channel, &handler, "\x08\x05\x10\x0a", 4, 0, &replies[i]);
    CHECK_AT_LEAST(channel.calls.transport.streams.count, 900);
    for (int i = 0; i < AT_ONCE; i++) {
        channel_await(&channel, &replies[i].done, CHANNEL_PATIENCE_MS);
        ok += replies[i].status == RPC_OK && replies[i].messages == 1;
        reply_free(&replies[i]);
    }
    CHECK_INT(ok, AT_ONCE);
    channel_close(&channel);
    CHECK_INT(test_stop(pid), 0);
}

// Reads what has come. True: the server has closed the connection.
static bool has_ended(int fd)
{
    char bytes[1000];
    struct pollfd readable = {fd, POLLIN, 0};
    while (poll(&readable, 1, 0) == 1)
        if (recv(fd, bytes, sizeof bytes, 0) <= 0)
            return true;
    return false;
}

// A client has ten seconds for its preface, and a byte now and then buys no more. So its
// connection ends before that of a client which came later, and has done nothing for 15
// seconds.
TEST(a_preface_has_a_limited_time)
{
    static const char settings[9] = {0, 0, 0, FRAME_SETTINGS};
    pid_t pid;
    int port = start_grpc(&pid, "--idle-ms 15000"), at = 0;
    int slow = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(slow, PREFACE, 1));
    int idle = net_connect_or_die("127.0.0.1", port);
    CHECK(write_all(idle, PREFACE, strlen(PREFACE)));
    CHECK(write_all(idle, settings, sizeof settings));
    while (!has_ended(slow)) {
        if (has_ended(idle)) {
            FAIL("the idle connection has ended, and the slow one has not");
            break;
        }
        sleep_ms(500);
        if (++at < (int)strlen(PREFACE) - 1)
            send(slow, &PREFACE[at], 1, MSG_NOSIGNAL);
    }
    close(slow);
    close(idle);
    CHECK_INT(test_stop(pid), 0);
}

// More calls than the server allows on a connection: the client waits for its turn.
TEST(no_more_calls_than_allowed)
{
    static struct channel channel;
    static struct reply replies[40];
    pid_t pid;
    int port = start_grpc(&pid, "--streams 4"), ok = 0;
    channel_connect(&channel, "127.0.0.1", port);
    struct handler handler = reply_handler("/toDo.ToDo/work");
    CHECK(channel_ask(&channel, "/toDo.ToDo/readWork", NULL, 0, 0, &replies[0]));
    reply_free(&replies[0]);
    for (int i = 0; i < 40; i++) {
        channel_send(&channel, &handler, "\x08\x02\x10\x01", 4, 0, &replies[i]);
        CHECK_AT_MOST(channel.calls.transport.streams.count, 4);
    }
    for (int i = 0; i < 40; i++) {
        channel_await(&channel, &replies[i].done, CHANNEL_PATIENCE_MS);
        ok += replies[i].status == RPC_OK;
        reply_free(&replies[i]);
    }
    CHECK_INT(ok, 40);
    channel_close(&channel);
    CHECK_INT(test_stop(pid), 0);
}

// ---- streams of many messages --------------------------------------------------------------

static long counted;
static bool count_ended;

static void count_message(struct call *call, const uint8_t *bytes, size_t length)
{
    (void)call;
    (void)bytes;
    (void)length;
    counted++;
}

static void note_end(struct call *call)
{
    count_ended = call->status == RPC_OK;
}

// 100,000 messages to the server, each of which comes back: neither side keeps them.
TEST(a_hundred_thousand_messages_flat_in_memory)
{
    static struct channel channel;
    static const struct handler handler = {
        .path = "/toDo.ToDo/exchangeToDos", .message = count_message, .ended = note_end};
    pid_t pid;
    int port = start_grpc(&pid, ""), messages = 100000;
    channel_connect(&channel, "127.0.0.1", port);
    struct call *call = channel_call(&channel, &handler, NULL, 0);
    for (int i = 0; i < 10000; i++) { // until the list of to-dos is full
        call_send(call, "\x12\x02hi", 4);
        while (!call_has_room(call) && channel_step(&channel, 1000))
            ;
    }
    long before = memory_kb(pid, "VmHWM");
    for (int i = 10000; i < messages; i++) {
        call_send(call, "\x12\x02hi", 4);
        while (!call_has_room(call) && channel_step(&channel, 1000))
            ;
    }
    call_half_close(call);
    CHECK(channel_await(&channel, &count_ended, CHANNEL_PATIENCE_MS));
    CHECK_INT(counted, messages);
    if (!SANITIZED)
        CHECK_AT_MOST(memory_kb(pid, "VmHWM") - before, 1024);
    channel_close(&channel);
    CHECK_INT(test_stop(pid), 0);
}

// 200 calls ask for megabytes, and their clients read nothing: the server keeps little for
// each, and serves others meanwhile.
TEST(slow_readers)
{
    static struct channel slow[20];
    static const struct handler handler = {.path = "/grpc.testing.TestService/FullDuplexCall"};
    static uint8_t message[8000];
    struct protobuf_writer writer = {message, 0, sizeof message, false};
    pid_t pid;
    int port = start_grpc(&pid, "--interop");
    for (int k = 0; k < 900; k++) { // 900 responses of 10,000 bytes
        size_t begun = protobuf_begin(&writer, 2);
        protobuf_put_int(&writer, 1, 10000);
        protobuf_end(&writer, begun);
    }
    long before = memory_kb(pid, "VmRSS");
    for (int i = 0; i < 20; i++) {
        channel_connect(&slow[i], "127.0.0.1", port);
        for (int k = 0; k < 10; k++) {
            struct call *call = channel_call(&slow[i], &handler, NULL, 0);
            call->hold = true;
            call_send(call, message, writer.length);
        }
        for (int step = 0; step < 20; step++)
            channel_step(&slow[i], 1);
    }
    for (int i = 0; i < 20; i++)
        CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
    if (!SANITIZED) // 1.8 GB were asked for
        CHECK_AT_MOST(memory_kb(pid, "VmRSS") - before, 200 * 200);
    for (int i = 0; i < 20; i++)
        channel_close(&slow[i]);
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
    CHECK_INT(test_stop(pid), 0);
}

// A watcher is told of each new item, by a call of another connection.
TEST(watchers_are_told)
{
    static struct channel channel;
    static const struct handler handler = {.path = "/toDo.ToDo/watchToDos",
                                           .message = count_message};
    pid_t pid;
    int port = start_grpc(&pid, "");
    channel_connect(&channel, "127.0.0.1", port);
    struct call *call = channel_call(&channel, &handler, NULL, 0);
    call_send(call, NULL, 0);
    call_half_close(call);
    for (int i = 1; i <= 20; i++) {
        CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
        for (int step = 0; counted < i && step < 1000; step++)
            channel_step(&channel, 10);
        CHECK_INT(counted, i);
    }
    channel_close(&channel);
    CHECK_INT(test_stop(pid), 0);
}

// SIGTERM: a call that is under way ends well, and a new one is not taken.
TEST(a_stop_with_calls_under_way)
{
    static struct channel channel;
    static const struct handler watch = {.path = "/toDo.ToDo/watchToDos", .ended = note_end};
    struct reply work = {0};
    pid_t pid;
    int port = start_grpc(&pid, "");
    channel_connect(&channel, "127.0.0.1", port);
    struct handler handler = reply_handler("/toDo.ToDo/work");
    struct call *watcher = channel_call(&channel, &watch, NULL, 0);
    call_send(watcher, NULL, 0);
    call_half_close(watcher);
    channel_send(&channel, &handler, "\x08\xc8\x01\x10\x0a", 5, 0, &work); // 2 s
    channel_step(&channel, 100);
    kill(pid, SIGTERM);
    channel_await(&channel, &channel.calls.transport.went_away, CHANNEL_PATIENCE_MS);
    CHECK(!work.done);
    CHECK(!call_open(&channel.calls, &handler, &work, 0));
    channel_await(&channel, &work.done, CHANNEL_PATIENCE_MS);
    CHECK_INT(work.status, RPC_OK);
    reply_free(&work);
    while (channel_step(&channel, 1000))
        ;
    int status;
    waitpid(pid, &status, 0);
    CHECK_INT(exit_status(status), 0);
}

// A connection without a call is ended after --idle-ms; one with a call is not.
TEST(an_idle_connection_is_ended)
{
    static struct channel channel;
    struct reply work = {0};
    pid_t pid;
    int port = start_grpc(&pid, "--idle-ms 300");
    channel_connect(&channel, "127.0.0.1", port);
    int64_t begun_ns = now_ns();
    CHECK(channel_ask(&channel, "/toDo.ToDo/work", "\x08\x3c\x10\x0a", 4, 0, &work)); // 600 ms
    reply_free(&work);
    channel_await(&channel, &channel.calls.transport.went_away, CHANNEL_PATIENCE_MS);
    CHECK(channel.calls.transport.went_away);
    CHECK_AT_LEAST((now_ns() - begun_ns) / 1000000, 890);
    channel_close(&channel);
    CHECK_INT(test_stop(pid), 0);
}

// ---- requests of HTTP/2 that are no call ---------------------------------------------------

// Sends a request with these fields, and DATA that ends it. Returns the answer's status field,
// its grpc-status in *grpc (-1: none); 0: the stream was reset, -1: the connection is at its
// end.
static int raw_request(int port, const struct hpack_field *fields, size_t count, int *grpc)
{
    static struct hpack_list list;
    static uint8_t bytes[70000];
    struct hpack_encoder encoder;
    struct hpack_decoder decoder;
    int fd = net_connect("127.0.0.1", port), status = -2;
    uint8_t *end = bytes, *block;
    size_t length = 0;
    *grpc = -1;
    hpack_encoder_begin(&encoder);
    hpack_decoder_begin(&decoder);
    memcpy(end, PREFACE, PREFACE_BYTES);
    end = frame_put_settings(end + PREFACE_BYTES, NULL, 0);
    block = end + FRAME_HEADER_BYTES;
    uint8_t *block_end = hpack_encode(&encoder, block, fields, count);
    size_t block_length = (size_t)(block_end - block);
    if (block_length <= FRAME_SIZE_DEFAULT) {
        frame_put_header(end, (uint32_t)block_length, FRAME_HEADERS, FLAG_END_HEADERS, 1);
        end = block_end;
    } else { // and CONTINUATION
        memmove(block + FRAME_SIZE_DEFAULT + FRAME_HEADER_BYTES, block + FRAME_SIZE_DEFAULT,
                block_length - FRAME_SIZE_DEFAULT);
        frame_put_header(end, FRAME_SIZE_DEFAULT, FRAME_HEADERS, 0, 1);
        frame_put_header(block + FRAME_SIZE_DEFAULT,
                         (uint32_t)block_length - FRAME_SIZE_DEFAULT, FRAME_CONTINUATION,
                         FLAG_END_HEADERS, 1);
        end = block_end + FRAME_HEADER_BYTES;
    }
    end = frame_put_header(end, 9, FRAME_DATA, FLAG_END_STREAM, 1);
    memcpy(end, "\0\0\0\0\4\x12\x02hi", 9);
    CHECK(write_all(fd, bytes, (size_t)(end + 9 - bytes)));
    while (status == -2) {
        struct pollfd in = {fd, POLLIN, 0};
        ssize_t got = 0;
        if (poll(&in, 1, 5000) == 1)
            got = read(fd, bytes + length, sizeof bytes - length);
        if (got <= 0)
            status = -1;
        else
            length += (size_t)got;
        struct frame frame;
        for (size_t at = 0; status == -2 && at + FRAME_HEADER_BYTES <= length;) {
            frame_read_header(bytes + at, &frame);
            if (at + FRAME_HEADER_BYTES + frame.length > length)
                break;
            at += FRAME_HEADER_BYTES + frame.length;
            if (frame.type == FRAME_RST_STREAM)
                status = 0;
            if (frame.type != FRAME_HEADERS)
                continue;
            CHECK(hpack_decode(&decoder, frame.payload, frame.length, &list));
            for (size_t i = 0; i < list.count; i++) {
                const struct hpack_field *field = &list.fields[i];
                if (field->name_length == 7 && !memcmp(field->name, ":status", 7))
                    status = atoi(field->value);
                if (field->name_length == 11 && !memcmp(field->name, "grpc-status", 11))
                    *grpc = atoi(field->value);
            }
        }
    }
    hpack_table_free(&encoder.table);
    hpack_table_free(&decoder.table);
    close(fd);
    return status;
}

// A call, with one field changed, added, or (value NULL) left out.
static int changed_call(int port, const char *name, const char *value, int *grpc)
{
    struct hpack_field fields[8] = {hpack_field(":method", "POST"),
                                    hpack_field(":scheme", "http"),
                                    hpack_field(":path", "/toDo.ToDo/createToDo"),
                                    hpack_field(":authority", "test"),
                                    hpack_field("te", "trailers"),
                                    hpack_field("content-type", "application/grpc")};
    size_t count = 6, at = 0;
    while (at < count && strcmp(fields[at].name, name))
        at++;
    if (value)
        fields[at] = hpack_field(name, value);
    else
        memmove(&fields[at], &fields[at + 1], (count - at) * sizeof *fields);
    if (at == count)
        count++;
    if (!value)
        count--;
    return raw_request(port, fields, count, grpc);
}

TEST(requests_that_are_no_call)
{
    static char large[20000];
    static const struct {
        const char *name, *value;
        int status, grpc;
    } cases[] = {{"x-more", "1", 200, -1},
                 {":method", "GET", 405, -1},
                 {"content-type", "application/json", 415, -1},
                 {"content-type", "application/grpcx", 415, -1},
                 {"content-type", NULL, 415, -1},
                 {"content-type", "application/grpc+proto", 200, -1},
                 {"grpc-timeout", "1x", 200, RPC_INTERNAL},
                 {"grpc-timeout", "0n", 200, RPC_DEADLINE_EXCEEDED},
                 {"grpc-encoding", "identity", 200, -1},
                 {":path", "/none/none", 200, RPC_UNIMPLEMENTED},
                 {":path", "none", 0, -1},
                 {":path", NULL, 0, -1},
                 {"connection", "close", 0, -1},
                 {"X-Upper", "1", 0, -1},
                 {"content-length", "8", 0, -1},
                 {"content-length", "9", 200, -1},
                 {"x-large", large, 431, -1}};
    pid_t pid;
    int port = start_grpc(&pid, ""), grpc;
    memset(large, '~', sizeof large - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = changed_call(port, cases[i].name, cases[i].value, &grpc);
        if (status != cases[i].status || (grpc != cases[i].grpc && cases[i].status))
            FAIL("%s: %.40s: expected %d and %d, got %d and %d", cases[i].name,
                 cases[i].value ? cases[i].value : "(none)", cases[i].status, cases[i].grpc,
                 status, grpc);
    }
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
    CHECK_INT(test_stop(pid), 0);
}

// A client that opens calls and resets them at once, without end: its connection is closed.
TEST(calls_that_are_only_reset)
{
    uint8_t bytes[200];
    pid_t pid;
    int port = start_grpc(&pid, ""), fd = net_connect("127.0.0.1", port);
    struct hpack_encoder encoder;
    hpack_encoder_begin(&encoder);
    struct hpack_field fields[] = {
        hpack_field(":method", "POST"), hpack_field(":scheme", "http"),
        hpack_field(":path", "/toDo.ToDo/watchToDos"), hpack_field(":authority", "test"),
        hpack_field("content-type", "application/grpc")};
    signal(SIGPIPE, SIG_IGN);
    CHECK(write_all(fd, PREFACE "\0\0\0\4\0\0\0\0\0", PREFACE_BYTES + 9));
    int sent = 0;
    for (uint32_t id = 1; id < 4000; id += 2) {
        uint8_t *end = hpack_encode(&encoder, bytes + FRAME_HEADER_BYTES, fields, 5);
        frame_put_header(bytes, (uint32_t)(end - bytes - FRAME_HEADER_BYTES), FRAME_HEADERS,
                         FLAG_END_HEADERS, id);
        end = frame_put_rst_stream(end, id, CANCEL);
        if (!write_all(fd, bytes, (size_t)(end - bytes)))
            break;
        sent++;
    }
    static char answer[70000];
    size_t length = read_to_end(fd, answer, sizeof answer);
    CHECK(memmem(answer, length, "too many ", 9)); // GOAWAY says which
    CHECK_AT_LEAST(sent, 100);
    hpack_table_free(&encoder.table);
    close(fd);
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
    CHECK_INT(test_stop(pid), 0);
}

// Servers that answer what is no gRPC: the client says a status, and does not wait.
TEST(clients_of_servers_that_are_wrong)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *says;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, "UNAVAILABLE"},
        {"", 0, "UNAVAILABLE"},
        {"\0\0\0\4\0\0\0\0\0", 9, "UNAVAILABLE"}, // SETTINGS, and the end
        // SETTINGS; HEADERS with :status 404, which end the stream
        {"\0\0\0\4\0\0\0\0\0\0\0\1\1\5\0\0\0\1\x8d", 19,
         "UNIMPLEMENTED:\n  an answer without grpc-status, HTTP status 404\n"},
        // :status 200 without content-type
        {"\0\0\0\4\0\0\0\0\0\0\0\1\1\5\0\0\0\1\x88", 19, "UNKNOWN"},
        // RST_STREAM REFUSED_STREAM
        {"\0\0\0\4\0\0\0\0\0\0\0\4\3\0\0\0\0\1\0\0\0\7", 22, "UNAVAILABLE"},
        // GOAWAY: stream 1 was not looked at
        {"\0\0\0\4\0\0\0\0\0\0\0\x8\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 26, "UNAVAILABLE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[100];
        int port = test_fake_server(cases[i].bytes, cases[i].length, false);
        snprintf(command, sizeof command, "timeout 10 ./client --port %d list", port);
        CHECK_INT(test_run(command), 1);
        CHECK_HAS(test_output, cases[i].says);
    }
}

static int lost_status = -1;

static void note_status(struct call *call)
{
    lost_status = (int)call->status;
}

// A connection that is reset before the client sends: the call ends, although nothing will ever
// come that could wake the client.
TEST(a_lost_connection_ends_its_calls_at_once)
{
    static const struct handler handler = {.path = "/a/b", .ended = note_status};
    static struct channel channel;
    struct linger reset = {1, 0};
    int listener = net_listen("127.0.0.1", 0, 5);
    struct sockaddr_storage here = address_of_socket(listener);
    channel_connect(&channel, "127.0.0.1", address_port(&here));
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    struct call *call = channel_call(&channel, &handler, NULL, 0);
    call_send(call, "\x12\x02hi", 4);
    call_half_close(call);
    int64_t began_ns = now_ns();
    while (lost_status < 0 && channel_step(&channel, -1))
        ;
    CHECK_INT(lost_status, RPC_UNAVAILABLE);
    CHECK_AT_MOST(ms_since(began_ns), 10000); // not until the stream's own deadline, after 30 s
    channel_close(&channel);
    close(listener);
}

TEST(commands_of_the_client)
{
    char command[200];
    pid_t pid;
    int port = start_grpc(&pid, "");
    static const struct {
        const char *words;
        int status;
        const char *says;
    } cases[] = {{"", 0, "1  Do laundry\n1  Do laundry\n"},
                 {"create tidy", 0, "2  tidy\n"},
                 {"many a b", 0, "3  a\n4  b\n"},
                 {"exchange c d", 0, "5  c\n6  d\n"},
                 {"stream", 0, "5  c\n6  d\n"},
                 {"work 2 1", 0, "2 steps are done\n"},
                 {"health", 0, "SERVING\n"},
                 {"--timeout 30 watch", 1, "DEADLINE_EXCEEDED"},
                 {"create ''", 1, "google.rpc.BadRequest: text"},
                 {"work 0", 1, "INVALID_ARGUMENT"},
                 {"create", 2, "no command 'create' with 0 words"},
                 {"nothing", 2, "no command 'nothing'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command, "timeout 10 ./client --port %d %s", port,
                 cases[i].words);
        CHECK_INT(test_run(command), cases[i].status);
        CHECK_HAS(test_output, cases[i].says);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(no_leak)
{
    pid_t pid;
    if (!has_valgrind())
        return; // a sanitizer looks already
    int port = test_start(&pid, VALGRIND "./server --quiet --interop --port 0");
    CHECK(port > 0);
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4), RPC_OK);
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDos", "\x12\x02hi", 4), RPC_OK);
    CHECK_INT(ask_once(port, "/toDo.ToDo/createToDo", "\x12\x7f", 2), RPC_INTERNAL);
    CHECK_INT(ask_once(port, "/toDo.ToDo/readToDos", "", 0), RPC_OK);
    CHECK_INT(test_stop(pid), 0);
}

#endif
