// follow.h: one interface for the four ways in which news reaches a client. A follower is such
// a client. It knows the id of the last event that it has seen. The ways differ in how it asks:
//
//     short polling   asks "what came after 7?" again and again, at fixed times
//     long polling    asks the same; the server answers when there is an event
//     SSE             asks once, for an answer that never ends; asks again if it is cut off
//     WebSocket       asks once for another protocol than HTTP
#ifndef FOLLOW_H
#define FOLLOW_H

#include "eventstream.h"
#include "fetch.h"
#include "news.h"
#include "websocket.h"

enum way { SHORT_POLLING, LONG_POLLING, SERVER_SENT, WEB_SOCKET, WAYS };

struct follower {
    struct fetch fetch; // must be the first: take_part() casts it to its follower
    enum way way;
    int interval_ms; // time between two short polls
    // Called with each event.
    void (*told)(struct follower *f, const struct news *news);
    uint64_t requests; // how many requests it has sent
    uint64_t empty;    // how many answers had no event
    uint64_t seen;     // the id of the last event
    bool connected;    // the stream or the WebSocket is open
    bool asked;        // a request is without its answer, or the stream is open
    int64_t due_ns;    // when it asks next, if `asked` is false
    struct event_stream stream;
    struct websocket socket;
    struct buffer answer; // the part of a poll's answer that has come
    struct buffer text;   // the texts of the last event
};

extern const char *const way_name[WAYS];

// Connects, and asks for the events after `since`.
void follower_begin(struct follower *f, enum way way, uint64_t since, int interval_ms,
                    void (*told)(struct follower *, const struct news *));
void follower_end(struct follower *f);

// Sends a request if one is due, and reads the bytes that have come if there are any.
void follower_look(struct follower *f, bool readable);

// Closes the connection at this end. The follower connects again as if the server had closed
// it.
void follower_cut(struct follower *f);

// Serves all these followers until step() returns false. step() is called before each wait,
// with the time; it may set *wake_ns to the time at which it has to be called again.
void follow(struct follower *const *followers, int count,
            bool (*step)(int64_t now_ns, int64_t *wake_ns));

// Returns the number at the beginning of an event's data; -1 if there is none.
int news_number(const struct news *news);

#endif
