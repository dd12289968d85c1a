// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

#include <stdbool.h>
#include <sys/types.h>

void scene_legs(void);
void scene_offload(void);

// Dies if the proxy that ./play was told to use does not answer. (The scenes start proxies of
// their own, because these need an upstream of the scene's own.)
void scene_check_server(void);

// Starts a proxy in front of 127.0.0.1:upstream_port, and has connect.c connect to it.
void scene_start_proxy(pid_t *pid, int upstream_port);

// A listening socket on a port that the kernel chooses.
int scene_listen(int *port);

#endif
