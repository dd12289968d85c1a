// loading.h: the scenes of lesson 02 that are about time: connections, and waiting in line.
#ifndef LOADING_H
#define LOADING_H

void scene_reuse(void);
void scene_pipeline(void);
void scene_six(void);

#endif
