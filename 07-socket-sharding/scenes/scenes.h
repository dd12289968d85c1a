// scenes.h: the scenes of lesson 07, each in the file of its name, and the options of ./play.
#ifndef SCENES_H
#define SCENES_H

#include "servers.h"

extern struct peer server;     // the server that ./play was pointed at
extern int spread_connections; // how many connections scene spread makes in each way
extern int herd_workers;       // workers of the servers in the scenes order and herd

void scene_bind(void);
void scene_spread(void);
void scene_order(void);
void scene_herd(void);
void scene_backlog(void);
void scene_stuck(void);
void scene_takeover(void);
void scene_sticky(void);
void scene_syn_retries(void);
void scene_syn_queue(void);

// Starts a server and makes `count` connections, each when all workers sleep. Writes to
// got_by[] the number of the worker that got each connection, unless it is NULL. Returns what
// all workers have done since the first connection (wakeups.c).
struct seen connect_when_asleep(const char *options, int count, int *got_by);

#endif
