// session.h: one connection of lesson 02's server, and how it sends an answer: a head, and then
// content that goes at once, in parts as room is made for it, or in pieces as time goes by.
#ifndef SESSION_H
#define SESSION_H

#include "answer.h"
#include "files.h"
#include "loop.h"

#define HEAD_ROOM 1024 // bytes of output that any head finds room in

struct session {
    struct conn conn;
    enum { READ_HEAD, READ_CONTENT, WAIT, SEND } phase;
    bool head_began;       // some of a request's head is here
    bool head_only;        // the request was HEAD: an answer without its content
    bool chunked;          // the answer is sent in chunks
    bool keep_alive;       // another request may follow
    int minor;             // of the client's HTTP/1.minor
    struct http_body body; // of the request, while it is read
    size_t content_length; // of it that has come
    struct answer answer;
    struct upload upload;
    char *kept; // the request's content, to be echoed
    size_t kept_length, kept_size;
};

// Keeps content of a request until it is echoed. False: there is no room for it.
bool session_keep(struct session *s, struct http_text content);

// Sends s->answer, now or when its delay is over. Needs HEAD_ROOM bytes of room. Until it is
// sent, nothing else is received: answers keep the order of the requests.
void session_answer(struct session *s);

// Sends what has come due: the delayed answer, or its next piece.
void session_go_on(struct session *s);

// Sends as much of the content as there is room for. Returns true if that is anything.
bool session_send_content(struct session *s);

// Answers a request that cannot be served with this status, and closes: who knows what the
// bytes behind it mean.
void session_refuse(struct session *s, int status);

// Frees what belongs to one request and its answer.
void session_forget(struct session *s);

#endif
