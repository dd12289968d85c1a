// protocol.h: what lesson 09's client and server agree on.
//
// A request is a header of 4 bytes and a body. When the last byte of the body has come, the
// server answers with one byte, REPLY_OK. The header is a 32-bit number in network byte order:
// the length of the body and, in the highest bit, QUICKACK, if the server shall acknowledge at
// once (scene quickack).
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define HEADER_BYTES   4
#define BODY_MAX_BYTES (1 << 20) // for a longer body: REPLY_TOO_LONG, and the server closes
#define QUICKACK       0x80000000u

#define REPLY_OK       'K'
#define REPLY_TOO_LONG '!'

#endif
