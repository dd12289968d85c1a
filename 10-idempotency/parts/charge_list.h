// charge_list.h: charges as JSON: GET /charges/ID and GET /charges?limit=N&after=ID, or with
// offset=N in place of after=ID; with order=newest the newest come first.
#ifndef CHARGE_LIST_H
#define CHARGE_LIST_H

#include "connection.h"

#define CHARGE_BYTES 256 // of one charge in an answer

// Writes a charge as a JSON object.
void charge_put(struct http_out *out, const struct record *charge);

void answer_one_charge(struct connection *c, const struct request *request);
void answer_charge_list(struct connection *c, const struct request *request);

#endif
