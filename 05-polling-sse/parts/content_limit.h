// content_limit.h: limits the memory for requests whose content has come only in part.
//
// One request needs at most 128 KB (CONTENT_MAX and its head, in a buffer that is doubled when
// it is full). There are CONTENT_PLACES places for all connections together: 32 MB. When all of
// them are taken and another request needs one, the request that has waited longest loses its
// place. It is refused with 503. So many slow clients cannot keep the others from being served.
#ifndef CONTENT_LIMIT_H
#define CONTENT_LIMIT_H

#include "connection.h"

#define CONTENT_PLACES 256 // requests whose content may be here in part

// Call it when a connection has read a part of a request: takes a place for the request if its
// content is not whole, and gives the place back when it is.
void content_limit_update(struct connection *c);

// Gives back the place of a connection, if it has one.
void content_limit_leave(struct connection *c);

#endif
