// ask.h: connections to the server that the scenes are about.
#ifndef ASK_H
#define ASK_H

#include "fetch.h"

// Says where it is, before any scene.
void ask_server(const char *host, int port);

// Connects to it. Dies if it is not there.
void ask_open(struct fetch *f);

// Sends a request as it stands here, or one for a page, and reads the answer. Dies if there is
// none.
void ask(struct fetch *f, const char *request);
void ask_get(struct fetch *f, const char *target);

// The length of the content's first line, without its end.
int ask_first_line(const struct fetch *f);

// True if the server ends the connection, as it has announced, without another byte.
bool ask_ends(struct fetch *f);

#endif
