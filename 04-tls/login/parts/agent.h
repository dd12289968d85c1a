// agent.h: a user's program (RFC 9110 §3.5: user agent): it asks the server over TLS, gives
// back the cookies and tokens that it got, and keeps new ones. For the client and the scenes.
#ifndef AGENT_H
#define AGENT_H

#include "ask.h"
#include "jar.h"

struct agent {
    const char *host; // the server
    int port;
    struct jar jar;
    const char *fields;    // further fields of each request, each with CRLF; NULL: none
    bool keeps_nothing;    // cookies and tokens that come are not taken
    struct connection *up; // NULL: not connected
    size_t request_bytes;  // of the last request: head and content
    struct reply reply;    // to the last request
    char head[2048];       // of that reply
};

// Asks, and returns the status of the answer; c->reply has the rest. Connects when there is no
// connection yet. Dies if there is no whole answer.
int agent_ask(struct agent *agent, const char *method, const char *path, const char *content);

// POST /login.
int agent_log_in(struct agent *agent, const char *user, const char *password);

void agent_close(struct agent *agent);

// A field of the last answer, "" if there is none. Valid until the next call.
const char *agent_field(const struct agent *agent, const char *name);

#endif
