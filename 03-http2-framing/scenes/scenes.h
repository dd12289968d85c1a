// scenes.h: what client.c plays, and which file a scene is in.
#ifndef SCENES_H
#define SCENES_H

// turns.c: whose DATA goes next, and how much of it.
void scene_interleave(void);
void scene_windows(void);

// hundred.c: a hundred images; hundred_of() says how large each is.
void hundred_of(int bytes);
void scene_hundred(void);

// blocking.c: what a lost packet holds up.
void scene_blocking(void);

// headers.c: what HPACK saves.
void scene_hpack(void);

// push.c: two parts of HTTP/2 that nobody uses any more.
void scene_push(void);

#endif
