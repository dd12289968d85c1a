// ask.h: connections to the server that the scenes are about, and what it says of itself.
#ifndef ASK_H
#define ASK_H

#include "fetch.h"
#include "measure.h"

// Says where it is, before any scene.
void ask_server(const char *host, int port);

// A connection to it; or only the socket, as for fetch_connect(). Dies if it is not there.
void ask_open(struct fetch *f);
int ask_connect(void);

// Asks, with content if it is not NULL, and reads the answer. Returns its status; dies if there
// is none.
int ask_status(struct fetch *f, const char *method, const char *target, const char *content);

// A number of GET /stats, asked for on a connection of its own: the first one called `name`
// that stands behind `after`.
uint64_t server_figure(const char *after, const char *name);

#endif
