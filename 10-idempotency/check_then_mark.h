// check_then_mark.h: POST /notes-pattern/charges: check, mark, then process, as the course
// notes have it. Each step is durable; the three together are not one.
#ifndef CHECK_THEN_MARK_H
#define CHECK_THEN_MARK_H

#include "connection.h"

void answer_check_then_mark(struct connection *c, const struct request *request);

// The connection is closed before the mark is in the journal: neither mark nor charge is made.
void check_then_mark_abandon(struct connection *c);

#endif
