// scenes.h: what play.c plays. Each scene is in the file of its name.
#ifndef SCENES_H
#define SCENES_H

void scene_handshake(void);       // the messages of a handshake
void scene_round_trips(void);     // the time until the first byte of an answer
void scene_nagle_flights(void);   // which bytes of a handshake wait for an ACK
void scene_cost(void);            // bytes and CPU
void scene_trust(void);           // the server's certificate
void scene_mutual(void);          // the client's certificate
void scene_dh(void);              // Diffie-Hellman: a secret that never travels
void scene_forward_secrecy(void); // a stolen key, and a recording from before
void scene_eavesdropper(void);    // what can be read on the way without a key
void scene_tampering(void);       // a machine on the way changes a bit
void scene_replay(void);          // an attacker sends early data again
void scene_anti_replay(void);     // the same, to a server that remembers its sessions
void scene_request_stages(void);  // the stages of a request in a server

// The reason why round trips cannot be counted on this link; NULL if they can.
const char *scene_no_round_trips(void);

#endif
