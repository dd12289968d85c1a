// ask.h: connections to the server that the scenes are about.
#ifndef ASK_H
#define ASK_H

#include "fetch.h"

// The server's address: play.c sets it before any scene.
extern struct sockaddr_storage ask_server;

// Connects to the server. Dies if it does not answer.
void ask_open(struct fetch *f);

// Sends these bytes, which are a request, and reads the answer. Dies if there is none.
void ask(struct fetch *f, const char *request);

// The same with a GET for this target.
void ask_get(struct fetch *f, const char *target);

// The length of the content's first line, without the newline.
int ask_first_line(const struct fetch *f);

// True if the server closes the connection without another byte.
bool ask_ends(struct fetch *f);

#endif
