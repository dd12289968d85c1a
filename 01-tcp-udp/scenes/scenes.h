// scenes.h: the scenes of lesson 01, each in the file of its name.
#ifndef SCENES_H
#define SCENES_H

#include "claim.h"

void scene_handshake(void);
void scene_boundaries(void);
void scene_loss(void);
void scene_damage(void);
void scene_flow(void);
void scene_segments(void);
void scene_queries(void);
void scene_slow_start(void);
void scene_descriptors(void);
void scene_flood(void);

// The verdict of claim 1.10 for these values of tcp_rmem and tcp_wmem, three numbers each, and
// a kernel of this version (612: 6.12). SKIPPED: they are not the kernel's own values.
enum verdict flow_buffers(const long in[3], const long out[3], int kernel);

#endif
