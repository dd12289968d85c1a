// protocol.h: what lesson 09's client and server agree on.
//
// A request is a header of 4 bytes and a body; the answer is one byte, REPLY_OK, after the last
// byte of the body. The header is a 32-bit number in network byte order: the body's length, and
// QUICKACK in the highest bit if the server shall acknowledge at once (scene quickack).
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define HEADER_BYTES   4
#define BODY_MAX_BYTES (1 << 20) // a longer body is answered REPLY_TOO_LONG, and the end
#define QUICKACK       0x80000000u

#define REPLY_OK       'K'
#define REPLY_TOO_LONG '!'

#endif
