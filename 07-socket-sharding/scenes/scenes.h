// scenes.h: the scenes that client.c tells and other files play.
#ifndef SCENES_H
#define SCENES_H

#include "talk.h"

// The server that the client was pointed at; how many connections scene spread makes, and how
// many workers the scenes order and herd have.
void backlog_of(const struct peer *server);
void spread_over(int connections);
void workers_of(int count);

void scene_spread(void);   // spread.c
void scene_sticky(void);   // spread.c
void scene_order(void);    // herd.c
void scene_herd(void);     // herd.c
void scene_backlog(void);  // backlog.c
void scene_takeover(void); // replace.c

#endif
