// rpc.h: what gRPC adds to HTTP/2 (the specification is "gRPC over HTTP2"): how a message is
// framed, and what the header fields of a call say. A call is one stream:
//
//     client   HEADERS :method POST, :path /toDo.ToDo/createToDo, te trailers,
//                      content-type application/grpc, perhaps grpc-timeout
//              DATA    00 | 00 00 00 0c | twelve bytes of a message       (END_STREAM)
//     server   HEADERS :status 200, content-type application/grpc
//              DATA    00 | 00 00 00 0e | fourteen bytes of a message
//              HEADERS grpc-status 0, perhaps grpc-message                (END_STREAM)
//
// The five bytes before a message are its prefix: whether the message is compressed, and its
// length. DATA frames may cut messages anywhere.
#ifndef RPC_H
#define RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RPC_PREFIX_BYTES  5
#define RPC_MESSAGE_MAX   (4 << 20) // bytes of a message: the usual limit
#define RPC_TEXT_BYTES    512       // of grpc-message, decoded: what is longer is cut
#define RPC_TIMEOUT_BYTES 12        // of grpc-timeout, with its '\0'

// How a call has ended: these 17, the same in all languages.
enum rpc_status {
    RPC_OK,
    RPC_CANCELLED,
    RPC_UNKNOWN,
    RPC_INVALID_ARGUMENT,
    RPC_DEADLINE_EXCEEDED,
    RPC_NOT_FOUND,
    RPC_ALREADY_EXISTS,
    RPC_PERMISSION_DENIED,
    RPC_RESOURCE_EXHAUSTED,
    RPC_FAILED_PRECONDITION,
    RPC_ABORTED,
    RPC_OUT_OF_RANGE,
    RPC_UNIMPLEMENTED,
    RPC_INTERNAL,
    RPC_UNAVAILABLE,
    RPC_DATA_LOSS,
    RPC_UNAUTHENTICATED,
    RPC_STATUSES
};

// "NOT_FOUND"; "status 99" for a number that has no name.
const char *rpc_status_name(int status);

// The status of a call that ended without grpc-status: by the HTTP status of its answer, or by
// the error code of RST_STREAM.
enum rpc_status rpc_status_of_http(int http_status);
enum rpc_status rpc_status_of_reset(uint32_t error_code);

// ---- messages ------------------------------------------------------------------------------

void rpc_put_prefix(uint8_t out[RPC_PREFIX_BYTES], uint32_t length);

struct rpc_prefix {
    uint8_t compressed; // 0 or 1; anything else is malformed
    uint32_t length;
};

// Reads a prefix from the start of `bytes`. False: it is not whole.
bool rpc_read_prefix(const uint8_t *bytes, size_t length, struct rpc_prefix *prefix);

// ---- header fields -------------------------------------------------------------------------

// grpc-timeout: at most eight digits and a unit (H, M, S, m, u, n). False: it is malformed.
bool rpc_read_timeout(const char *text, size_t length, int64_t *ns);
void rpc_put_timeout(char text[RPC_TIMEOUT_BYTES], int64_t ms);

// grpc-message: UTF-8, percent-encoded. Each cuts what finds no room in `out`, ends it with
// '\0', and returns its length. What is no percent-encoding stays as it is.
size_t rpc_percent_encode(char *out, size_t room, const char *text, size_t length);
size_t rpc_percent_decode(char *out, size_t room, const char *text, size_t length);

// The value of a field whose name ends in "-bin": base64, with padding or without. Returns the
// length, or -1: the text is malformed, or longer than `room`.
long rpc_base64_decode(uint8_t *out, size_t room, const char *text, size_t length);

// True for "application/grpc", alone or with "+proto" or "; ..." behind it.
bool rpc_is_content_type(const char *text, size_t length);

#endif
