// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_frames(void);
void scene_setup(void);
void scene_independent(void);
void scene_page_load(void);
void scene_price(void);
void scene_blocked(void);
void scene_wire(void);

#endif
