// udp_pause.h: the request "pause MS" over UDP: the server reads no datagrams for a while.
#ifndef UDP_PAUSE_H
#define UDP_PAUSE_H

#include <stdint.h>

// Begins a pause.
void udp_pause(int ms);

// When the pause ends; 0: there is none. A client that says "resume" ends it at once.
int64_t udp_paused_until_ns(int64_t now_ns);

#endif
