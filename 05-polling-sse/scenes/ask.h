// ask.h: how the scenes connect to the server, ask it, and read its figures.
#ifndef ASK_H
#define ASK_H

#include "fetch.h"
#include "measure.h"

// Sets the server's address. Call it before any scene.
void ask_server(const char *host, int port);

// ask_open() connects to the server; ask_connect() does too, and returns only the socket. Both
// die if there is no server.
void ask_open(struct fetch *f);
int ask_connect(void);

// Sends a request, with content if that is not NULL, and reads the answer. Returns its status.
// Dies if there is no answer.
int ask_status(struct fetch *f, const char *method, const char *target, const char *content);

// Asks GET /stats on a new connection, and returns the first number called `name` behind the
// text `after`.
uint64_t server_figure(const char *after, const char *name);

#endif
