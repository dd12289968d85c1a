// scenes.h: the scenes of lesson 01, each in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_handshake(void);
void scene_boundaries(void);
void scene_loss(void);
void scene_flow(void);
void scene_segments(void);
void scene_queries(void);

#endif
