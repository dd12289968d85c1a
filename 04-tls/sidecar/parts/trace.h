// trace.h: the two fields by which requests of many services are found to belong together: W3C
// Trace Context, traceparent and tracestate.
//
//     traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//                  version - trace (of all)          - parent (the caller) - flags
//
// Each sidecar on the way writes its own id as the parent of what comes behind it, and leaves
// the trace as it is. An application has to copy both fields from the request that it serves to
// those that it makes: the sidecar cannot know which belongs to which.
#ifndef TRACE_H
#define TRACE_H

#include "http.h"

#define TRACE_ID          32 // digits
#define TRACE_SPAN        16
#define TRACE_STATE_BYTES 513 // what has to be passed on (§3.3.1.5) has at most 512
#define TRACE_STATE_ITEMS 32

struct trace {
    char id[TRACE_ID + 1];
    char parent[TRACE_SPAN + 1]; // of the request that has come; "": it had none
    char span[TRACE_SPAN + 1];   // this sidecar's part
    unsigned flags;
    char state[TRACE_STATE_BYTES]; // "": none
    int state_items;               // how many it has
};

// Reads the fields of a request, or begins a new trace where they are missing or malformed.
void trace_begin(struct trace *trace, const struct http_head *head);

// Writes both fields for the request that is passed on.
void trace_put(const struct trace *trace, struct http_out *out);

// Reads a traceparent. False: it is malformed.
bool trace_read_parent(struct http_text text, struct trace *trace);

// Appends one tracestate line. False: it is malformed, or too long.
bool trace_read_state(struct http_text text, struct trace *trace);

#endif
