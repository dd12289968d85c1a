// scenes.h: the scenes that client.c tells and other files play. Each starts the servers that
// it compares itself (lab.h).
#ifndef SCENES_H
#define SCENES_H

void scene_models(void); // models.c
void scene_idle(void);   // idle.c
void scene_hog(void);    // hog.c
void scene_skew(void);   // skew.c
void scene_crash(void);  // crash.c
void scene_race(void);   // race.c
void scene_cores(void);  // cores.c
void scene_full(void);   // full.c

#endif
