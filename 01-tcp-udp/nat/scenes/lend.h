// lend.h: how one program, ./play, acts on many nodes. On each node ./play --lend waits, and
// hands over sockets: a socket stays in the network in which it was made, whoever uses it. It
// also starts programs there.
#ifndef LEND_H
#define LEND_H

#include <stdbool.h>
#include <sys/types.h>

// What ./play --lend does, until it is asked to stop.
void lend_serve(void);

// A UDP socket on that node's address. Without wire: on 127.0.0.1. Dies if there is no such
// node.
int lend_socket(const char *node);

// Starts a program on that node, with these descriptors as its standard input and output; its
// errors go to standard output as well. It ends with the node's ./play --lend at the latest.
void lend_run(const char *node, const char *const argv[], int in, int out);

// The node's address, "" if there is no such node.
const char *lend_address(const char *node);

#endif
