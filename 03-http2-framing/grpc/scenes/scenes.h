// scenes.h: the scenes of 03, grpc.
#ifndef SCENES_H
#define SCENES_H

void scene_unary(void);
void scene_kinds(void);
void scene_cancel(void);
void scene_deadline(void);
void scene_errors(void);
void scene_schema(void);
void scene_speed(void);

#endif
