// session.h: the same conversation as in conversation.h for the models that wait with epoll
// (loop, readers): nothing here blocks, so one thread talks with thousands; and for the same
// reason one request that computes for long makes all of them wait.
#ifndef SESSION_H
#define SESSION_H

#include "crew.h"
#include "loop.h"
#include "request.h"

struct session {
    struct conn conn;
    struct request request; // whose answer waits (/io), and that answer's text:
    const char *text;
    size_t length;
    bool waiting, head_began, refused;
};

// Says who this thread is: to be called before the others.
void session_begin(struct worker *worker);

// What loop_serve() needs to know, for so many connections. To call crew_join() is left to the
// model.
struct loop_server session_server(int conns_max);

// Answers 503 and closes. For `opened`, where there is no room.
void session_refuse(struct conn *conn);

#endif
