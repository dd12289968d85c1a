// accounts.h: what can be repeated without a key: PUT says what shall be true, DELETE that
// something shall be gone, and to say so twice changes nothing (RFC 9110 §9.2.2).
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include "connection.h"

void answer_put_account(struct connection *c, const struct request *request);
void answer_delete_account(struct connection *c, const struct request *request);
void answer_account(struct connection *c, const struct request *request);

#endif
