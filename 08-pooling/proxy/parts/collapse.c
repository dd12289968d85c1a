// collapse.c: see collapse.h.
#include "collapse.h"

#include "net.h"

#define BUCKETS       1024
#define HOPELESS_SECS 10

static struct exchange *flights[BUCKETS];

// The newest keys whose answers could not be stored; one takes the place of another one.
static struct {
    uint64_t hash;
    int64_t until_ns;
} hopeless[BUCKETS];

static struct exchange **bucket_of(struct http_text key)
{
    return &flights[cache_hash(key) % BUCKETS];
}

struct exchange *flight_find(struct http_text key)
{
    struct exchange *x = *bucket_of(key);
    while (x &&
           !(x->route.key.length == key.length && !memcmp(x->route.key.at, key.at, key.length)))
        x = x->next_flight;
    return x;
}

void flight_begin(struct exchange *x)
{
    struct exchange **bucket = bucket_of(x->route.key);
    x->is_flight = true;
    x->next_flight = *bucket;
    *bucket = x;
}

void flight_join(struct exchange *x, struct client *client)
{
    client->flight = x;
    client->waits++;
    client->conn.paused = true;
    client->previous_waiting = NULL;
    client->next_waiting = x->waiting;
    if (x->waiting)
        x->waiting->previous_waiting = client;
    x->waiting = client;
}

void flight_leave(struct client *client)
{
    if (!client->flight)
        return;
    if (client->previous_waiting)
        client->previous_waiting->next_waiting = client->next_waiting;
    else
        client->flight->waiting = client->next_waiting;
    if (client->next_waiting)
        client->next_waiting->previous_waiting = client->previous_waiting;
    client->flight = NULL;
}

void flight_end(struct exchange *x, enum flight_end how, int status)
{
    if (!x->is_flight)
        return;
    struct exchange **at = bucket_of(x->route.key);
    while (*at != x)
        at = &(*at)->next_flight;
    *at = x->next_flight;
    x->is_flight = false;
    if (how == FLIGHT_NOT_STORABLE) {
        uint64_t hash = cache_hash(x->route.key);
        hopeless[hash % BUCKETS].hash = hash;
        hopeless[hash % BUCKETS].until_ns = now_ns() + HOPELESS_SECS * INT64_C(1000000000);
    }
    while (x->waiting) {
        struct client *client = x->waiting;
        flight_leave(client);
        client->alone = client->alone || how == FLIGHT_NOT_STORABLE;
        if (how == FLIGHT_FAILED)
            client->failed = status;
        conn_wake(&client->conn);
    }
}

bool flight_outdate(struct http_text key)
{
    struct exchange *x = flight_find(key);
    if (x)
        x->may_store = false;
    if (x && x->filling)
        x->filling->shut = true;
    return cache_remove_key(key) > 0;
}

bool flight_is_hopeless(struct http_text key)
{
    uint64_t hash = cache_hash(key);
    return hopeless[hash % BUCKETS].hash == hash &&
           hopeless[hash % BUCKETS].until_ns > now_ns();
}
