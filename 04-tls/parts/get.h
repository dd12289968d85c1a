// get.h: ./client --get /path: one request to any HTTPS server, and what there is to know about
// the connection.
#ifndef GET_H
#define GET_H

#include "connect.h"

// Prints the facts to stderr, the answer to stdout. Returns the program's exit status.
int get(const char *path, int port, const struct connect_settings *settings);

#endif
