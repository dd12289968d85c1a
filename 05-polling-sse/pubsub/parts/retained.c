// retained.c: see retained.h. The messages are in a hash table, by topic. For a filter with a
// wildcard all of them are looked at.
#include "retained.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "topics.h"

#define BUCKETS 16384 // a power of two

struct retained {
    struct retained *next;
    struct message *message;
};

static struct retained *buckets[BUCKETS];
static uint64_t seed;
static uint32_t count;

static struct retained **find(struct mqtt_text topic)
{
    uint64_t hash = seed;
    for (uint32_t i = 0; i < topic.length; i++)
        hash = (hash ^ (uint8_t)topic.at[i]) * 0x100000001b3;
    struct retained **at = &buckets[(hash ^ hash >> 32) & (BUCKETS - 1)];
    while (*at && !mqtt_same(message_topic((*at)->message), topic))
        at = &(*at)->next;
    return at;
}

static void remove_at(struct retained **at)
{
    struct retained *old = *at;
    *at = old->next;
    message_drop(old->message);
    free(old);
    count--;
}

bool retained_set(struct message *message)
{
    if (!seed && getrandom(&seed, sizeof seed, 0) < 0)
        return false;
    struct retained **at = find(message_topic(message));
    if (*at && message->payload_length > 0) {
        message_drop((*at)->message);
        (*at)->message = message_keep(message);
    } else if (*at) {
        remove_at(at);
    } else if (message->payload_length > 0) {
        struct retained *new = NULL;
        if (count < RETAINED_MAX && messages_bytes() <= MESSAGES_TOTAL)
            new = calloc(1, sizeof *new);
        if (!new)
            return false;
        new->message = message_keep(message);
        *at = new;
        count++;
    }
    return true;
}

void retained_match(struct mqtt_text filter, void (*found)(struct message *, void *),
                    void *data)
{
    if (topic_is_valid(filter)) { // it has no wildcard
        struct retained *only = *find(filter);
        if (only)
            found(only->message, data);
        return;
    }
    for (int i = 0; i < BUCKETS && count > 0; i++)
        for (struct retained *one = buckets[i]; one; one = one->next)
            if (filter_matches(filter, message_topic(one->message)))
                found(one->message, data);
}

uint32_t retained_count(void)
{
    return count;
}

void retained_end(void)
{
    for (int i = 0; i < BUCKETS; i++)
        while (buckets[i])
            remove_at(&buckets[i]);
}
