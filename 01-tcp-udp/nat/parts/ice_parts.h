// ice_parts.h: what the three files of an agent have in common. Others include ice.h.
#ifndef ICE_PARTS_H
#define ICE_PARTS_H

#include "ice.h"

#define MS_NS INT64_C(1000000)

// ---- ice.c ---------------------------------------------------------------------------------

// Tells whoever listens what the agent does.
void agent_tell(struct ice_agent *agent, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Sends from a local candidate: from its socket, or through the relay.
void agent_transmit(struct ice_agent *agent, int local, const struct sockaddr_storage *to,
                    const void *bytes, size_t length);

// The pair of these two candidates; it is made if there is none. NULL: there are too many.
struct ice_pair *agent_pair(struct ice_agent *agent, int local, int remote);

// This pair is checked before all others.
void agent_trigger(struct ice_agent *agent, struct ice_pair *pair);

// The pair works both ways, and both agents use it from now on.
void agent_select(struct ice_agent *agent, struct ice_pair *pair);

// The agent has the other role from now on.
void agent_switch_role(struct ice_agent *agent);

// ---- gather.c ------------------------------------------------------------------------------

void gather_begin(struct ice_agent *agent);

// Lets the relay pass on what comes from these candidates' hosts.
void gather_permits(struct ice_agent *agent);

// Does what is due. Returns the time of the next thing to do, at most `next`.
int64_t gather_step(struct ice_agent *agent, int64_t now, int64_t next);

// Takes an answer of the server.
void gather_answer(struct ice_agent *agent, const struct stun_message *message);

// ---- checks.c ------------------------------------------------------------------------------

// Sends the pair's check, the first time or again.
void check_send(struct ice_agent *agent, struct ice_pair *pair, int64_t now);

// Asks on the chosen path whether the other agent still wants to hear from us (RFC 7675).
void check_consent(struct ice_agent *agent, const struct ice_pair *pair);

// Takes a message that has come to a local candidate.
void check_take(struct ice_agent *agent, int local, const struct stun_message *message,
                const struct sockaddr_storage *from);

// What another agent's check asks for, once it is known whose check it is.
void check_accept(struct ice_agent *agent, const struct ice_early *request);

#endif
