// scenes.h: the scenes of this variation.
#ifndef SCENES_H
#define SCENES_H

void scene_one_backend(void);
void scene_solutions(void);
void scene_pool_or_multiplex(void);

#endif
