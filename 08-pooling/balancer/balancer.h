// balancer.h: what the parts of the balancer have in common.
#ifndef BALANCER_H
#define BALANCER_H

#include "leg.h"
#include "pick.h"

struct settings {
    int layer;
    const struct pick_algorithm *algorithm;
    bool sticky;         // by a cookie
    bool retry;          // a request that is safe to repeat goes to another backend, once
    bool proxy_protocol; // at layer 4: a line tells the backend the client's address
    int connect_ms, answer_ms, head_ms, idle_ms, keep_ms, tunnel_ms, drain_ms;
    int check_ms, check_timeout_ms, rise, fall; // active checks; check_ms 0: none
    const char *check_path;                     // at layer 7
    int eject_after, eject_ms;                  // passive checks; eject_after 0: none
    int clients_max;
};

extern struct settings settings;

// ---- layer4.c, layer7.c --------------------------------------------------------------------

extern const struct leg_kind layer4_client, layer7_client;

// A client was accepted.
void layer4_opened(struct leg *client, const struct sockaddr_storage *address);
void layer7_opened(struct leg *client, const struct sockaddr_storage *address);

// The program is to stop. (At layer 4 connections go on until they end, or drain_ms have
// passed.)
void layer7_stop(struct leg *client);

// Ends the client that has made the balancer wait longest. False: there is none.
bool layer7_make_place(void);

// A client's address as an algorithm wants it.
uint32_t address_hash(const struct sockaddr_storage *address);

// ---- health.c ------------------------------------------------------------------------------

// Starts the checks that are due. Returns when the next one is.
int64_t health_tick(void);

// What has become of a request, or of an attempt to connect: passive checks.
void health_failed(struct backend *backend, const char *why);
void health_succeeded(struct backend *backend);

#endif
