// answer.h: decides what a client does after an answer: go on, try again, or give up.
#ifndef ANSWER_H
#define ANSWER_H

#include "fetch.h"

#define ANSWER_WHY (FETCH_WHY_BYTES + 50)

// True for an answer with a status below 300. False: the connection is lost, or the server has
// trouble (503), so the client may try again; `why` gives the reason. Dies of an answer that
// would be the same the next time: a malformed one, or a refusal (404).
bool answer_is_good(const struct fetch *f, enum fetch_result result, char why[ANSWER_WHY]);

// Waits for bytes and reads once. FETCH_TIMEOUT: no byte has come for `silence_ms`. `why` gives
// the reason of any error.
enum fetch_result answer_read(struct fetch *f, int silence_ms, char why[ANSWER_WHY]);

#endif
