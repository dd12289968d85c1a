// collapse.c: see collapse.h.
#include "collapse.h"

#include <stdlib.h>

#include "net.h"

#define BUCKETS       1024
#define HOPELESS_SECS 10

struct flight {
    struct flight *next;
    uint64_t hash;
    struct exchange *exchange;
    struct client *waiting;
};

static struct flight *flights[BUCKETS];

// The newest keys whose answers could not be stored; one takes the place of another one.
static struct {
    uint64_t hash;
    int64_t until_ns;
} hopeless[BUCKETS];

struct flight *flight_find(struct http_text key)
{
    uint64_t hash = cache_hash(key);
    struct flight *flight = flights[hash % BUCKETS];
    while (flight && !(flight->hash == hash && flight->exchange->key_length == key.length &&
                       !memcmp(flight->exchange->key, key.at, key.length)))
        flight = flight->next;
    return flight;
}

struct flight *flight_begin(struct http_text key, struct exchange *x)
{
    struct flight *flight = malloc(sizeof *flight);
    if (!flight)
        return NULL;
    uint64_t hash = cache_hash(key);
    *flight = (struct flight){flights[hash % BUCKETS], hash, x, NULL};
    flights[hash % BUCKETS] = flight;
    return flight;
}

void flight_join(struct flight *flight, struct client *client)
{
    client->flight = flight;
    client->waits++;
    client->conn.paused = true;
    client->previous_waiting = NULL;
    client->next_waiting = flight->waiting;
    if (flight->waiting)
        flight->waiting->previous_waiting = client;
    flight->waiting = client;
}

void flight_leave(struct client *client)
{
    struct flight *flight = client->flight;
    if (!flight)
        return;
    if (client->previous_waiting)
        client->previous_waiting->next_waiting = client->next_waiting;
    else
        flight->waiting = client->next_waiting;
    if (client->next_waiting)
        client->next_waiting->previous_waiting = client->previous_waiting;
    client->flight = NULL;
}

bool flight_has_waiting(const struct flight *flight)
{
    return flight && flight->waiting;
}

void flight_end(struct flight *flight, enum flight_end how, int status)
{
    struct flight **at = &flights[flight->hash % BUCKETS];
    int64_t now = now_ns();
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    if (how == FLIGHT_NOT_STORABLE) {
        hopeless[flight->hash % BUCKETS].hash = flight->hash;
        hopeless[flight->hash % BUCKETS].until_ns = now + HOPELESS_SECS * INT64_C(1000000000);
    }
    while (flight->waiting) {
        struct client *client = flight->waiting;
        flight_leave(client);
        client->alone = client->alone || how == FLIGHT_NOT_STORABLE;
        if (how == FLIGHT_FAILED)
            client->failed = status;
        conn_wake(&client->conn);
    }
    free(flight);
}

void flight_outdate(struct http_text key)
{
    struct flight *flight = flight_find(key);
    if (!flight)
        return;
    flight->exchange->may_store = false;
    if (flight->exchange->filling)
        flight->exchange->filling->shut = true;
}

bool flight_is_hopeless(struct http_text key)
{
    uint64_t hash = cache_hash(key);
    return hopeless[hash % BUCKETS].hash == hash &&
           hopeless[hash % BUCKETS].until_ns > now_ns();
}
