// collapse.h: requests for the same, at the same time, become one request to the server: the
// first client's. The others wait for its answer. While they may, its exchange is a flight.
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
struct exchange *flight_find(struct http_text key);

// flight_begin(): from now on other clients may wait for this exchange. flight_end(): they may
// no more, and those who wait are woken; it does nothing if the exchange is no flight.
void flight_begin(struct exchange *x);
void flight_end(struct exchange *x, enum flight_end how, int status);

// A client begins to wait; stops waiting, if it does.
void flight_join(struct exchange *x, struct client *client);
void flight_leave(struct client *client);

// Something has changed what has this key: it is removed from the store, and what is under way
// is not to be stored any more. True if it was in the store.
bool flight_outdate(struct http_text key);

// True if the last answer for this key was not storable, a short while ago: then nobody waits.
bool flight_is_hopeless(struct http_text key);

#endif
