// abuse_budget.h: limits what a client may cost this server: how many useless frames it may
// send, and how slowly it may send its requests and take its answers.
#ifndef ABUSE_BUDGET_H
#define ABUSE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

// ---- frames --------------------------------------------------------------------------------
//
// A frame takes a client a few bytes. One that moves no request on costs its connection 1 from
// the budget. A stream that is opened only to be reset costs more (CVE-2023-44487), and so does
// a request that is refused unread. The budget comes back with time, with each request that is
// answered, and with each DATA frame that is sent, because an honest client may answer each of
// those with WINDOW_UPDATE frames or a PING. When nothing is left, the connection is closed
// with ENHANCE_YOUR_CALM (RFC 9113 §10.5).
//
// WINDOW_UPDATE frames have a second account, which only DATA fills. It has no limit: a hundred
// streams with 64 KB each have 1,600 frames of DATA on their way, and a client may answer all
// of them at once, each with a frame for the stream and one for the connection.

#define BUDGET_MAX        1000
#define BUDGET_BACK_MS    5 // one comes back in so much time
#define BUDGET_FOR_ANSWER 4
#define BUDGET_FOR_DATA   2
#define UPDATE_BYTES      1024 // of DATA pay for one WINDOW_UPDATE more
// A DATA frame that is shorter, because the client's window is so small, earns nothing
// (CVE-2019-9511).
#define EARNING_BYTES    128
#define COST_OF_RESET    4
#define COST_OF_TOO_LONG (BUDGET_FOR_ANSWER + 20) // of header fields: 431 answers it

struct abuse_budget {
    int32_t left;
    int64_t updates;     // WINDOW_UPDATE frames that DATA has paid for
    int64_t reckoned_ns; // when the time that has passed was last added
};

void budget_begin(struct abuse_budget *budget, int64_t now_ns);

// Takes `cost` from the budget. False: so much is not left.
bool budget_spend(struct abuse_budget *budget, int64_t now_ns, int32_t cost);

// The same for a frame other than HEADERS, which costs 1. Free are DATA that bring an open
// request nearer to its end, and as many WINDOW_UPDATE frames as DATA has paid for.
bool budget_spend_frame(struct abuse_budget *budget, int64_t now_ns, const struct frame *frame,
                        bool is_open);

void budget_earn(struct abuse_budget *budget, int32_t amount);

// `length` bytes of DATA are sent in a frame, where the windows allow `may_send`.
void budget_earn_data(struct abuse_budget *budget, uint32_t length, uint32_t may_send);

// ---- pace ----------------------------------------------------------------------------------
//
// A request that waits for its client (for the rest of its body, or for window for its answer)
// may do so for a while. To renew that time with every byte would let a client hold a request
// for ever with a byte now and then. So each byte buys time: 1 ms. A client that moves
// 1,000 bytes a second, whenever it does, is never late.

#define PACE_BYTE_NS 1000000

struct pace {
    int64_t paid_ns; // the bytes that have moved pay for the time up to here
};

void pace_begin(struct pace *pace, int64_t now_ns);
void pace_move(struct pace *pace, int64_t now_ns, uint32_t bytes);

#endif
