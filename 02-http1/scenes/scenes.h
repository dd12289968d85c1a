// scenes.h: the scenes of lesson 02, each in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_raw(void);
void scene_reuse(void);
void scene_pipeline(void);
void scene_six(void);
void scene_hosts(void);
void scene_stream(void);
void scene_smuggle(void);
void scene_upload(void);
void scene_cache(void);
void scene_overhead(void);
void scene_copies(void);

#endif
