// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_handshake(void);       // the messages of a handshake
void scene_round_trips(void);     // what they cost in time
void scene_nagle_flights(void);   // messages, records, segments: which one waits for which
void scene_cost(void);            // bytes and CPU
void scene_trust(void);           // the server's certificate
void scene_mutual(void);          // the client's certificate
void scene_dh(void);              // Diffie-Hellman: a secret that never travels
void scene_forward_secrecy(void); // a stolen key, and what was recorded before
void scene_eavesdropper(void);    // what every machine on the way can read
void scene_replay(void);          // early data, sent again
void scene_anti_replay(void);     // the same, to a server that remembers
void scene_request_stages(void);  // what a server does with a request

// NULL, or why round trips cannot be counted on the link that there is.
const char *scene_no_round_trips(void);

#endif
