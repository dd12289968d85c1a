// balancer.c: a box that spreads the flows to its address over backends, packet by packet: it
// puts another destination address and port into what a client sends, and its own back into
// what the backend answers. It is no end of the connection: that is the same one on both sides.
#include <netinet/in.h>

#include "box.h"
#include "node.h"

// In a session of a balancer, `near` is the client, `far` the backend.
static struct session *find_flow(const struct box *box, const struct headers *h,
                                 bool from_backend)
{
    int client = from_backend ? DESTINATION : SOURCE, other = 1 - client;
    uint32_t backend = headers_address(h, SOURCE);
    uint16_t port = headers_port(h, other);
    struct session *s = session_first_near(box->sessions, h->protocol,
                                           headers_address(h, client), headers_port(h, client));
    for (; s; s = session_next_near(box->sessions, s)) {
        if (from_backend && s->far == backend && s->far_port == port)
            return s;
        if (!from_backend && s->own_port == port)
            return s;
    }
    return NULL;
}

static bool is_balanced(const struct headers *h)
{
    return h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP;
}

static bool balancer_serves(const struct box *box, const struct transit *t)
{
    return is_balanced(&t->headers) && !t->inside && find_flow(box, &t->headers, true);
}

static enum fate balancer_outward(struct box *box, struct transit *t)
{
    struct headers *h = &t->headers;
    struct session *s = find_flow(box, h, true);
    session_note(box->sessions, s, false, h->tcp_flags);
    headers_rewrite(h, SOURCE, box->address, s->own_port);
    return PASSED;
}

// Round robin.
static struct session *open_flow(struct box *box, const struct headers *h)
{
    if (box->backend_count == 0)
        return NULL;
    const struct endpoint *to = &box->backends[box->picked++ % (unsigned)box->backend_count];
    uint16_t own_port = headers_port(h, DESTINATION);
    struct session flow = {.protocol = h->protocol,
                           .near = headers_address(h, SOURCE),
                           .near_port = headers_port(h, SOURCE),
                           .far = to->address,
                           .far_port = to->port ? to->port : own_port,
                           .own_port = own_port};
    return session_add(box->sessions, &flow);
}

static enum fate balancer_inward(struct box *box, struct transit *t)
{
    struct headers *h = &t->headers;
    if (!is_balanced(h))
        return NO_MAPPING;
    struct session *s = find_flow(box, h, false);
    bool opens = h->protocol == IPPROTO_UDP || (h->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (!s && opens)
        s = open_flow(box, h);
    if (!s)
        return NO_MAPPING;
    session_note(box->sessions, s, true, h->tcp_flags);
    headers_rewrite(h, DESTINATION, s->far, s->far_port);
    return PASSED;
}

const struct box_kind balancer_kind = {"balancer", balancer_serves, balancer_outward,
                                       balancer_inward};
