// collapse.h: requests for the same, at the same time, become one request to the server: the
// first client's. The others wait for its answer.
#ifndef COLLAPSE_H
#define COLLAPSE_H

#include "exchange.h"

#define COLLAPSE_WAITS 4 // that a client waits for one request; then it goes on its own way

enum flight_end {
    FLIGHT_STORED,       // they find it in the store
    FLIGHT_NOT_STORABLE, // each goes on its own way
    FLIGHT_FAILED,       // each gets `status`, or what is stale
    FLIGHT_LOST          // they try again
};

// The flight with this key; NULL if there is none.
struct flight *flight_find(struct http_text key);

// A request begins that others may wait for. NULL: there is no memory for that.
struct flight *flight_begin(struct http_text key, struct exchange *x);

// A client begins to wait; stops waiting.
void flight_join(struct flight *flight, struct client *client);
void flight_leave(struct client *client);
bool flight_has_waiting(const struct flight *flight);

void flight_end(struct flight *flight, enum flight_end how, int status);

// What is under way for this key is not to be stored any more: something has changed it.
void flight_outdate(struct http_text key);

// True if the last answer for this key was not storable, a short while ago: then nobody waits.
bool flight_is_hopeless(struct http_text key);

#endif
