// test_calls.h: calls between a client and a server in one program (pair.h): cut anywhere,
// held, cancelled, timed out, malformed.
#ifndef TEST_CALLS_H
#define TEST_CALLS_H

#include "pair.h"
#include "test_server.h"

#define CREATE   "/toDo.ToDo/createToDo"
#define EXCHANGE "/toDo.ToDo/exchangeToDos"
#define WORK     "/toDo.ToDo/work"
#define ITEM     "\x12\x02hi"

static struct pair pair;

// Each message, whatever the pieces are in which the bytes come.
TEST(messages_cut_at_every_byte)
{
    for (size_t piece = 1; piece < 200; piece++) {
        struct seen one, many;
        pair_begin(&pair);
        pair.piece = piece;
        struct call *stream = pair_call(&pair, EXCHANGE, 0, &many);
        for (int i = 0; i < 10; i++)
            call_send(stream, ITEM, 4);
        pair_ask(&pair, CREATE, ITEM, 4, &one);
        CHECK(one.ended && one.status == RPC_OK && one.messages == 1);
        CHECK_INT(many.messages, 10);
        CHECK(!many.ended);
        call_half_close(stream);
        pair_run(&pair);
        CHECK(many.ended && many.status == RPC_OK && many.messages == 10);
        CHECK_INT(pair.server.calls.transport.streams.count, 0);
        CHECK_INT(pair.client.calls.transport.streams.count, 0);
        pair_end(&pair);
    }
}

// DATA frames that the client cuts by itself: each length of the first frame.
TEST(messages_cut_by_frames)
{
    for (uint32_t cut = 0; cut <= 18; cut++) {
        struct seen seen;
        uint8_t bytes[18];
        pair_begin(&pair);
        struct call *call = pair_call(&pair, EXCHANGE, 0, &seen);
        pair_run(&pair);
        for (int i = 0; i < 2; i++) {
            rpc_put_prefix(bytes + 9 * i, 4);
            memcpy(bytes + 9 * i + 5, ITEM, 4);
        }
        pair_lend(&pair, &pair.client);
        transport_put_data(&pair.client.calls.transport, call->stream, bytes, cut, false);
        transport_put_data(&pair.client.calls.transport, call->stream, bytes + cut, 18 - cut,
                           true);
        pair_collect(&pair.client);
        pair_run(&pair);
        CHECK(seen.ended && seen.status == RPC_OK && seen.messages == 2);
        pair_end(&pair);
    }
}

// Sends bytes as DATA that ends the stream. Returns the status.
static int status_of_bytes(const char *path, const void *bytes, size_t length)
{
    struct seen seen;
    pair_begin(&pair);
    struct call *call = pair_call(&pair, path, 0, &seen);
    pair_run(&pair);
    pair_lend(&pair, &pair.client);
    transport_put_data(&pair.client.calls.transport, call->stream, bytes, (uint32_t)length,
                       true);
    pair_collect(&pair.client);
    pair_run(&pair);
    CHECK(seen.ended);
    pair_end(&pair);
    return seen.status;
}

TEST(prefixes_that_are_wrong)
{
    CHECK_INT(status_of_bytes(CREATE, "\0\0\0\0\4" ITEM, 9), RPC_OK);
    CHECK_INT(status_of_bytes(CREATE, "\1\0\0\0\4" ITEM, 9), RPC_INTERNAL);
    CHECK_INT(status_of_bytes(CREATE, "\2\0\0\0\4" ITEM, 9), RPC_INTERNAL);
    CHECK_INT(status_of_bytes(CREATE, "\0\0\0\0\5" ITEM, 9), RPC_INTERNAL); // cut short
    CHECK_INT(status_of_bytes(CREATE, "\0\0\0", 3), RPC_INTERNAL);
    CHECK_INT(status_of_bytes(CREATE, "", 0), RPC_UNIMPLEMENTED); // no message
    CHECK_INT(status_of_bytes(CREATE, "\0\0\0\0\4" ITEM "\0\0\0\0\4" ITEM, 18),
              RPC_UNIMPLEMENTED); // two of them
    CHECK_INT(status_of_bytes(CREATE, "\0\0\x40\0\1", 5), RPC_RESOURCE_EXHAUSTED);
    CHECK_INT(status_of_bytes(CREATE, "\0\xff\xff\xff\xff", 5), RPC_RESOURCE_EXHAUSTED);
    CHECK_INT(status_of_bytes(EXCHANGE, "", 0), RPC_OK);
    CHECK_INT(status_of_bytes(EXCHANGE, "\0\0\0\0\4" ITEM "\0\0\0\0\0", 14),
              RPC_INVALID_ARGUMENT); // a to-do without a text
}

TEST(a_text_of_a_thousand_bytes_is_the_longest)
{
    uint8_t bytes[TODO_ITEM_BYTES + 10], text[TODO_TEXT_MAX + 1];
    struct seen seen;
    memset(text, 'x', sizeof text);
    pair_begin(&pair);
    for (size_t more = 0; more < 2; more++) {
        struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
        protobuf_put_bytes(&writer, 2, text, TODO_TEXT_MAX + more);
        pair_ask(&pair, CREATE, bytes, writer.length, &seen);
        CHECK_INT(seen.status, more ? RPC_INVALID_ARGUMENT : RPC_OK);
    }
    pair_end(&pair);
}

TEST(methods_that_are_not_there)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {{"/toDo.ToDo/none", RPC_UNIMPLEMENTED},
                 {"/toDo.ToDo", RPC_UNIMPLEMENTED},
                 {"/", RPC_UNIMPLEMENTED},
                 {"//", RPC_UNIMPLEMENTED},
                 {"/toDo.ToDo/createToDo/", RPC_UNIMPLEMENTED},
                 {"/grpc.health.v1.Health/Check", RPC_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen;
        pair_begin(&pair);
        pair_ask(&pair, cases[i].path, NULL, 0, &seen);
        CHECK_INT(seen.status, cases[i].status);
        pair_end(&pair);
    }
}

// The server has answered, and the client has not ended its side. After two seconds the server
// ends the stream; what it has sent is on its way all the time.
TEST(a_call_that_its_client_does_not_end)
{
    static const uint8_t reset[] = "\0\0\4\3\0\0\0\0\1\0\0\0"; // RST_STREAM, NO_ERROR
    struct seen seen;
    const struct bytes *sent = &pair.server.sent;
    const struct streams *open = &pair.server.calls.transport.streams;
    pair_begin(&pair);
    pair_call(&pair, "/toDo.ToDo/none", 0, &seen);
    pair_write(&pair, &pair.client);
    while (pair_move(&pair, &pair.client, &pair.server))
        ;
    pair_write(&pair, &pair.server);
    size_t answer = sent->length;
    pair.now_ns += INT64_C(1900000000);
    pair_write(&pair, &pair.server);
    CHECK_INT(open->count, 1);
    CHECK_INT((long)(sent->length - answer), 0);
    pair.now_ns += INT64_C(200000000);
    pair_write(&pair, &pair.server);
    CHECK_INT(open->count, 0);
    CHECK_INT((long)(sent->length - answer), sizeof reset);
    CHECK(!memcmp(bytes_at(sent) + answer, reset, sizeof reset));
    pair_end(&pair);
}

TEST(health_of_services)
{
    struct seen seen, watch;
    pair_begin(&pair);
    pair_ask(&pair, "/grpc.health.v1.Health/Check", "\x0a\x09toDo.ToDo", 11, &seen);
    CHECK(seen.status == RPC_OK && seen.last_length == 2 && !memcmp(seen.last, "\x08\x01", 2));
    pair_ask(&pair, "/grpc.health.v1.Health/Check", "\x0a\x04toDo", 6, &seen);
    CHECK_INT(seen.status, RPC_NOT_FOUND);
    pair_ask(&pair, "/grpc.health.v1.Health/Watch", "\x0a\x04none", 6, &watch);
    CHECK(!watch.ended && watch.last_length == 2 && !memcmp(watch.last, "\x08\x03", 2));
    pair_ask(&pair, "/grpc.health.v1.Health/Watch", "", 0, &watch);
    CHECK(!watch.ended && watch.last_length == 2 && !memcmp(watch.last, "\x08\x01", 2));
    pair_lend(&pair, &pair.server);
    transport_stop(&pair.server.calls.transport);
    pair_collect(&pair.server);
    calls_wake_all(&pair.server.calls);
    pair_run(&pair);
    CHECK(watch.ended && watch.messages == 2 && !memcmp(watch.last, "\x08\x02", 2));
    CHECK_INT(watch.status, RPC_UNAVAILABLE);
    pair_end(&pair);
}

// ---- time, and cancelling ------------------------------------------------------------------

static int32_t work_under_way(void)
{
    struct seen seen;
    struct todo_work_done done = {0};
    pair_ask(&pair, "/toDo.ToDo/readWork", NULL, 0, &seen);
    todo_read_work_done(seen.last, seen.last_length, &done);
    return done.running;
}

TEST(work_goes_on_by_the_clock)
{
    struct seen seen;
    pair_begin(&pair);
    pair_ask(&pair, WORK, "\x08\x03\x10\x0a", 4, &seen); // three steps of 10 ms
    for (int i = 0; i < 3; i++) {
        CHECK(!seen.ended);
        pair_wait(&pair, 10);
    }
    CHECK(seen.ended && seen.status == RPC_OK);
    pair_end(&pair);
}

TEST(deadlines_end_the_work)
{
    for (int who = 0; who < 3;
         who++) { // both watch the deadline; only the server; only the client
        struct seen seen;
        pair_begin(&pair);
        struct call *call = pair_call(&pair, WORK, 25, &seen);
        call_send(call, "\x08\x64\x10\x0a", 4);
        call_half_close(call);
        if (who == 1)
            call->deadline_ns = NEVER;
        if (who == 2)
            call->timeout_ms = 0;
        pair_run(&pair);
        CHECK_INT(work_under_way(), 1);
        pair_wait(&pair, 24);
        CHECK(!seen.ended);
        pair_wait(&pair, 2);
        CHECK(seen.ended && seen.status == RPC_DEADLINE_EXCEEDED);
        CHECK_INT(work_under_way(), 0);
        CHECK_INT(pair.server.calls.transport.streams.count, 0);
        pair_end(&pair);
    }
}

// The client cancels after so many pieces have moved: at every point of a call.
TEST(cancelled_at_every_point)
{
    for (int steps = 0; steps < 60; steps++) {
        struct seen seen, after;
        pair_begin(&pair);
        pair.piece = 7;
        struct call *call = pair_call(&pair, EXCHANGE, 0, &seen);
        for (int i = 0; i < 3; i++)
            call_send(call, ITEM, 4);
        for (int i = 0; i < steps; i++) {
            pair_write(&pair, &pair.client);
            pair_move(&pair, &pair.client, &pair.server);
            pair_write(&pair, &pair.server);
            pair_move(&pair, &pair.server, &pair.client);
        }
        if (!seen.ended)
            call_cancel(seen.call);
        CHECK(seen.ended && seen.status == RPC_CANCELLED);
        pair_run(&pair);
        CHECK_INT(pair.server.calls.transport.streams.count, 0);
        CHECK_INT(pair.client.calls.transport.streams.count, 0);
        pair_ask(&pair, CREATE, ITEM, 4, &after); // the connection is as good as before
        CHECK_INT(after.status, RPC_OK);
        pair_end(&pair);
    }
}

TEST(a_lost_connection_ends_calls)
{
    struct seen seen;
    pair_begin(&pair);
    pair_ask(&pair, WORK, "\x08\x64\x10\x0a", 4, &seen);
    CHECK_INT(work_under_way(), 1);
    pair_end(&pair);
    CHECK(seen.ended && seen.status == RPC_UNAVAILABLE);
    pair_begin(&pair);
    CHECK_INT(work_under_way(), 0);
    pair_end(&pair);
}

TEST(a_stop_lets_calls_end)
{
    struct seen work, refused;
    pair_begin(&pair);
    pair_ask(&pair, WORK, "\x08\x03\x10\x0a", 4, &work);
    pair_lend(&pair, &pair.server);
    transport_stop(&pair.server.calls.transport);
    pair_collect(&pair.server);
    pair_run(&pair);
    CHECK(!work.ended);
    CHECK(pair.client.calls.transport.went_away);
    CHECK(!pair_call(&pair, CREATE, 0, &refused));
    for (int i = 0; i < 4; i++) {
        pair_wait(&pair, 10);
        pair_lend(&pair, &pair.server);
        transport_stop_on(&pair.server.calls.transport);
        pair_collect(&pair.server);
    }
    CHECK(work.ended && work.status == RPC_OK);
    CHECK(pair.server.calls.transport.closing);
    pair_end(&pair);
}

// ---- flow control --------------------------------------------------------------------------

// A client that does not read: the server's output stays bounded, and other calls go on.
TEST(a_reader_that_stands_still)
{
    struct seen still = {0}, other;
    pair_begin(&pair);
    // 1,000 responses of 10,000 bytes: ten at a time
    struct call *call = pair_call(&pair, "/grpc.testing.TestService/FullDuplexCall", 0, &still);
    still.hold = true;
    for (int i = 0; i < 100; i++) {
        uint8_t message[100];
        struct protobuf_writer writer = {message, 0, sizeof message, false};
        for (int k = 0; k < 10; k++) {
            size_t begun = protobuf_begin(&writer, 2);
            protobuf_put_int(&writer, 1, 10000);
            protobuf_end(&writer, begun);
        }
        call_send(call, message, writer.length);
    }
    call_half_close(call);
    pair_run(&pair);
    CHECK_INT(still.messages, 1);
    struct call *at_server = call_of(pair.server.calls.transport.streams.first);
    CHECK_AT_MOST(at_server->out.length, CALL_OUT_HIGH + 11000);
    CHECK_AT_MOST(call->in.length, 65535);
    for (int i = 0; i < 50; i++) {
        pair_ask(&pair, CREATE, ITEM, 4, &other);
        CHECK_INT(other.status, RPC_OK);
    }
    still.hold = false;
    call_release(call);
    pair_run(&pair);
    CHECK_INT(still.messages, 1000);
    CHECK(still.ended && still.status == RPC_OK);
    pair_end(&pair);
}

// Memory is scarce: calls whose client takes nothing end, and those of others do not.
TEST(readers_that_stand_still_while_memory_is_scarce)
{
    static struct seen still[20];
    struct seen other;
    bytes_max = 6 << 20;
    pair_begin(&pair);
    for (int i = 0; i < 20; i++) {
        struct call *call =
            pair_call(&pair, "/grpc.testing.TestService/StreamingOutputCall", 0, &still[i]);
        still[i].hold = true;
        uint8_t message[2000]; // 100 responses of 1,000 bytes
        struct protobuf_writer writer = {message, 0, sizeof message, false};
        for (int k = 0; k < 100; k++) {
            size_t begun = protobuf_begin(&writer, 2);
            protobuf_put_int(&writer, 1, 1000);
            protobuf_end(&writer, begun);
        }
        call_send(call, message, writer.length);
        call_half_close(call);
        pair_run(&pair);
    }
    CHECK(bytes_are_scarce());
    uint32_t open = pair.server.calls.transport.streams.count;
    CHECK_AT_LEAST(open, 10);
    pair_wait(&pair, CALL_STALL_MS + 1000); // in the first period they have taken a window
    CHECK_INT(pair.server.calls.transport.streams.count, open);
    pair_wait(&pair, CALL_STALL_MS - 2000);
    CHECK_INT(pair.server.calls.transport.streams.count, open);
    pair_wait(&pair, 3000);
    CHECK(!bytes_are_scarce());
    CHECK_AT_MOST(pair.server.calls.transport.streams.count, open - 1);
    pair_ask(&pair, CREATE, ITEM, 4, &other);
    CHECK_INT(other.status, RPC_OK);
    pair_end(&pair);
    bytes_max = BYTES_MAX;
}

// A server that takes its time: what the client may send meanwhile is one window.
TEST(a_handler_that_is_busy)
{
    struct seen seen;
    pair_begin(&pair);
    struct call *call = pair_call(&pair, "/grpc.testing.TestService/FullDuplexCall", 0, &seen);
    static uint8_t message[1000]; // one response of one byte after 50 ms; and a payload
    struct protobuf_writer writer = {message, 0, sizeof message, false};
    static const uint8_t zeros[900];
    size_t begun = protobuf_begin(&writer, 2);
    protobuf_put_int(&writer, 1, 1);
    protobuf_put_int(&writer, 2, 50000);
    protobuf_end(&writer, begun);
    protobuf_put_bytes(&writer, 9, zeros, sizeof zeros);
    for (int i = 0; i < 200; i++)
        call_send(call, message, writer.length);
    call_half_close(call);
    pair_run(&pair);
    struct call *at_server = call_of(pair.server.calls.transport.streams.first);
    CHECK_INT(seen.messages, 0);
    CHECK_AT_MOST(at_server->in.length, 65535);
    CHECK_AT_LEAST(call->out.length, 100000); // the rest waits at the client
    for (int i = 0; i < 200; i++) {
        CHECK_INT(seen.messages, i);
        pair_wait(&pair, 50);
    }
    CHECK(seen.ended && seen.status == RPC_OK && seen.messages == 200);
    pair_end(&pair);
}

TEST(a_message_that_comes_too_slowly)
{
    struct seen seen;
    pair_begin(&pair);
    struct call *call = pair_call(&pair, EXCHANGE, 0, &seen);
    pair_run(&pair);
    for (int i = 0; i < 130 && !seen.ended; i++) {
        pair_lend(&pair, &pair.client);
        transport_put_data(&pair.client.calls.transport, call->stream,
                           (const uint8_t *)"\0\0\0\1\0xxxxxxxxxxxxxx" + (i < 6 ? i : 6), 1,
                           false);
        pair_collect(&pair.client);
        pair_wait(&pair, 1000); // each byte comes in time, and the message does not
    }
    CHECK(seen.ended);
    CHECK_INT(seen.status, RPC_RESOURCE_EXHAUSTED);
    pair_end(&pair);
}

// ---- what the field's libraries test each other with ---------------------------------------

TEST(large_unary)
{
    static uint8_t request[271828 + 40], zeros[271828];
    struct seen seen;
    struct protobuf_writer writer = {request, 0, sizeof request, false};
    protobuf_put_int(&writer, 2, 314159);
    size_t begun = protobuf_begin(&writer, 3);
    protobuf_put_bytes(&writer, 2, zeros, sizeof zeros);
    protobuf_end(&writer, begun);
    pair_begin(&pair);
    pair_ask(&pair, "/grpc.testing.TestService/UnaryCall", request, writer.length, &seen);
    CHECK_INT(seen.status, RPC_OK);
    CHECK_BETWEEN(seen.bytes, 314159, 314159 + 20);
    pair_end(&pair);
}

TEST(status_code_and_message)
{
    struct seen seen;
    pair_begin(&pair);
    pair_ask(&pair, "/grpc.testing.TestService/UnaryCall",
             "\x3a\x15\x08\x02\x12\x11test \t\n\xe2\x98\xba%41 end", 23, &seen);
    CHECK_INT(seen.status, RPC_UNKNOWN);
    CHECK_TEXT(seen.text, "test \t\n\xe2\x98\xba%41 end");
    CHECK_INT(seen.messages, 0);
    pair_end(&pair);
}

// ---- bytes that were changed at random -----------------------------------------------------

// What a client sends in a few calls, or what a server answers to it.
static size_t record(bool of_client, uint8_t *bytes, size_t size)
{
    struct seen seen;
    size_t length = 0;
    pair_begin(&pair);
    struct end *end = of_client ? &pair.client : &pair.server;
    for (int i = 0; i < 3; i++) {
        struct call *call = pair_call(&pair, i == 1 ? EXCHANGE : CREATE, 1000, &seen);
        call_send(call, ITEM, 4);
        call_half_close(call);
        for (int round = 0; round < 4; round++) {
            pair_write(&pair, &pair.client);
            if (of_client && end->sent.length && length + end->sent.length <= size) {
                memcpy(bytes + length, bytes_at(&end->sent), end->sent.length);
                length += end->sent.length;
            }
            pair_move(&pair, &pair.client, &pair.server);
            pair_write(&pair, &pair.server);
            if (!of_client && end->sent.length && length + end->sent.length <= size) {
                memcpy(bytes + length, bytes_at(&end->sent), end->sent.length);
                length += end->sent.length;
            }
            pair_move(&pair, &pair.server, &pair.client);
        }
    }
    pair_end(&pair);
    return length;
}

static void take_mutations(bool of_client, int count)
{
    static uint8_t recorded[4000], bytes[4000];
    size_t length = record(of_client, recorded, sizeof recorded);
    uint64_t random = 7;
    CHECK_AT_LEAST(length, 150);
    for (int i = 0; i < count; i++) {
        struct seen seen[3];
        pair_begin(&pair);
        struct end *end = of_client ? &pair.server : &pair.client;
        for (int k = 0; k < 3 && !of_client; k++) {
            struct call *call = pair_call(&pair, k == 1 ? EXCHANGE : CREATE, 1000, &seen[k]);
            call_send(call, ITEM, 4);
            call_half_close(call);
        }
        memcpy(bytes, recorded, length);
        for (int k = 0; k < 3; k++)
            bytes[24 * of_client + next_random(&random) % (length - 24)] =
                (uint8_t)next_random(&random);
        size_t at = 0;
        while (at < length && !end->calls.transport.closing) {
            size_t piece = 1 + next_random(&random) % length;
            if (piece > length - at)
                piece = length - at;
            memcpy(end->in + end->in_length, bytes + at, piece);
            end->in_length += piece;
            at += piece;
            pair_write(&pair, end);
            pair_lend(&pair, end);
            size_t used = transport_take(&end->calls.transport, end->in, end->in_length);
            pair_collect(end);
            end->in_length -= used;
            memmove(end->in, end->in + used, end->in_length);
            pair_write(&pair, end);
        }
        pair.now_ns += 10000000000;
        pair_write(&pair, end);
        pair_end(&pair);
        for (int k = 0; k < 3 && !of_client; k++)
            CHECK(seen[k].ended);
    }
}

TEST(a_hundred_thousand_mutations)
{
    take_mutations(true, 60000);
    take_mutations(false, 40000);
}

#endif
