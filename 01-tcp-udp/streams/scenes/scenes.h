// scenes.h: the scenes that play.c plays, each in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_independent(void);
void scene_migrate(void);
void scene_spoof(void);
void scene_loss(void);

#endif
