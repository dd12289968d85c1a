// publisher.h: how events come into the feed: a client publishes them, or the server makes them
// itself. A publisher has its answer as soon as the event is in the ring, and does not wait for
// any subscriber. But subscribers that read must be able to follow: for them it is slowed down.
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include "connection.h"

// Publishes an event, and wakes all subscribers. The event is not sent to `author`; NULL: it is
// sent to all. Returns the event's id, 0 without memory.
uint64_t publisher_publish(struct connection *publisher, struct feed *feed,
                           struct http_text name, struct http_text data,
                           const struct connection *author);

// publisher_turn_is_over() is true if a connection has published in this round of the loop, and
// the subscribers are to be served before it publishes more. The caller then pauses it with
// publisher_pause(), until publisher_may_publish() is true. So a publisher is never faster than
// the subscribers that read; it does not wait for a subscriber that reads nothing.
bool publisher_turn_is_over(const struct connection *publisher);
bool publisher_may_publish(const struct connection *publisher);
void publisher_pause(struct connection *publisher);

// Makes the events of --rate and --burst that are due. There is no timer for that: each request
// calls it, and each subscriber is woken when the next event is due.
void publisher_tick(struct service *service, int64_t at_ns);

#endif
