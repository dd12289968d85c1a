// handshake.h: the scene of how a connection begins and ends.
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

void scene_handshake(void); // claims 1.1, 1.2, 1.5, 1.9, 1.11

#endif
