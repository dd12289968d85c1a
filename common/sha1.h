// sha1.h: SHA-1 (RFC 3174). As a signature it is broken; WebSocket's handshake and MySQL's old
// log-in still compute it, where no attacker gains anything by a collision.
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

void sha1(const void *bytes, size_t length, uint8_t digest[SHA1_BYTES]);

#endif
