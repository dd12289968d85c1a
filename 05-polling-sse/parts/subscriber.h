// subscriber.h: a connection that waits for news: a held poll, a stream of events, a WebSocket.
// It knows how far in the feed it has come, and that is all that is kept for it: the events are
// in the ring, and are copied when the kernel has room for them. A subscriber that does not
// take what it is sent falls behind; when it is too far behind, it has to go.
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include "connection.h"

// From now on the connection is woken (timeout(), produce()) when there is news after `seen`.
void subscriber_join(struct connection *c, uint64_t seen);
void subscriber_leave(struct connection *c);

// Where a subscriber of a stream stands that names the event it has seen last; at NULL: at the
// newest event. What is no number is an event that we do not know.
uint64_t subscriber_position(struct connection *c, struct http_text since);

// Where a poll with ?since=ID stands; without it, *seen stays as it is. False: it is no number.
bool subscriber_has_seen(const struct connection *c, const struct http_request *request,
                         uint64_t *seen);

// Sends as many events of a feed as there is room for; *seen is the last one that was sent.
// Events by the subscriber itself are left out. Returns true if there was any.
bool subscriber_catch_up(struct connection *c, const struct feed *feed, uint64_t *seen,
                         enum feed_form form);

// True if more events wait for this subscriber than may, because it does not take them.
bool subscriber_is_too_slow(const struct connection *c);

// Events that wait for it.
uint64_t subscriber_queue(const struct connection *c);

// True if somebody has cut off all subscribers that were there.
bool subscriber_is_cut(const struct connection *c);

// Asks to be woken when its heartbeat is due, or when the feed will make an event.
void subscriber_sleep(struct connection *c);

// Wakes all subscribers: there is news, or the end.
void subscribers_wake(struct service *service);

#endif
