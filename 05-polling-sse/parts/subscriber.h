// subscriber.h: a connection that waits for news: a held poll, a stream of events, a WebSocket.
// For each one the server keeps only its position in the feed. The events stay in the ring, and
// are copied when the kernel has room for them. A subscriber that does not read falls behind;
// when it is too far behind, its connection is closed.
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include "connection.h"

// After subscriber_join() the connection's timeout() and produce() are called when there is
// news after `seen`. subscriber_leave() ends that.
void subscriber_join(struct connection *c, uint64_t seen);
void subscriber_leave(struct connection *c);

// The position of a subscriber that names the last event it has seen, as feed_position() reads
// it. Where since.at is NULL, the position is the newest event.
uint64_t subscriber_position(struct connection *c, struct http_text since);

// Sets *seen to the position of a poll with ?since=ID. Without since= *seen stays as it is.
// False: since= is no number.
bool subscriber_has_seen(const struct connection *c, const struct http_request *request,
                         uint64_t *seen);

// Sends as many events of a feed as there is room for, and sets *seen to the last one. Events
// whose author is this subscriber are left out. Returns true if any bytes were written.
bool subscriber_catch_up(struct connection *c, const struct feed *feed, uint64_t *seen,
                         enum feed_form form);

// True if this subscriber does not read, and more events wait for it than --queue allows.
bool subscriber_is_too_slow(const struct connection *c);

// How many events wait for this subscriber.
uint64_t subscriber_queue(const struct connection *c);

// True if POST /cut has come since this subscriber joined.
bool subscriber_is_cut(const struct connection *c);

// Asks for timeout() when the heartbeat is due, or when the server makes its next event.
void subscriber_sleep(struct connection *c);

// Wakes all subscribers: there is news, or they are to be cut off.
void subscribers_wake(struct service *service);

#endif
