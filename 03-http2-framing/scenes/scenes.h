// scenes.h: the scenes that play.c plays. Each is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_frames(void);
void scene_stream_ids(void);
void scene_interleave(void);
void scene_page_load(void);
void page_load_size(int bytes); // how large each of its images is
void scene_blocking(void);
void scene_header_compression(void);
void scene_windows(void);
void scene_push(void);
void scene_events(void);
void scene_page(void);
void scene_endings(void);
void scene_ping(void);

#endif
