// get.h: the client as a tool: GETs a page from any server that speaks HTTP/2 without TLS.
#ifndef GET_H
#define GET_H

#include <stdbool.h>

// Prints the response: status, fields, an empty line, content; or, if `verbose`, every frame in
// both directions. With `times` above 1 it asks so many times, as many at once as the server
// allows, and prints only what came. Returns the exit status: 1 if not all were answered.
int get(const char *path, int times, bool verbose);

#endif
