// supervisor.h: what the server's main thread does while its workers serve.
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "handover.h"
#include "worker_pool.h"

// Returns a signalfd for SIGINT, SIGTERM and SIGCHLD, which interrupt nothing from now on.
int supervisor_signals(void);

// Replaces workers that have died, answers questions about the stats, and hands the sockets
// over to a successor that asks for them. Returns when the server is to end, and says how.
// `signals` is what supervisor_signals() has returned.
enum ending supervise(struct worker_pool *pool, const struct handover_fds *sockets,
                      int signals);

#endif
