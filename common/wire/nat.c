// nat.c: a box that gives all nodes behind it one address (RFC 4787 for UDP, RFC 5382 for TCP,
// RFC 5508 for ICMP).
//
// An endpoint behind the NAT gets a port of the NAT's address: its mapping. NATs differ in two
// rules. Mapping: does the endpoint keep its port when it talks to another peer? That is
// find_mapping(). Filtering: which peers may send to the endpoint through that port? That is
// is_let_in().
#include <netinet/in.h>

#include "box.h"
#include "node.h"

#define PORT_FIRST 1024  // the lowest port that a mapping may get
#define PORT_BEGIN 40000 // the port that the first mapping gets

// Whether a peer is the same as a session's far end, as far as a behaviour compares them.
static bool is_same(enum behaviour behaviour, const struct session *s, uint32_t far,
                    uint16_t far_port)
{
    if (behaviour == ENDPOINT_INDEPENDENT)
        return true;
    if (behaviour == ADDRESS_DEPENDENT)
        return s->far == far;
    return s->far == far && s->far_port == far_port;
}

// The session whose port the endpoint also gets for the far end that it wants, or NULL.
static const struct session *find_mapping(const struct box *nat, const struct session *wanted)
{
    struct session *s =
        session_first_near(nat->sessions, wanted->protocol, wanted->near, wanted->near_port);
    while (s && !is_same(nat->mapping, s, wanted->far, wanted->far_port))
        s = session_next_near(nat->sessions, s);
    return s;
}

// Whether a far end may send to the near end of `s`.
static bool is_let_in(const struct box *nat, const struct session *s, uint32_t far,
                      uint16_t far_port)
{
    return s->permanent || is_same(nat->filtering, s, far, far_port);
}

// A port that no mapping has, 0 if there is none.
static uint16_t free_port(struct box *nat, uint8_t protocol)
{
    for (int tries = PORT_FIRST; tries < 65536; tries++) {
        uint16_t port = nat->next_port;
        if (port < PORT_FIRST)
            port = PORT_BEGIN;
        nat->next_port = port == 65535 ? PORT_FIRST : (uint16_t)(port + 1);
        if (!session_first_own(nat->sessions, protocol, port))
            return port;
    }
    return 0;
}

// The session of exactly these two ends, or NULL.
static struct session *find_session(const struct box *nat, const struct session *wanted)
{
    struct session *s =
        session_first_near(nat->sessions, wanted->protocol, wanted->near, wanted->near_port);
    while (s && (s->permanent || s->far != wanted->far || s->far_port != wanted->far_port))
        s = session_next_near(nat->sessions, s);
    return s;
}

static struct session *open_session(struct box *nat, struct session *wanted)
{
    const struct session *mapping = find_mapping(nat, wanted);
    if (mapping)
        wanted->own_port = mapping->own_port;
    else
        wanted->own_port = free_port(nat, wanted->protocol);
    if (wanted->own_port == 0)
        return NULL;
    return session_add(nat->sessions, wanted);
}

// An ICMP echo's identifier is one port, of the near end.
static uint16_t far_port(const struct headers *h, int which)
{
    if (h->protocol == IPPROTO_ICMP)
        return 0;
    return headers_port(h, which);
}

static bool nat_serves(const struct box *nat, const struct transit *t)
{
    return t->inside == nat && !node_with(headers_address(&t->headers, DESTINATION), nat);
}

// A node behind the NAT reports an error to the far end of a session.
static enum fate error_outward(struct box *nat, struct headers *h)
{
    struct headers about;
    if (!headers_find_in_error(h, &about))
        return UNTRANSLATABLE;
    struct session *s =
        find_session(nat, &(struct session){.protocol = about.protocol,
                                            .near = headers_address(&about, DESTINATION),
                                            .near_port = headers_port(&about, DESTINATION),
                                            .far = headers_address(&about, SOURCE),
                                            .far_port = far_port(&about, SOURCE)});
    if (!s)
        return NO_MAPPING;
    headers_rewrite_error(h, &about, SOURCE, nat->address, s->own_port);
    return PASSED;
}

static enum fate nat_outward(struct box *nat, struct transit *t)
{
    struct headers *h = &t->headers;
    t->inside = NULL;
    t->left = nat;
    if (h->icmp_packet)
        return error_outward(nat, h);
    struct session wanted = {.protocol = h->protocol,
                             .near = headers_address(h, SOURCE),
                             .near_port = headers_port(h, SOURCE),
                             .far = headers_address(h, DESTINATION),
                             .far_port = far_port(h, DESTINATION)};
    struct session *s = find_session(nat, &wanted);
    bool opens = h->protocol != IPPROTO_TCP || h->tcp_flags & TCP_SYN;
    if (!s && opens)
        s = open_session(nat, &wanted);
    if (!s)
        return NO_MAPPING;
    session_note(nat->sessions, s, true, h->tcp_flags);
    headers_rewrite(h, SOURCE, nat->address, s->own_port);
    return PASSED;
}

// A node outside reports an error to the near end of a session.
static enum fate error_inward(struct box *nat, struct headers *h)
{
    struct headers about;
    if (!headers_find_in_error(h, &about))
        return UNTRANSLATABLE;
    uint32_t far = headers_address(&about, DESTINATION);
    uint16_t port = far_port(&about, DESTINATION);
    struct session *s =
        session_first_own(nat->sessions, about.protocol, headers_port(&about, SOURCE));
    while (s && (s->far != far || s->far_port != port))
        s = session_next_own(nat->sessions, s);
    if (!s)
        return NO_MAPPING;
    headers_rewrite_error(h, &about, DESTINATION, s->near, s->near_port);
    return PASSED;
}

static enum fate nat_inward(struct box *nat, struct transit *t)
{
    struct headers *h = &t->headers;
    if (t->left == nat && !nat->hairpin)
        return NO_HAIRPIN;
    t->inside = nat;
    if (h->icmp_packet)
        return error_inward(nat, h);
    uint32_t far = headers_address(h, SOURCE);
    uint16_t port = far_port(h, SOURCE), own_port = headers_port(h, DESTINATION);
    struct session *s = session_first_own(nat->sessions, h->protocol, own_port), *door = NULL;
    enum fate refusal = NO_MAPPING;
    if (s)
        refusal = FILTERED;
    for (; s; s = session_next_own(nat->sessions, s)) {
        if (is_let_in(nat, s, far, port))
            door = s;
        if (s->far == far && s->far_port == port && !s->permanent)
            break; // the packet belongs to this session
    }
    if (!s && !door)
        return refusal;
    if (!s) {
        struct session fresh = *door;
        fresh.permanent = false;
        fresh.far = far;
        fresh.far_port = port;
        fresh.flags[0] = fresh.flags[1] = 0;
        if (door->permanent) // otherwise the session ends together with the mapping of `door`
            session_note(nat->sessions, &fresh, true, 0);
        s = session_add(nat->sessions, &fresh);
    }
    if (!s)
        return NO_MAPPING;
    session_note(nat->sessions, s, false, h->tcp_flags);
    headers_rewrite(h, DESTINATION, s->near, s->near_port);
    return PASSED;
}

bool nat_forward(struct box *nat, uint16_t port, const struct endpoint *to)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
    for (int i = 0; i < 2; i++) {
        struct session s = {.protocol = protocols[i],
                            .near = to->address,
                            .near_port = to->port ? to->port : port,
                            .own_port = port,
                            .permanent = true};
        if (!session_add(nat->sessions, &s))
            return false;
    }
    return true;
}

const struct box_kind nat_kind = {"nat", nat_serves, nat_outward, nat_inward};
