// flow.h: one direction of an exchange: what has come from one side, and is to go to the other
// one. The sender may send as much as WINDOW_DEFAULT bytes; it gets window back only for what
// the receiver has taken. So a slow receiver stops its sender, and no other one.
#ifndef FLOW_H
#define FLOW_H

#include "bytes.h"
#include "fields.h"
#include "transport.h"

#define INTERIM_MAX 10 // heads 1xx of an answer that wait

struct flow {
    struct fields *heads; // to be sent, the oldest first
    bool final_head;      // a head that is no 1xx has come
    bool head_sent;       // and was sent
    struct bytes content;
    struct fields *trailers; // NULL: none
    bool ended;              // the sender has said all
    bool done;               // all of it is sent
    uint64_t passed;         // bytes of content that were sent on
    uint32_t owed;           // of these, bytes whose window the sender is to get back
};

// What the sender has said. False: no memory, or BYTES_MAX is reached. flow_head() takes over
// the fields, also then, as does flow_trailers(); NULL stands for no memory. A head has to fit
// in one frame.
bool flow_head(struct flow *flow, struct fields *head);
bool flow_trailers(struct flow *flow, struct fields *trailers);
bool flow_add(struct flow *flow, const void *bytes, uint32_t length);

// The receiver has taken the first `length` bytes of the content.
void flow_took(struct flow *flow, uint32_t length);

// Sends on a stream what windows and room allow. Sets `done` when that was all.
enum transport_turn flow_send(struct flow *flow, struct transport *transport,
                              struct stream *stream);

// Gives the sender, which is at the other end of this stream, the window back that it is owed.
// False: there is no room for that now.
bool flow_give_back(struct flow *flow, struct transport *transport, struct stream *stream);

// Drops what waits: the receiver will not get it.
void flow_drop(struct flow *flow);

#endif
