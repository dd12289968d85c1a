// publisher.h: events come into the feed: published by a client, or made by the feed itself. A
// publisher does not wait until a subscriber has an event: it is answered when the event is in
// the ring. But it gets no further ahead than subscribers who do read can follow.
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include "connection.h"

// Publishes, and wakes all subscribers. `author` is who need not be told; NULL: everybody is
// told. Returns the event's id, 0 without memory.
uint64_t publisher_publish(struct connection *publisher, struct feed *feed,
                           struct http_text name, struct http_text data,
                           const struct connection *author);

// True if a connection has published in this round of the loop, and the subscribers are to have
// their turn before it publishes more. It is then to be paused, and publisher_may_publish()
// says when it may go on. A publisher is thus never faster than subscribers who do read; for a
// subscriber that takes nothing it does not wait.
bool publisher_turn_is_over(const struct connection *publisher);
bool publisher_may_publish(const struct connection *publisher);
void publisher_pause(struct connection *publisher);

// Makes the events of --rate and --burst that are due. The feed needs no clock of its own: it
// is asked when somebody looks, and subscribers look when the next event is due.
void publisher_tick(struct service *service, int64_t at_ns);

#endif
