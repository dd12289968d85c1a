// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

// Sets the time between two short polls of scene techniques, and the readers of scene crowd.
void techniques_with(int interval_ms);
void crowd_of(int readers);

void scene_techniques(void); // the same events by four techniques
void scene_handle(void);     // a job that takes longer than a request
void scene_resume(void);     // a stream that is cut
void scene_frames(void);     // a WebSocket, byte by byte
void scene_tokens(void);     // an answer that begins before it is finished
void scene_crowd(void);      // thousands of readers
void scene_slow(void);       // a reader that does not read
void scene_chunks(void);     // events that end in another chunk
void scene_unnumbered(void); // events between two long polls
void scene_waiting(void);    // what a client costs that only waits

#endif
