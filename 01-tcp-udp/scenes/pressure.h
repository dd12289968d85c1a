// pressure.h: the scenes in which the network, or the reader, cannot keep up.
#ifndef PRESSURE_H
#define PRESSURE_H

void scene_loss(void); // claim 1.3
void scene_flow(void); // claims 1.7, 1.8, 1.10

#endif
