// reader.h: a session that waits for news: a held poll, a stream of events, a WebSocket. It
// knows how far in the feed it has come, and that is all that is kept for it: the events are
// in the ring, and are copied when the kernel has room for them. A reader that does not take
// what it is sent falls behind; when it is too far behind, it has to go.
#ifndef READER_H
#define READER_H

#include "session.h"

// From now on the session is woken (timeout(), produce()) when there is news after `seen`.
void reader_join(struct session *s, uint64_t seen);
void reader_leave(struct session *s);

// Where a reader of a stream stands that names the event it has seen last; at NULL: at the
// newest event. What is no number is an event that we do not know.
uint64_t reader_position(struct session *s, struct http_text since);

// Where a poll with ?since=ID stands; without it, *seen stays as it is. False: it is no number.
bool reader_has_seen(const struct session *s, const struct request *request, uint64_t *seen);

// Sends as many events of a feed as there is room for; *seen is the last one that was sent.
// Events by the reader itself are left out. Returns true if there was any.
bool reader_catch_up(struct session *s, const struct feed *feed, uint64_t *seen,
                     enum feed_form form);

// True if more events wait for this reader than may, because it does not take them.
bool reader_is_too_slow(const struct session *s);

// Events that wait for it.
uint64_t reader_queue(const struct session *s);

// True if somebody has cut off all readers that were there.
bool reader_is_cut(const struct session *s);

// Asks to be woken when its heartbeat is due, or when the feed will make an event.
void reader_sleep(struct session *s);

// Publishes, and wakes all readers. `author` is who need not be told; NULL: everybody is told.
// Returns the event's id, 0 without memory.
uint64_t reader_publish(struct session *publisher, struct feed *feed, struct http_text name,
                        struct http_text data, const struct session *author);

// True if a connection has published in this round of the loop, and the readers are to have
// their turn before it publishes more. It is then to be paused, and reader_may_publish() says
// when it may go on. A publisher is thus never faster than readers who do read; for a reader
// that takes nothing it does not wait.
bool reader_turn_is_over(const struct session *publisher);
bool reader_may_publish(const struct session *publisher);
void reader_pause(struct session *publisher);

void readers_wake(struct service *service);

// Makes the events of --rate and --burst that are due. The feed needs no clock of its own: it
// is asked when somebody looks, and readers look when the next event is due.
void readers_tick(struct service *service, int64_t at_ns);

#endif
