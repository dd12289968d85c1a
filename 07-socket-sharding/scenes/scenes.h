// scenes.h: the scenes of lesson 07, each in the file of its name, and what ./play sets for
// them.
#ifndef SCENES_H
#define SCENES_H

#include "servers.h"

extern struct peer server;     // the server that ./play was pointed at
extern int spread_connections; // that scene spread makes in each way
extern int herd_workers;       // of the servers in the scenes order and herd

void scene_bind(void);
void scene_spread(void);
void scene_order(void);
void scene_herd(void);
void scene_backlog(void);
void scene_stuck(void);
void scene_takeover(void);
void scene_sticky(void);

// Makes connections from one client, each when all workers sleep; in `who`, unless it is NULL,
// the worker of each. Returns what the workers have done since the first (wakeups.c).
struct seen connect_when_asleep(const char *options, int count, int *who);

#endif
