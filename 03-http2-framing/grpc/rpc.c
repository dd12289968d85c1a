// rpc.c: see rpc.h.
#include "rpc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "http.h"

// ---- status --------------------------------------------------------------------------------

const char *rpc_status_name(int status)
{
    static const char *const names[RPC_STATUSES] = {"OK",
                                                    "CANCELLED",
                                                    "UNKNOWN",
                                                    "INVALID_ARGUMENT",
                                                    "DEADLINE_EXCEEDED",
                                                    "NOT_FOUND",
                                                    "ALREADY_EXISTS",
                                                    "PERMISSION_DENIED",
                                                    "RESOURCE_EXHAUSTED",
                                                    "FAILED_PRECONDITION",
                                                    "ABORTED",
                                                    "OUT_OF_RANGE",
                                                    "UNIMPLEMENTED",
                                                    "INTERNAL",
                                                    "UNAVAILABLE",
                                                    "DATA_LOSS",
                                                    "UNAUTHENTICATED"};
    static char number[32];
    if (status >= 0 && status < RPC_STATUSES)
        return names[status];
    snprintf(number, sizeof number, "status %d", status);
    return number;
}

// From the document "HTTP to gRPC Status Code Mapping".
enum rpc_status rpc_status_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return RPC_INTERNAL;
    case 401:
        return RPC_UNAUTHENTICATED;
    case 403:
        return RPC_PERMISSION_DENIED;
    case 404:
        return RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return RPC_UNAVAILABLE;
    default:
        return RPC_UNKNOWN;
    }
}

// From "gRPC over HTTP2", Errors.
enum rpc_status rpc_status_of_reset(uint32_t error_code)
{
    switch (error_code) {
    case REFUSED_STREAM: // the server has not looked at the call
        return RPC_UNAVAILABLE;
    case CANCEL:
        return RPC_CANCELLED;
    case ENHANCE_YOUR_CALM:
        return RPC_RESOURCE_EXHAUSTED;
    case INADEQUATE_SECURITY:
        return RPC_PERMISSION_DENIED;
    default:
        return RPC_INTERNAL;
    }
}

// ---- messages ------------------------------------------------------------------------------

void rpc_put_prefix(uint8_t out[RPC_PREFIX_BYTES], uint32_t length)
{
    out[0] = 0; // not compressed
    out[1] = (uint8_t)(length >> 24);
    out[2] = (uint8_t)(length >> 16);
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)length;
}

bool rpc_read_prefix(const uint8_t *bytes, size_t length, struct rpc_prefix *prefix)
{
    if (length < RPC_PREFIX_BYTES)
        return false;
    prefix->compressed = bytes[0];
    prefix->length = frame_read_u32(bytes + 1);
    return true;
}

// ---- header fields -------------------------------------------------------------------------

bool rpc_read_timeout(const char *text, size_t length, int64_t *ns)
{
    static const struct {
        char unit;
        int64_t ns;
    } units[] = {{'H', INT64_C(3600000000000)}, {'M', INT64_C(60000000000)},
                 {'S', INT64_C(1000000000)},    {'m', INT64_C(1000000)},
                 {'u', INT64_C(1000)},          {'n', INT64_C(1)}};
    uint64_t number;
    if (length < 2 || length > 9 ||
        !http_number((struct http_text){text, length - 1}, 99999999, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text[length - 1] != units[i].unit)
            continue;
        *ns = INT64_MAX / 4; // longer than any program runs
        if ((int64_t)number < *ns / units[i].ns)
            *ns = (int64_t)number * units[i].ns;
        return true;
    }
    return false;
}

void rpc_put_timeout(char text[RPC_TIMEOUT_BYTES], int64_t ms)
{
    if (ms <= 99999999)
        snprintf(text, RPC_TIMEOUT_BYTES, "%dm", (int)ms);
    else
        snprintf(text, RPC_TIMEOUT_BYTES, "%dS", (int)(ms / 1000 % 100000000));
}

size_t rpc_percent_encode(char *out, size_t room, const char *text, size_t length)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = c >= ' ' && c <= '~' && c != '%';
        if (at + (plain ? 1 : 3) >= room)
            break;
        if (plain) {
            out[at++] = (char)c;
            continue;
        }
        out[at++] = '%';
        out[at++] = hex[c >> 4];
        out[at++] = hex[c & 15];
    }
    out[at] = '\0';
    return at;
}

// The place of a digit among all digits, which is its value; -1: it is none.
static int value_of(char digit, const char *digits)
{
    const char *at = memchr(digits, digit, strlen(digits));
    if (!at)
        return -1;
    return (int)(at - digits);
}

static int hex_value(char c)
{
    return value_of((char)tolower((unsigned char)c), "0123456789abcdef");
}

size_t rpc_percent_decode(char *out, size_t room, const char *text, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length && at + 1 < room; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            c = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        }
        out[at++] = c;
    }
    out[at] = '\0';
    return at;
}

long rpc_base64_decode(uint8_t *out, size_t room, const char *text, size_t length)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    int count = 0;
    size_t at = 0;
    for (int padding = 0; padding < 2 && length && text[length - 1] == '='; padding++)
        length--;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i], digits);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (at == room)
            return -1;
        out[at++] = (uint8_t)(bits >> count);
    }
    if (length % 4 == 1)
        return -1;
    return (long)at;
}

bool rpc_is_content_type(const char *text, size_t length)
{
    static const char type[] = "application/grpc";
    size_t own = sizeof type - 1;
    if (length < own || memcmp(text, type, own))
        return false;
    return length == own || text[own] == '+' || text[own] == ';';
}
