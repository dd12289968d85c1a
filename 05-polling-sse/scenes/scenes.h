// scenes.h: the scenes that play.c tells and other files play.
#ifndef SCENES_H
#define SCENES_H

// How often a short poll asks, in milliseconds; and how large the crowd is.
void techniques_with(int interval_ms);
void crowd_of(int readers);

void scene_techniques(void); // techniques.c
void scene_resume(void);     // resume.c
void scene_frames(void);     // frames.c
void scene_crowd(void);      // crowd.c
void scene_slow(void);       // slow.c

#endif
