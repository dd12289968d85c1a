// scenes.h: the scenes; each is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_double(void);
void scene_once(void);
void scene_timeout(void);
void scene_conflict(void);
void scene_methods(void);
void scene_pages(void);
void scene_race(void);
void scene_crash(void);
void scene_expiry(void);
void scene_backoff(void);
void scene_circuit_breaker(void);
void scene_ulid_vs_uuid(void);

#endif
