// late_answers.h: answers to the UDP command "after", which the server sends later.
#ifndef LATE_ANSWERS_H
#define LATE_ANSWERS_H

#include <stdint.h>
#include <sys/socket.h>

#include "service.h"

// Keeps a reply until reply->after_ms have passed. If all places are taken, the client that has
// the most answers loses one to a client that has fewer. If no client has more than this one,
// the new answer is dropped: UDP promises nothing.
void late_answer_keep(const struct sockaddr_storage *to, socklen_t to_length,
                      const struct reply *reply);

// Sends the answers that are due.
void late_answers_send(int udp, int64_t now_ns);

// When the next answer is due; INT64_MAX: there is none.
int64_t late_answers_due_ns(void);

#endif
