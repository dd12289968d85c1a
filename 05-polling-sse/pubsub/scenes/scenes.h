// scenes.h: the scenes that play.c plays. Each is in the file of its name; topics is in
// filters.c.
#ifndef SCENES_H
#define SCENES_H

void scene_qos(void);
void scene_pipeline(void);
void scene_backlog(void);
void scene_topics(void);
void scene_order(void);
void scene_duplicates(void);
void scene_correlate(void);
void scene_overload(void);
void scene_rooms(void);
void scene_cost(void);

#endif
