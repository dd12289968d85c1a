// answer.h: is an answer good, or may it be good the next time?
#ifndef ANSWER_H
#define ANSWER_H

#include "fetch.h"

#define ANSWER_WHY (FETCH_WHY_BYTES + 50)

// True for an answer with a status below 300. False: the connection is lost, or
// the server is in trouble (503), and `why` says how. Dies of an answer that
// would be the same the next time: it is malformed, or the client is refused
// (404).
bool answer_is_good(const struct fetch *f, enum fetch_result result, char why[ANSWER_WHY]);

#endif
