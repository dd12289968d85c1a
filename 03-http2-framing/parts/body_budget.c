// body_budget.c: see body_budget.h.
#include "body_budget.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"

#define FIRST_BYTES 4096 // of the memory of a body

static struct body *first; // of those that have memory
static size_t total;       // bytes of it

static void link_body(struct body *body)
{
    body->next = first;
    body->previous = NULL;
    if (first)
        first->previous = body;
    first = body;
}

static void unlink_body(struct body *body)
{
    if (body->previous)
        body->previous->next = body->next;
    else
        first = body->next;
    if (body->next)
        body->next->previous = body->previous;
}

void body_free(struct body *body)
{
    if (!body->bytes)
        return;
    unlink_body(body);
    total -= body->room;
    *body->sum -= body->room;
    free(body->bytes);
    body->bytes = NULL;
    body->room = 0;
}

// The body that has cost the most: bytes times the time that they have been here.
static struct body *most_expensive(int64_t now_ns)
{
    struct body *most = first;
    double highest = -1;
    for (struct body *body = first; body; body = body->next) {
        double cost = (double)body->room * (double)(now_ns - body->since_ns);
        if (cost > highest) {
            highest = cost;
            most = body;
        }
    }
    return most;
}

// Makes room for `more` bytes by throwing bodies away. False: the next one would be `asking`.
static bool make_room(const struct body *asking, size_t more, int64_t now_ns)
{
    while (total + more > BODIES_MAX) {
        struct body *most = most_expensive(now_ns);
        if (!most || most == asking)
            return false;
        body_free(most);
        most->evicted = true;
        conn_wake(most->conn);
    }
    return true;
}

bool body_append(struct body *body, size_t at, const uint8_t *bytes, size_t length,
                 struct conn *conn, size_t *sum)
{
    size_t room = body->room;
    if (body->evicted)
        return false;
    if (room == 0)
        room = FIRST_BYTES;
    while (room < at + length)
        room *= 2;
    if (room > body->room) {
        if (!make_room(body, room - body->room, conn_now(conn)))
            return false;
        uint8_t *larger = realloc(body->bytes, room);
        if (!larger)
            return false;
        if (!body->bytes) {
            body->conn = conn;
            body->sum = sum;
            body->since_ns = conn_now(conn);
            link_body(body);
        }
        total += room - body->room;
        *sum += room - body->room;
        body->bytes = larger;
        body->room = room;
    }
    memcpy(body->bytes + at, bytes, length);
    return true;
}
