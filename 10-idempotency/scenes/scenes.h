// scenes.h: the scenes that have a file of their own.
#ifndef SCENES_H
#define SCENES_H

void scene_conflict(void); // rules.c
void scene_methods(void);
void scene_expiry(void);
void scene_race(void);    // race.c
void scene_crash(void);   // crash.c
void scene_backoff(void); // storm.c
void scene_breaker(void); // fuse.c
void scene_ulid(void);    // order.c

#endif
