// scenes.h: the scenes that play.c plays. Each is in a file: mapped, kinds (types), punch,
// same_router, priorities (ice), relayed (relay), distance (direct), signalling (signal), idle.
#ifndef SCENES_H
#define SCENES_H

void scene_mapped(void);
void scene_types(void);
void scene_punch(void);
void scene_same_router(void);
void scene_ice(void);
void scene_relay(void);
void scene_direct(void);
void scene_signal(void);
void scene_idle(void);

#endif
