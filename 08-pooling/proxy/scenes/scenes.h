// scenes.h: the scenes that play.c plays. Each is in the file of its name; cache is in
// collapsing.c, tunnel in connect_method.c.
#ifndef SCENES_H
#define SCENES_H

void scene_forward(void);
void scene_reverse(void);
void scene_cache(void);
void scene_directives(void);
void scene_revalidate(void);
void scene_invalidate(void);
void scene_tunnel(void);
void scene_upgrade(void);

#endif
