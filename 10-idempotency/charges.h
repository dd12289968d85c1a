// charges.h: POST /charges: an operation that must not happen twice, made safe to be repeated.
// And POST /naive/charges, which is not safe.
#ifndef CHARGES_H
#define CHARGES_H

#include "connection.h"

void answer_charge(struct connection *c, const struct request *request);
void answer_naive_charge(struct connection *c, const struct request *request);

// The connection is closed. Its charge is made all the same, and kept, but no client waits for
// it.
void charge_abandon(struct connection *c);

// ---- also called by check_then_mark.c and accounts.c ---------------------------------------

// Reserves room for the charge, takes its key, and sets c->charge. False: there is no room; the
// charge is freed, and the request is answered.
bool charge_take(struct connection *c, struct record *charge);

// Sends c->charge to the bank, which takes its time, and then to the journal. `then` is called
// when c->charge is on the disk, or is NULL because it cannot be kept.
void charge_make(struct connection *c, void (*then)(struct connection *c));

// Answers with a charge. `replayed`: the answer was made for an earlier request.
void answer_with_charge(struct connection *c, const struct record *charge, bool replayed);

// Answers with 503: the record could not be kept, so nothing has changed.
void charge_not_kept(struct connection *c);

#endif
