// health.c: grpc.health.v1.Health, by which balancers and Kubernetes ask whether a service is
// there to be used.
//
//     message HealthCheckRequest { string service = 1; }          // "": the server as a whole
//     message HealthCheckResponse { ServingStatus status = 1; }
//     service Health { Check (HealthCheckRequest) returns (HealthCheckResponse);
//                      Watch (HealthCheckRequest) returns (stream HealthCheckResponse); }
#include <string.h>

#include "protobuf.h"
#include "services.h"

enum health_status { HEALTH_UNKNOWN, HEALTH_SERVING, HEALTH_NOT_SERVING, HEALTH_NO_SERVICE };

// True for "", and for each NAME of a path /NAME/METHOD.
static bool is_known(const struct call *call, const uint8_t *name, size_t length)
{
    const struct handler *const *services = call->calls->services;
    if (length == 0)
        return true;
    for (size_t i = 0; services[i]; i++) {
        const char *path = services[i]->path + 1;
        if (!strncmp(path, (const char *)name, length) && path[length] == '/')
            return true;
    }
    return false;
}

static enum health_status status_of(const struct call *call, const uint8_t *bytes,
                                    size_t length)
{
    struct protobuf_reader reader = protobuf_reader(bytes, length);
    struct protobuf_field field;
    bool known = true;
    while (protobuf_next(&reader, &field))
        if (protobuf_is(&field, 1, PROTOBUF_DELIMITED))
            known = is_known(call, field.bytes, field.length);
    if (reader.wrong)
        return HEALTH_UNKNOWN;
    if (!known)
        return HEALTH_NO_SERVICE;
    if (call_is_stopping(call))
        return HEALTH_NOT_SERVING;
    return HEALTH_SERVING;
}

static void send_status(struct call *call, enum health_status status)
{
    uint8_t bytes[16];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    protobuf_put_int(&writer, 1, status);
    call_send(call, bytes, writer.length);
}

static void check(struct call *call, const uint8_t *bytes, size_t length)
{
    enum health_status status = status_of(call, bytes, length);
    if (status == HEALTH_UNKNOWN) {
        call_finish(call, RPC_INTERNAL, "this is no HealthCheckRequest");
    } else if (status == HEALTH_NO_SERVICE) {
        call_finish(call, RPC_NOT_FOUND, "unknown service");
    } else {
        send_status(call, status);
        call_finish(call, RPC_OK, NULL);
    }
}

// call->number is the last status that was sent.
static void watch(struct call *call, const uint8_t *bytes, size_t length)
{
    call->number = status_of(call, bytes, length);
    if (call->number == HEALTH_UNKNOWN)
        call_finish(call, RPC_INTERNAL, "this is no HealthCheckRequest");
    else
        send_status(call, (enum health_status)call->number);
}

static void watch_on(struct call *call)
{
    if (!call_is_stopping(call))
        return;
    if (call->number == HEALTH_SERVING)
        send_status(call, HEALTH_NOT_SERVING);
    call_finish(call, RPC_UNAVAILABLE, "the server stops");
}

const struct handler health_service[] = {
    {.path = "/grpc.health.v1.Health/Check", .message = check},
    {.path = "/grpc.health.v1.Health/Watch", .message = watch, .go_on = watch_on},
    {0}};
