// charges.h: POST /charges: an operation that must not happen twice, made safe to be repeated.
// And POST /naive/charges, which is not.
#ifndef CHARGES_H
#define CHARGES_H

#include "connection.h"

void answer_charge(struct connection *c, const struct request *request);
void answer_naive_charge(struct connection *c, const struct request *request);

// GET /charges/ID and GET /charges?limit=N&after=ID
void answer_one_charge(struct connection *c, const struct request *request);
void answer_charges(struct connection *c, const struct request *request);

// ---- for the notes' pattern as well --------------------------------------------------------

// Whether there is room for one more request now; if not, it is answered.
bool charge_is_welcome(struct connection *c);

// Reads Idempotency-Key into `key` (KEY_MAX + 1 bytes). Returns its length, 0 if it is missing
// or wrong; then the request is answered.
size_t charge_key(struct connection *c, const struct request *request, char *key);

// The charge that a request's content asks for, with this key; NULL if the content is not
// right, or there is no room; then the request is answered.
struct record *charge_read(struct connection *c, struct http_text content,
                           struct http_text key);

// Takes the room that the charge needs, and its key; false: there is none, the charge is freed,
// and the request is answered.
bool charge_take(struct connection *c, struct record *charge);

// Sends the charge to the bank, which takes its time, and then to the journal; `then` is called
// when c->charge is durable, or NULL.
void charge_make(struct connection *c, void (*then)(struct connection *c));

// Answers with a charge: as it was the first time, or again.
void charge_answer(struct connection *c, const struct record *charge, bool replayed);

// 503: what could not be kept has not happened.
void charge_not_kept(struct connection *c);

// The client has gone: what the bank was asked for happens nevertheless.
void charge_abandon(struct connection *c);

#endif
