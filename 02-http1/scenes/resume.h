// resume.h: scene `upload` of lesson 02.
#ifndef RESUME_H
#define RESUME_H

void scene_upload(void);

#endif
