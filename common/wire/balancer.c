// balancer.c: a box that spreads the flows to its address over backends, packet by packet: it
// puts another destination address and port into what a client sends, and its own back into
// what the backend answers. It is no end of the connection: that is the same one on both sides.
#include <netinet/in.h>

#include "box.h"
#include "node.h"

// The flow between a client, which is the end `client` of a packet, and a backend (`behind` the
// balancer) or the balancer's own address. NULL: there is none. In a session of a balancer,
// `near` is the client, `far` the backend.
static struct session *find_flow(const struct box *box, const struct headers *h, int client,
                                 bool behind)
{
    uint32_t other = headers_address(h, 1 - client);
    uint16_t port = headers_port(h, 1 - client);
    struct session *s = session_first_near(box->sessions, h->protocol,
                                           headers_address(h, client), headers_port(h, client));
    for (; s; s = session_next_near(box->sessions, s)) {
        if (behind && s->far == other && s->far_port == port)
            return s;
        if (!behind && s->own_port == port)
            return s;
    }
    return NULL;
}

// A backend, or a client, reports an error. The packet in it travelled the other way.
static struct session *find_flow_of_error(const struct box *box, const struct headers *error,
                                          struct headers *about, bool from_backend)
{
    if (!error->icmp_packet || !headers_find_in_error(error, about))
        return NULL;
    if (from_backend)
        return find_flow(box, about, SOURCE, true);
    return find_flow(box, about, DESTINATION, false);
}

static bool is_balanced(const struct headers *h)
{
    return h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP;
}

static bool balancer_serves(const struct box *box, const struct transit *t)
{
    struct headers about;
    if (t->inside)
        return false;
    if (is_balanced(&t->headers))
        return find_flow(box, &t->headers, DESTINATION, true);
    return find_flow_of_error(box, &t->headers, &about, true);
}

static enum fate balancer_outward(struct box *box, struct transit *t)
{
    struct headers *h = &t->headers;
    struct headers about;
    if (h->icmp_packet) {
        const struct session *s = find_flow_of_error(box, h, &about, true);
        headers_rewrite_error(h, &about, SOURCE, box->address, s->own_port);
        return PASSED;
    }
    struct session *s = find_flow(box, h, DESTINATION, true);
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

static enum fate error_inward(struct box *box, const struct headers *h)
{
    struct headers about;
    const struct session *s = find_flow_of_error(box, h, &about, false);
    if (!s)
        return NO_MAPPING;
    headers_rewrite_error(h, &about, DESTINATION, s->far, s->far_port);
    return PASSED;
}

static enum fate balancer_inward(struct box *box, struct transit *t)
{
    struct headers *h = &t->headers;
    if (!is_balanced(h))
        return error_inward(box, h);
    struct session *s = find_flow(box, h, SOURCE, false);
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
