// follow.h: four ways to be told the news, one interface. A follower knows the id of the last
// event that it has seen; what it does with that is the whole difference:
//
//     short polling   asks "what came after 7?" every so often, whether there is any or not
//     long polling    asks the same; the server does not answer before there is some
//     SSE             asks once, for an answer that never ends; comes back if it is cut off
//     WebSocket       asks once to speak something else than HTTP
#ifndef FOLLOW_H
#define FOLLOW_H

#include "eventstream.h"
#include "fetch.h"
#include "news.h"
#include "websocket.h"

enum way { SHORT_POLLING, LONG_POLLING, SERVER_SENT, WEB_SOCKET, WAYS };

struct follower {
    struct fetch fetch; // first: take_part() finds its follower by it
    enum way way;
    int interval_ms; // between two short polls
    // Called with each event.
    void (*told)(struct follower *f, const struct news *news);
    uint64_t requests, empty; // that were sent; answers without an event
    uint64_t seen;            // id of the last event
    bool connected;           // the stream or the WebSocket is there
    bool asked;               // an answer is to come
    int64_t due_ns;           // when it asks next, if none is to come
    struct event_stream stream;
    struct websocket socket;
    struct buffer answer; // to a poll, as far as it has come
    struct buffer text;   // of an event
};

extern const char *const way_name[WAYS];

// Connects and asks for what comes after `since`.
void follower_begin(struct follower *f, enum way way, uint64_t since, int interval_ms,
                    void (*told)(struct follower *, const struct news *));
void follower_end(struct follower *f);

// Asks if it is due, and takes what has come on its connection.
void follower_look(struct follower *f, bool readable);

// Cuts the connection from this end: the follower comes back as if it had been cut by the
// server.
void follower_cut(struct follower *f);

// Looks after all of them until step() is false. It is called after each look, at `now_ns`, and
// may set *wake_ns to the moment when it wants to be called again at the latest.
void follow(struct follower *const *followers, int count,
            bool (*step)(int64_t now_ns, int64_t *wake_ns));

// The number with which the data of an event begins; -1 if there is none.
int news_number(const struct news *news);

#endif
