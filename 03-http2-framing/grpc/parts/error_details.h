// error_details.h: more about an error than its code and a line of text: google.rpc.Status, a
// message in the trailers (grpc-status-details-bin). Its details are messages of any type: here
// google.rpc.BadRequest, which names the field that is wrong.
#ifndef ERROR_DETAILS_H
#define ERROR_DETAILS_H

#include "call.h"

#define ERROR_DETAILS_FIELD "grpc-status-details-bin"
#define BAD_REQUEST_URL     "type.googleapis.com/google.rpc.BadRequest"

// Ends a call with INVALID_ARGUMENT: this field of its message is wrong.
void finish_with_bad_field(struct call *call, const char *field, const char *why);

// What a client finds in trailers: valid until the next call. `code` is -1 if there is nothing.
struct error_details {
    int code;
    char message[200], field[100], why[200];
};

struct error_details error_details_read(const struct hpack_list *trailers);

#endif
