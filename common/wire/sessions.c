// sessions.c: see sessions.h.
#include "sessions.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "net.h"
#include "packet.h"

struct sessions *sessions_new(double udp_timeout, double tcp_timeout)
{
    struct sessions *all = calloc(1, sizeof *all);
    if (!all)
        die("no memory for sessions");
    all->udp_timeout = udp_timeout;
    all->tcp_timeout = tcp_timeout;
    return all;
}

static uint32_t slot_of(uint8_t protocol, uint32_t address, uint16_t port)
{
    uint64_t key = (uint64_t)address << 24 ^ (uint64_t)port << 8 ^ protocol;
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 48) % SESSIONS_MAX;
}

static uint32_t *near_list(struct sessions *all, const struct session *s)
{
    return &all->by_near[slot_of(s->protocol, s->near, s->near_port)];
}

static uint32_t *own_list(struct sessions *all, const struct session *s)
{
    return &all->by_own[slot_of(s->protocol, 0, s->own_port)];
}

static bool expired(const struct session *s)
{
    return !s->permanent && s->expires_ns <= now_ns();
}

static void forget(struct sessions *all, struct session *s)
{
    uint32_t place = (uint32_t)(s - all->list), *link = near_list(all, s);
    while (*link != place)
        link = &all->list[*link].next_near;
    *link = s->next_near;
    link = own_list(all, s);
    while (*link != place)
        link = &all->list[*link].next_own;
    *link = s->next_own;
    s->next_near = all->free;
    all->free = place;
}

// The first session from `place` on that has this near end and has not timed out.
static struct session *search_near(struct sessions *all, uint32_t place, uint8_t protocol,
                                   uint32_t near, uint16_t near_port)
{
    for (uint32_t next; place; place = next) {
        struct session *s = &all->list[place];
        next = s->next_near;
        if (expired(s))
            forget(all, s);
        else if (s->protocol == protocol && s->near == near && s->near_port == near_port)
            return s;
    }
    return NULL;
}

struct session *session_first_near(struct sessions *all, uint8_t protocol, uint32_t near,
                                   uint16_t near_port)
{
    return search_near(all, all->by_near[slot_of(protocol, near, near_port)], protocol, near,
                       near_port);
}

struct session *session_next_near(struct sessions *all, const struct session *s)
{
    return search_near(all, s->next_near, s->protocol, s->near, s->near_port);
}

static struct session *search_own(struct sessions *all, uint32_t place, uint8_t protocol,
                                  uint16_t own_port)
{
    for (uint32_t next; place; place = next) {
        struct session *s = &all->list[place];
        next = s->next_own;
        if (expired(s))
            forget(all, s);
        else if (s->protocol == protocol && s->own_port == own_port)
            return s;
    }
    return NULL;
}

struct session *session_first_own(struct sessions *all, uint8_t protocol, uint16_t own_port)
{
    return search_own(all, all->by_own[slot_of(protocol, 0, own_port)], protocol, own_port);
}

struct session *session_next_own(struct sessions *all, const struct session *s)
{
    return search_own(all, s->next_own, s->protocol, s->own_port);
}

struct session *session_add(struct sessions *all, const struct session *session)
{
    if (!all->free && all->ever == SESSIONS_MAX) // the table is full: forget what has expired
        for (uint32_t i = 1; i <= SESSIONS_MAX; i++)
            if (expired(&all->list[i]))
                forget(all, &all->list[i]);
    uint32_t place = all->free;
    if (place)
        all->free = all->list[place].next_near;
    else if (all->ever < SESSIONS_MAX)
        place = ++all->ever;
    else
        return NULL;
    struct session *s = &all->list[place];
    *s = *session;
    s->next_near = *near_list(all, s);
    s->next_own = *own_list(all, s);
    *near_list(all, s) = *own_list(all, s) = place;
    return s;
}

// True if a connection has been closed by both ends, or reset by one.
static bool is_over(const struct session *s)
{
    return (s->flags[0] | s->flags[1]) & TCP_RST || s->flags[0] & s->flags[1] & TCP_FIN;
}

void session_note(struct sessions *all, struct session *s, bool from_near, uint8_t tcp_flags)
{
    double seconds = all->udp_timeout;
    if (s->protocol == IPPROTO_TCP) {
        if ((tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && is_over(s))
            s->flags[0] = s->flags[1] = 0; // the same ports for a new connection
        s->flags[from_near ? 0 : 1] |= tcp_flags;
        bool opening = !(s->flags[0] & s->flags[1] & TCP_SYN);
        seconds = all->tcp_timeout;
        if ((opening || is_over(s)) && seconds > TCP_SHORT_TIMEOUT)
            seconds = TCP_SHORT_TIMEOUT;
    } else if (!from_near) {
        return;
    }
    s->expires_ns = now_ns() + (int64_t)(seconds * 1e9);
}
