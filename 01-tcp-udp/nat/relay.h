// relay.h: the last way out: the server lends a client an address that everybody reaches, and
// passes on what comes there. This is the idea of TURN (RFC 8656), and not TURN: no log-in, no
// channels, messages of its own. What a TURN server has to see to is here as well: a lender has
// to be at the address that he says, only peers that he has named are let in, and there are
// limits of number, time and rate.
//
//     client                             server                            peer
//       ── ALLOCATE ──────────────────▶
//       ◀────────────────── 401, NONCE ──    forged sources get no further
//       ── ALLOCATE, NONCE ───────────▶
//       ◀─────── XOR-RELAYED-ADDRESS ──
//       ── PERMIT, XOR-PEER-ADDRESS ──▶
//       ── SEND, XOR-PEER-ADDRESS, DATA ▶    ── the data, from the relayed address ──▶
//       ◀─ DATA, XOR-PEER-ADDRESS ─────    ◀───────────────────────────── an answer ──
#ifndef RELAY_H
#define RELAY_H

#include <poll.h>

#include "binding.h"

#define RELAYS_MAX         64
#define RELAYS_OF_HOST_MAX 16   // of one client address: others find room as well
#define RELAY_PERMITS_MAX  8    // peers of one relayed address
#define RELAY_PAYLOAD_MAX  1200 // bytes of a datagram that is passed on

struct relay_figures {
    unsigned long datagrams, bytes, dropped;
};
extern struct relay_figures relay_figures;

// Relayed addresses are on this host. An allocation lives for so many seconds, if it is not
// asked for again, and passes on so many kilobytes a second, both ways together.
void relay_begin(const struct sockaddr_storage *host, int seconds, int kbytes_per_second);

// Answers ALLOCATE and PERMIT. `fd` is the socket that the request has come in on.
size_t relay_answer(const struct stun_message *request, const struct sockaddr_storage *source,
                    int fd, uint8_t answer[ANSWER_MAX]);

// Passes on what a SEND indication has in it.
void relay_send(const struct stun_message *indication, const struct sockaddr_storage *source);

// Fills `polls` (room for RELAYS_MAX) with the relayed addresses' sockets; returns how many.
int relay_polls(struct pollfd polls[]);

// Passes on what has come for the relayed address of this socket.
void relay_forward(int relayed_fd);

// Ends what is over at that moment. Call it once in a while; and in the end, with INT64_MAX.
void relay_expire(int64_t now_ns);

#endif
