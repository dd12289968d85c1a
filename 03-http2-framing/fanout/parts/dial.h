// dial.h: connections that a program makes on common's loop, beside those that it accepts. The
// loop opens a connection only between two rounds, because within a call its buffer belongs to
// another one; so a connection that is asked for is opened when the round is over.
#ifndef DIAL_H
#define DIAL_H

#include <sys/socket.h>

#include "loop.h"

#define DIAL_MS 2000 // until a connection has to be there

// Asks for a connection. `owner` is what dial_owner() gives when the loop calls opened() for
// it. False: it has failed at once, and errno says why.
bool dial(const struct sockaddr_storage *address, socklen_t length, void *owner);

// The owner is gone before its connection was opened.
void dial_forget(const void *owner);

// Accepts a client; -1 while the program is `full`, so that clients wait in the kernel's queue:
// connections that it makes have places of their own.
int dial_accept(int listener, bool full);

// For the program's round(): opens those that were asked for. `failed` is called where there is
// no memory.
void dial_open_all(void (*failed)(void *owner));

// dial_owner() is for opened(): the owner of the connection; NULL: it is a client's.
// dial_closed() is for closed().
void *dial_owner(struct conn *conn);
void dial_closed(const struct conn *conn);

// For produce(): true while the connection is only being opened. The first call of produce()
// for which this is false says that it is there; if it never is, closed() is called.
bool dial_is_opening(const struct conn *conn);

#endif
