// scenes.h: the scenes that client.c tells and other files play, and what they share.
#ifndef SCENES_H
#define SCENES_H

#include <sys/types.h>

#include "measure.h"
#include "sessions.h"

// The server that the client was pointed to; and a session with it, or with another.
struct db_config *the_server(void);
struct db *open_or_die(struct db_config *server);

// A server of this client's own, on loopback, on a port that the kernel chooses unless these
// options (NULL ends them; 15 at most) say another. Dies if it does not start.
struct db_config start_server(pid_t *pid, const char *const options[]);

// A pool, or the end of the program.
struct pool *new_pool(struct pool_config config);

// Ends a pool of which nothing is out.
void end_pool(struct pool *pool);

// How many threads compete in scene sizing, and in scene burst.
void sizing_with(int threads);
void burst_of(int threads);

void scene_sharing(void);   // sharing.c
void scene_sizing(void);    // sizing.c
void scene_ports(void);     // ports.c
void scene_stale(void);     // stale.c
void scene_burst(void);     // burst.c
void scene_lifetimes(void); // lifetimes.c

#endif
