// pattern.h: POST /notes-pattern/charges: check, mark, then process, as the course notes have
// it. Each step is durable; the three together are not one.
#ifndef PATTERN_H
#define PATTERN_H

#include "connection.h"

void answer_pattern_charge(struct connection *c, const struct request *request);

// The client has gone: what was marked happens nevertheless.
void pattern_abandon(struct connection *c);

#endif
