// ice.h: an agent finds a path to another agent, each perhaps behind a NAT (ICE, RFC 8445).
//
//     ice_begin()      collects candidates: its own addresses, what the STUN server sees, a
//                      relayed address (gather.c)
//     ice_describe()   gives them, for an offer or an answer (description.h)
//     ice_start()      takes the other agent's: now every pair of addresses is checked, the
//                      best ones first, until one works both ways (ice.c, checks.c)
//     ice_send()       sends over the path that was chosen
//
// An agent does nothing by itself: ice_run() calls ice_step() when its time has come, and gives
// it what comes on its sockets; for many agents at once.
//
// What there is of RFC 8445: full agents, regular nomination, triggered checks, role conflicts,
// peer-reflexive candidates, and consent (RFC 7675). One stream with one component, so no pair
// is ever frozen.
#ifndef ICE_H
#define ICE_H

#include <poll.h>

#include "description.h"
#include "stun.h"

#define ICE_SOCKETS_MAX  4
#define ICE_PAIRS_MAX    64
#define ICE_REQUESTS_MAX (2 * ICE_SOCKETS_MAX + CANDIDATES_MAX) // to the server, at once
#define ICE_EARLY_MAX    8 // checks that come before the description of the other agent
#define ICE_CONSENTS     8 // of the last consent checks the answers count
#define ICE_DATA_MAX     1200
#define ICE_NONE         (-1)

// From ICE_CHECKING on the other agent is known.
enum ice_state { ICE_GATHERING, ICE_GATHERED, ICE_CHECKING, ICE_CONNECTED, ICE_FAILED };
enum pair_state { PAIR_WAITING, PAIR_IN_PROGRESS, PAIR_SUCCEEDED, PAIR_FAILED };

// Times in ms. Zero in one of them stands for what ice_begin() puts there.
struct ice_settings {
    int pace;        // between two checks of an agent: 50 (RFC 8445 section 14.2)
    int retry;       // until a message is sent again; then twice that, and so on: 500
    int tries;       // of one message: 7
    int patience;    // until the agent gives up: 30000
    int settle;      // that a working pair waits for a better one: 500
    int consent;     // between two questions whether the path still works: 5000
    int expiry;      // the path is dead when nothing has been answered for so long: 30000
    int keepalive;   // between two messages that keep the NAT's mapping: 15000
    bool relay;      // asks the server for a relayed address
    bool only_relay; // uses nothing else
};

// A pair is checked: does what one sends to the other come, both ways?
struct ice_pair {
    int local, remote; // indices of candidates; `local` is a host or a relayed one
    uint64_t priority;
    enum pair_state state;
    bool nominating;    // the check says USE-CANDIDATE
    bool wanted;        // the other agent has said it
    int order;          // of its first check among those of the agent: 1, 2, ...; 0: none yet
    bool was_triggered; // that check was an answer to one of the other agent
    bool sent_as_controlling;
    uint8_t transaction[STUN_TRANSACTION];
    int tries;
    int64_t due_ns;
    unsigned triggered; // 0: no; else pairs with smaller numbers come first
};

// A request to the server that is on its way.
struct ice_request {
    uint16_t method; // 0: this entry is free
    int socket, tries;
    int64_t due_ns;
    uint8_t transaction[STUN_TRANSACTION];
    char nonce[40];
    struct sockaddr_storage peer; // of a PERMIT
};

struct ice_early {
    int local;
    struct sockaddr_storage from;
    uint32_t priority;
    bool wanted;
};

struct ice_agent {
    const char *name;
    struct ice_settings set;
    int fds[ICE_SOCKETS_MAX], socket_count;
    bool has_server;
    struct sockaddr_storage server;
    enum ice_state state;
    bool controlling;
    uint64_t tie_breaker;
    struct description mine, theirs;
    struct ice_pair pairs[ICE_PAIRS_MAX];
    int pair_count, selected; // selected: ICE_NONE, or the index of a pair
    struct ice_request requests[ICE_REQUESTS_MAX];
    struct ice_early early[ICE_EARLY_MAX];
    int early_count;
    unsigned trigger_count;
    int order_count;
    uint8_t consents[ICE_CONSENTS][STUN_TRANSACTION];
    unsigned consent_count;
    int64_t started_ns, first_valid_ns, next_check_ns, next_consent_ns, heard_ns,
        next_keepalive_ns, refresh_ns;
    uint64_t random;
    // What others may want to know.
    void (*told)(struct ice_agent *, const char *text);
    void (*received)(struct ice_agent *, const uint8_t *bytes, size_t length);
    long checks_answered, role_conflicts, deaths;
};

// Begins. The sockets are bound to one address each. `server` may be NULL. agent->set, name,
// told and received are the caller's, who sets them before; all else is set here.
void ice_begin(struct ice_agent *agent, bool controlling, const int fds[], int count,
               const struct sockaddr_storage *server);

// The agent's own description. Call it when the state is ICE_GATHERED.
struct description ice_describe(const struct ice_agent *agent);

// Begins the checks. The other agent is `theirs`.
void ice_start(struct ice_agent *agent, const struct description *theirs);

// Does what is due. Returns when it is to be called again (now_ns()'s clock).
int64_t ice_step(struct ice_agent *agent);

// Takes a datagram that has come on the agent's socket number `socket`.
void ice_take_datagram(struct ice_agent *agent, int socket, const uint8_t *bytes, size_t length,
                       const struct sockaddr_storage *from);

// Sends to the other agent. False: there is no path, or the bytes are too many.
bool ice_send(struct ice_agent *agent, const void *bytes, size_t length);

// The pair that was chosen, or NULL.
const struct ice_pair *ice_path(const struct ice_agent *agent);

// Describes a pair: "host 192.168.1.1:4000 -> srflx 10.0.0.102:40000". Returns `text`.
#define PAIR_TEXT 160
char *ice_pair_text(const struct ice_agent *agent, const struct ice_pair *pair,
                    char text[PAIR_TEXT]);

// Runs the agents until is_done() is true, or `ms` have passed. `extra_fd` (or -1): returns as
// well when there is something to read. Returns what is_done() says.
bool ice_run(struct ice_agent *const agents[], int count, bool (*is_done)(void), int ms,
             int extra_fd);

#endif
