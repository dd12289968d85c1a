// scenes.h: the scenes that play.c plays, each in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_layers(void);
void scene_route(void);
void scene_price(void);
void scene_algorithms(void);
void scene_sticky(void);
void scene_failover(void);
void scene_versions(void);
void scene_websocket(void);
void scene_two(void);

#endif
