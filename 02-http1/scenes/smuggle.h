// smuggle.h: scene `smuggle` of lesson 02.
#ifndef SMUGGLE_H
#define SMUGGLE_H

void scene_smuggle(void);

#endif
