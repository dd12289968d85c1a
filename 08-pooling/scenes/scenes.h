// scenes.h: the scenes of lesson 08, and what they share.
#ifndef SCENES_H
#define SCENES_H

#include <sys/types.h>

#include "claim.h"
#include "measure.h"
#include "sessions.h"

#define QUERY_MS 10000 // that a query may take

// The server that ./play was pointed to; a connection with it that has not logged in; and a
// session with it, or with another.
struct db_config *the_server(void);
int connect_to_server(void);
struct db *open_or_die(struct db_config *server);

// A server of the scene's own, on loopback, on a port that the kernel chooses unless these
// options (NULL ends them; 15 at most) say another. Dies if it does not start.
struct db_config start_server(pid_t *pid, const char *const options[]);

// Asks, or the end of the program.
void ask_or_die(struct db *db, const char *text);

// False, and the claim is reported as skipped: there is no distance at which waiting could be
// seen.
bool is_far(const struct claim *claim);

// A pool, or the end of the program.
struct pool *new_pool(struct pool_config config);

// Ends a pool of which nothing is out.
void end_pool(struct pool *pool);

// How many threads compete in scene sizing, and in scene burst.
void sizing_with(int threads);
void burst_of(int threads);

// Each is in the file of its name.
void scene_reuse(void);
void scene_sharing(void);
void scene_sizing(void);
void scene_ports(void);
void scene_stale(void);
void scene_leak(void);
void scene_vanished(void);
void scene_held(void);
void scene_nplus1(void);
void scene_burst(void);
void scene_lifetimes(void);

#endif
