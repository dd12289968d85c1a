// remote.h: asks the program `store` about sessions, over a connection that is kept. For a
// thread that may wait; one connection a thread.
#ifndef REMOTE_H
#define REMOTE_H

#include <stdio.h>

#include "sessions.h"

#define REMOTE_WAIT_MS 2000 // for the store to connect, and to answer

struct remote {
    const char *host;
    int port;
    FILE *answers; // the connection; NULL: there is none
};

// One of the questions of a list.
struct remote_question {
    const struct session_request *request;
    struct session_reply *reply;
};

// Asks all questions in one go, and waits for all answers: one round trip, however many they
// are. A question that gets none fails (SESSION_FAILED).
void remote_ask(struct remote *remote, const struct remote_question *questions, int count);

void remote_close(struct remote *remote);

#endif
