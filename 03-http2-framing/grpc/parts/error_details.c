// error_details.c: see error_details.h. The messages, by their published descriptions:
//
//     message Status { int32 code = 1; string message = 2;
//                      repeated google.protobuf.Any details = 3; }
//     message Any { string type_url = 1; bytes value = 2; }
//     message BadRequest { repeated FieldViolation field_violations = 1; }
//     message FieldViolation { string field = 1; string description = 2; }
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
    call_add_metadata(call, true, ERROR_DETAILS_FIELD, encoded, strlen(encoded));
    call_finish(call, RPC_INVALID_ARGUMENT, text);
}

static void copy(char *out, size_t room, const struct protobuf_field *field)
{
    snprintf(out, room, "%.*s", (int)smaller(field->length, room), (const char *)field->bytes);
}

static void read_any(const struct protobuf_field *any, struct error_details *details)
{
    struct protobuf_field url = protobuf_find(any, 1, PROTOBUF_DELIMITED);
    struct protobuf_field bad_request = protobuf_find(any, 2, PROTOBUF_DELIMITED);
    struct protobuf_field violation = protobuf_find(&bad_request, 1, PROTOBUF_DELIMITED);
    struct protobuf_field field = protobuf_find(&violation, 1, PROTOBUF_DELIMITED);
    struct protobuf_field why = protobuf_find(&violation, 2, PROTOBUF_DELIMITED);
    if (url.length != strlen(BAD_REQUEST_URL) || memcmp(url.bytes, BAD_REQUEST_URL, url.length))
        return;
    copy(details->field, sizeof details->field, &field);
    copy(details->why, sizeof details->why, &why);
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
            read_any(&field, &details);
    }
    return details;
}
