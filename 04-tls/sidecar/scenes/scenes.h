// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_plain(void);
void scene_wire(void);
void scene_identity(void);
void scene_retry(void);
void scene_multiply(void);
void scene_timeout(void);
void scene_breaker(void);
void scene_rate(void);
void scene_trace(void);
void scene_metrics(void);
void scene_thin(void);
void scene_hop(void);
void scene_memory(void);
void scene_order(void);
void scene_rotate(void);
void scene_replace(void);

// Dies if the sidecar that ./play was told to use does not answer. (The scenes start meshes of
// their own.)
void scene_check_server(void);

// Its port.
int scene_port(void);

#endif
