// sessions.h: what a box remembers of each flow through it, with the moment when it forgets.
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#define SESSIONS_MAX 65536 // in one box

// Time-outs in seconds without a packet. The defaults are those that RFC 4787 (REQ-5) and RFC
// 5382 (REQ-5) ask for.
#define UDP_TIMEOUT       300
#define TCP_TIMEOUT       7440 // of an established connection: 2 h 4 min
#define TCP_SHORT_TIMEOUT 240  // of one that opens or closes

struct session {
    uint32_t near, far; // addresses: of the end that opened the session, and of its peer
    uint16_t near_port, far_port;
    uint16_t own_port; // of the box's own address
    uint8_t protocol;
    uint8_t flags[2]; // TCP: all that the near end, and the far end, have sent
    bool permanent;   // a port that is forwarded
    int64_t expires_ns;
    uint32_t next_near, next_own; // in the two lists below; 0: the last
};

struct sessions {
    double udp_timeout, tcp_timeout; // seconds
    uint32_t free;
    uint32_t ever; // places that were used at least once
    uint32_t by_near[SESSIONS_MAX], by_own[SESSIONS_MAX];
    struct session list[SESSIONS_MAX + 1]; // [0] is never used
};

// A new, empty table. Dies if there is no memory for it.
struct sessions *sessions_new(double udp_timeout, double tcp_timeout);

// The first session of a near end, and the next one; NULL: there is none. Both functions forget
// the sessions that they find timed out.
struct session *session_first_near(struct sessions *all, uint8_t protocol, uint32_t near,
                                   uint16_t near_port);
struct session *session_next_near(struct sessions *all, const struct session *session);

// The same for the sessions of one port of the box's own address.
struct session *session_first_own(struct sessions *all, uint8_t protocol, uint16_t own_port);
struct session *session_next_own(struct sessions *all, const struct session *session);

// Remembers a session. Returns where, or NULL if the table is full.
struct session *session_add(struct sessions *all, const struct session *session);

// Notes that a packet of the session has passed, from its near end or its far end: the session
// lives on. A UDP packet from the far end does not prolong its life (RFC 4787 REQ-6).
void session_note(struct sessions *all, struct session *session, bool from_near,
                  uint8_t tcp_flags);

#endif
