// scenes.h: the scenes that play.c plays. Each is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_session(void);     // a random id, and what the server knows of it
void scene_token(void);       // three parts; another server checks it
void scene_tamper(void);      // user becomes admin
void scene_attacks(void);     // forged tokens, and a verifier that takes them
void scene_logout(void);      // what is over at once, and what is not
void scene_restart(void);     // what a server forgets
void scene_two_servers(void); // who knows whom
void scene_size(void);        // bytes of each request
void scene_cost(void);        // microseconds of each request
void scene_cookies(void);     // what the attributes of a cookie do
void scene_stolen(void);      // an id on the way, a secret

#endif
