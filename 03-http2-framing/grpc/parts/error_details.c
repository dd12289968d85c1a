// error_details.c: see error_details.h. The messages, by their published descriptions:
//
//     message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details
//     = 3; } message Any { string type_url = 1; bytes value = 2; } message BadRequest {
//     repeated FieldViolation field_violations = 1; } message FieldViolation { string field =
//     1; string description = 2; }
#include "error_details.h"

#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "protobuf.h"
#include "smaller.h"

#define DETAILS_MAX 1000

static void put_text(struct protobuf_writer *writer, uint32_t number, const char *text)
{
    protobuf_put_bytes(writer, number, text, strlen(text));
}

void finish_with_bad_field(struct call *call, const char *field, const char *why)
{
    uint8_t bytes[DETAILS_MAX];
    char encoded[BASE64_SIZE(DETAILS_MAX)], text[300];
    struct protobuf_writer writer = {bytes, 0, sizeof bytes, false};
    snprintf(text, sizeof text, "the field %s is wrong: %s", field, why);
    protobuf_put_int(&writer, 1, RPC_INVALID_ARGUMENT);
    put_text(&writer, 2, text);
    size_t any = protobuf_begin(&writer, 3);
    put_text(&writer, 1, BAD_REQUEST_URL);
    size_t bad_request = protobuf_begin(&writer, 2);
    size_t violation = protobuf_begin(&writer, 1);
    put_text(&writer, 1, field);
    put_text(&writer, 2, why);
    protobuf_end(&writer, violation);
    protobuf_end(&writer, bad_request);
    protobuf_end(&writer, any);
    base64(bytes, writer.length, encoded);
    call_add_metadata(call, true, ERROR_DETAILS_FIELD, strlen(ERROR_DETAILS_FIELD), encoded,
                      strlen(encoded));
    call_finish(call, RPC_INVALID_ARGUMENT, text);
}

static void copy(char *out, size_t room, const struct protobuf_field *field)
{
    snprintf(out, room, "%.*s", (int)smaller(field->length, room), (const char *)field->bytes);
}

// A message in a field, read on its own.
static struct protobuf_reader inner(const struct protobuf_field *field)
{
    return protobuf_reader(field->bytes, field->length);
}

static void read_violation(struct protobuf_reader reader, struct error_details *details)
{
    struct protobuf_field field;
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 1, PROTOBUF_DELIMITED))
            copy(details->field, sizeof details->field, &field);
        else if (protobuf_is(&field, 2, PROTOBUF_DELIMITED))
            copy(details->why, sizeof details->why, &field);
    }
}

static void read_any(struct protobuf_reader reader, struct error_details *details)
{
    struct protobuf_field field, violation;
    bool is_bad_request = false;
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 1, PROTOBUF_DELIMITED))
            is_bad_request = field.length == strlen(BAD_REQUEST_URL) &&
                             !memcmp(field.bytes, BAD_REQUEST_URL, field.length);
        if (!is_bad_request || !protobuf_is(&field, 2, PROTOBUF_DELIMITED))
            continue;
        struct protobuf_reader bad_request = inner(&field);
        while (protobuf_next(&bad_request, &violation))
            if (protobuf_is(&violation, 1, PROTOBUF_DELIMITED))
                read_violation(inner(&violation), details);
    }
}

struct error_details error_details_read(const struct hpack_list *trailers)
{
    static uint8_t bytes[DETAILS_MAX];
    struct error_details details = {.code = -1};
    const struct hpack_field *encoded = call_field(trailers, ERROR_DETAILS_FIELD);
    struct protobuf_field field;
    long length = -1;
    if (encoded)
        length = rpc_base64_decode(bytes, sizeof bytes, encoded->value, encoded->value_length);
    if (length < 0)
        return details;
    details.code = 0;
    struct protobuf_reader reader = protobuf_reader(bytes, (size_t)length);
    while (protobuf_next(&reader, &field)) {
        if (protobuf_is(&field, 1, PROTOBUF_VARINT))
            details.code = (int)field.value;
        else if (protobuf_is(&field, 2, PROTOBUF_DELIMITED))
            copy(details.message, sizeof details.message, &field);
        else if (protobuf_is(&field, 3, PROTOBUF_DELIMITED))
            read_any(inner(&field), &details);
    }
    return details;
}
