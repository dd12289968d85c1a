// metadata.c: the header fields that a call sends: see call.h.
#include <stdio.h>
#include <string.h>

#include "call.h"

#define FIELDS_MAX 64 // that a call sends, metadata among them

// ---- metadata ------------------------------------------------------------------------------

bool call_add_metadata(struct call *call, bool trailing, const char *name, const char *value,
                       size_t value_length)
{
    size_t name_length = strlen(name);
    struct bytes *bytes = &call->initial;
    if (trailing)
        bytes = &call->trailing;
    uint32_t lengths[2] = {(uint32_t)name_length, (uint32_t)value_length};
    if (bytes->length + sizeof lengths + name_length + value_length > CALL_METADATA_MAX)
        return false;
    return bytes_add(bytes, lengths, sizeof lengths) && bytes_add(bytes, name, name_length) &&
           bytes_add(bytes, value, value_length);
}

// Adds fields from metadata. Returns how many fields there are then.
static size_t add_fields(struct hpack_field *fields, size_t count, const struct bytes *metadata)
{
    const char *at = (const char *)bytes_at(metadata);
    for (size_t left = metadata->length; left > 0 && count < FIELDS_MAX;) {
        uint32_t lengths[2];
        memcpy(lengths, at, sizeof lengths);
        at += sizeof lengths;
        fields[count++] = (struct hpack_field){.name = at,
                                               .value = at + lengths[0],
                                               .name_length = lengths[0],
                                               .value_length = lengths[1],
                                               .indexing = HPACK_NOT_INDEXED};
        at += lengths[0] + lengths[1];
        left -= sizeof lengths + lengths[0] + lengths[1];
    }
    return count;
}

// The header fields of a call.
bool call_put_request(struct call *call)
{
    struct calls *calls = call->calls;
    struct hpack_field fields[FIELDS_MAX + 2];
    char timeout[RPC_TIMEOUT_BYTES];
    size_t count = 0;
    fields[count++] = hpack_field(":method", "POST");
    fields[count++] = hpack_field(":scheme", "http");
    fields[count++] = hpack_field(":path", call->handler->path);
    fields[count++] = hpack_field(":authority", calls->authority);
    fields[count++] = hpack_field("te", "trailers");
    fields[count++] = hpack_field("content-type", "application/grpc");
    fields[count++] = hpack_field("user-agent", "workbench");
    if (call->timeout_ms > 0) {
        rpc_put_timeout(timeout, call->timeout_ms);
        fields[count] = hpack_field("grpc-timeout", timeout);
        fields[count++].indexing = HPACK_NOT_INDEXED;
    }
    count = add_fields(fields, count, &call->initial);
    return transport_put_headers(&calls->transport, call->stream, fields, count, false);
}

// The header fields of an answer; with `trailers` those that end it; where nothing was sent
// before, both at once.
bool call_put_answer(struct call *call, bool trailers)
{
    struct hpack_field fields[FIELDS_MAX + 2];
    char http_status[16], status[16], text[3 * RPC_TEXT_BYTES];
    size_t count = 0;
    snprintf(http_status, sizeof http_status, "%d", call->http_status);
    snprintf(status, sizeof status, "%d", call->status);
    if (!call->headers_sent) {
        fields[count++] = hpack_field(":status", http_status);
        if (call->http_status == 200)
            fields[count++] = hpack_field("content-type", "application/grpc");
        count = add_fields(fields, count, &call->initial);
    }
    if (trailers && call->http_status == 200) {
        fields[count++] = hpack_field("grpc-status", status);
        rpc_percent_encode(text, sizeof text, call->text, strlen(call->text));
        if (*text) {
            fields[count] = hpack_field("grpc-message", text);
            fields[count++].indexing = HPACK_NOT_INDEXED;
        }
        count = add_fields(fields, count, &call->trailing);
    }
    return transport_put_headers(&call->calls->transport, call->stream, fields, count,
                                 trailers);
}
