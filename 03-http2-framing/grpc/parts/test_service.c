// test_service.c: grpc.testing.TestService, with which the libraries of gRPC test each other
// (./server --interop). Its messages, by their published descriptions:
//
//     message Payload { PayloadType type = 1; bytes body = 2; }
//     message EchoStatus { int32 code = 1; string message = 2; }
//     message SimpleRequest { int32 response_size = 2; Payload payload = 3;
//                             EchoStatus response_status = 7; }          // and more: skipped
//     message SimpleResponse { Payload payload = 1; }
//     message StreamingInputCallRequest { Payload payload = 1; }
//     message StreamingInputCallResponse { int32 aggregated_payload_size = 1; }
//     message ResponseParameters { int32 size = 1; int32 interval_us = 2; }
//     message StreamingOutputCallRequest {
//         repeated ResponseParameters response_parameters = 2;
//         Payload payload = 3; EchoStatus response_status = 7; }
//     message StreamingOutputCallResponse { Payload payload = 1; }
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protobuf.h"
#include "services.h"
#include "smaller.h"

#define RESPONSES_MAX 1000 // that one message may ask for
#define ECHO_INITIAL  "x-grpc-test-echo-initial"
#define ECHO_TRAILING "x-grpc-test-echo-trailing-bin"

struct response_wanted {
    int32_t size, interval_us;
};

// What a message of any of the methods asks for.
struct wanted {
    int32_t size, code;
    char text[RPC_TEXT_BYTES];
    int count, next; // of responses; the next one to be sent
    int64_t due_ns;  // when the next one is to be sent; 0: not known yet
    struct response_wanted responses[RESPONSES_MAX];
};

// ---- messages ------------------------------------------------------------------------------

static int32_t number_in(const struct protobuf_field *message, uint32_t number)
{
    return (int32_t)protobuf_find(message, number, PROTOBUF_VARINT).value;
}

// SimpleRequest and StreamingOutputCallRequest have no number in common for two things. False:
// the call is ended.
static bool read_wanted(struct call *call, const uint8_t *bytes, size_t length,
                        struct wanted *wanted)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    bool too_much = false;
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 2, PROTOBUF_VARINT)) {
            wanted->size = (int32_t)field.value;
        } else if (protobuf_is(&field, 2, PROTOBUF_DELIMITED)) {
            if (wanted->count == RESPONSES_MAX) {
                too_much = true;
                break;
            }
            struct response_wanted *one = &wanted->responses[wanted->count++];
            one->size = number_in(&field, 1);
            one->interval_us = number_in(&field, 2);
            too_much |= one->size < 0 || one->size > RPC_MESSAGE_MAX || one->interval_us < 0;
        } else if (protobuf_is(&field, 7, PROTOBUF_DELIMITED)) {
            struct protobuf_field text = protobuf_find(&field, 2, PROTOBUF_DELIMITED);
            wanted->code = number_in(&field, 1);
            snprintf(wanted->text, sizeof wanted->text, "%.*s", (int)text.length,
                     (const char *)text.bytes);
        }
    }
    too_much |= wanted->size < 0 || wanted->size > RPC_MESSAGE_MAX;
    if (reader.wrong)
        call_finish(call, RPC_INTERNAL, reader.wrong);
    else if (too_much)
        call_finish(call, RPC_INVALID_ARGUMENT, "more than this server sends");
    return !call->finished;
}

// Sends a message whose field 1 is a payload of so many zeros.
static void send_payload(struct call *call, size_t size)
{
    static uint8_t message[RPC_MESSAGE_MAX + 32];
    static const uint8_t zeros[RPC_MESSAGE_MAX];
    struct protobuf_writer writer = {message, 0, sizeof message, false};
    size_t payload = protobuf_begin(&writer, 1);
    protobuf_put_bytes(&writer, 2, zeros, size);
    protobuf_end(&writer, payload);
    call_send(call, message, writer.length);
}

// ---- methods -------------------------------------------------------------------------------

// custom_metadata: two fields of the call come back.
static void echo_metadata(struct call *call, const struct hpack_list *fields)
{
    const struct hpack_field *initial = call_field(fields, ECHO_INITIAL);
    const struct hpack_field *trailing = call_field(fields, ECHO_TRAILING);
    if (initial)
        call_add_metadata(call, false, ECHO_INITIAL, initial->value, initial->value_length);
    if (trailing)
        call_add_metadata(call, true, ECHO_TRAILING, trailing->value, trailing->value_length);
}

static void empty(struct call *call, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    call_send(call, NULL, 0);
    call_finish(call, RPC_OK, NULL);
}

static void unary(struct call *call, const uint8_t *bytes, size_t length)
{
    static struct wanted wanted;
    wanted = (struct wanted){0};
    if (!read_wanted(call, bytes, length, &wanted))
        return;
    if (wanted.code == RPC_OK)
        send_payload(call, (size_t)wanted.size);
    call_finish(call, wanted.code, wanted.text);
}

// The client streams: the sum of its payloads is the answer.
static void add_input(struct call *call, const uint8_t *bytes, size_t length)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    while (protobuf_next(&reader, &field))
        if (protobuf_is(&field, 1, PROTOBUF_DELIMITED))
            call->number += (long)protobuf_find(&field, 2, PROTOBUF_DELIMITED).length;
    if (reader.wrong)
        call_finish(call, RPC_INTERNAL, reader.wrong);
}

static void answer_input(struct call *call)
{
    uint8_t message[16];
    struct protobuf_writer writer = {message, 0, sizeof message, false};
    protobuf_put_int(&writer, 1, call->number);
    call_send(call, message, writer.length);
    call_finish(call, RPC_OK, NULL);
}

// Sends the responses that a message has asked for, each after its interval. False: it is not
// time yet, or there is no room. The call takes no further message meanwhile (`hold`).
static bool send_responses(struct call *call, struct wanted *wanted)
{
    int64_t now_ns = call->calls->transport.now_ns;
    while (wanted->next < wanted->count && !call->finished) {
        const struct response_wanted *response = &wanted->responses[wanted->next];
        if (wanted->due_ns == 0)
            wanted->due_ns = now_ns + response->interval_us * INT64_C(1000);
        if (now_ns < wanted->due_ns)
            call_wake_at(call, wanted->due_ns);
        if (now_ns < wanted->due_ns || !call_has_room(call))
            return false;
        send_payload(call, (size_t)response->size);
        wanted->due_ns = 0;
        wanted->next++;
    }
    if (wanted->code)
        call_finish(call, wanted->code, wanted->text);
    return true;
}

static void output(struct call *call, const uint8_t *bytes, size_t length)
{
    struct wanted *wanted = call->state;
    if (!wanted && !(wanted = call->state = malloc(sizeof *wanted))) {
        call_finish(call, RPC_RESOURCE_EXHAUSTED, "no memory for this call");
        return;
    }
    *wanted = (struct wanted){0};
    if (read_wanted(call, bytes, length, wanted))
        call->hold = !send_responses(call, wanted);
}

static void output_on(struct call *call)
{
    if (call->state && call->hold && send_responses(call, call->state) && !call->finished)
        call_release(call);
}

static void finish_ok(struct call *call)
{
    call_finish(call, RPC_OK, NULL);
}

static void free_state(struct call *call)
{
    free(call->state);
}

#define SERVICE "/grpc.testing.TestService/"

const struct handler test_service[] = {
    {.path = SERVICE "EmptyCall", .begin = echo_metadata, .message = empty},
    {.path = SERVICE "UnaryCall", .begin = echo_metadata, .message = unary},
    {.path = SERVICE "StreamingInputCall",
     .streams_in = true,
     .message = add_input,
     .half_closed = answer_input},
    {.path = SERVICE "StreamingOutputCall",
     .begin = echo_metadata,
     .message = output,
     .half_closed = finish_ok,
     .go_on = output_on,
     .ended = free_state},
    {.path = SERVICE "FullDuplexCall",
     .streams_in = true,
     .begin = echo_metadata,
     .message = output,
     .half_closed = finish_ok,
     .go_on = output_on,
     .ended = free_state},
    {0}};
