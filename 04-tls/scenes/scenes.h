// scenes.h: what client.c plays, and which file a scene is in.
#ifndef SCENES_H
#define SCENES_H

// shaking.c: the messages of a handshake, and what they cost in round trips.
void scene_handshake(void);
void scene_roundtrips(void);

// coalesce.c: messages, records, segments: who waits for whom.
void scene_coalesce(void);

// cost.c: bytes and CPU.
void scene_cost(void);

// trust.c: who is there.
void scene_trust(void);
void scene_mutual(void);

// secrecy.c: a stolen key, and what was recorded before.
void scene_secrecy(void);

// replay.c: early data, sent again.
void scene_replay(void);
void scene_once(void);

// dh.c: a secret that never travels.
void scene_dh(void);

// eavesdropper.c: what everybody on the way can read.
void scene_eavesdropper(void);

// journey.c: what a server does with a request.
void scene_journey(void);

// NULL, or why round trips cannot be counted on the link that there is.
const char *scene_no_round_trips(void);

#endif
