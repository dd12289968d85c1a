// late_answers.h: UDP answers that "after" holds back.
#ifndef LATE_ANSWERS_H
#define LATE_ANSWERS_H

#include <stdint.h>
#include <sys/socket.h>

#include "service.h"

// Keeps a reply until reply->after_ms have passed. When all places are taken, the client that
// has most of them loses one to a client that has fewer; else the new answer is dropped, as UDP
// may.
void late_answer_keep(const struct sockaddr_storage *to, socklen_t to_length,
                      const struct reply *reply);

// Sends what is due.
void late_answers_send(int udp, int64_t now_ns);

// When the next one is due; INT64_MAX: there is none.
int64_t late_answers_due_ns(void);

#endif
