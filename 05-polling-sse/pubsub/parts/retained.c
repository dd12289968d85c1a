// retained.c: see retained.h. For a filter with a wildcard all messages are looked at.
#include "retained.h"

#include <search.h>

#include "sessions.h"

static void *retained; // messages, by topic: a tree of tsearch(3)

static void forget(struct message *message)
{
    tdelete(message, &retained, mqtt_order);
    message_drop(message);
    figures.retained--;
}

bool retained_set(struct message *message)
{
    struct message **place = tfind(message, &retained, mqtt_order);
    bool is_new = !place;
    if (message->payload.length == 0) {
        if (place)
            forget(*place);
        return true;
    }
    if (is_new && figures.retained < RETAINED_MAX && messages_bytes() <= MESSAGES_TOTAL)
        place = tsearch(message, &retained, mqtt_order);
    if (!place)
        return false;
    if (is_new)
        figures.retained++;
    else
        message_drop(*place);
    *place = message_keep(message);
    return true;
}

// What retained_match() looks for.
static struct {
    struct mqtt_text filter;
    void (*found)(struct message *message, void *data);
    void *data;
} wanted;

static void look_at(const void *place, VISIT visit, int depth)
{
    struct message *message = *(struct message *const *)place;
    (void)depth;
    if (visit != leaf && visit != postorder) // each message once: see twalk(3)
        return;
    if (filter_matches(wanted.filter, message->topic))
        wanted.found(message, wanted.data);
}

void retained_match(struct mqtt_text filter, void (*found)(struct message *, void *),
                    void *data)
{
    if (!topic_is_valid(filter)) { // it has a wildcard
        wanted.filter = filter;
        wanted.found = found;
        wanted.data = data;
        twalk(retained, look_at);
        return;
    }
    struct message **only = tfind(&filter, &retained, mqtt_order);
    if (only)
        found(*only, data);
}

void retained_end(void)
{
    while (retained)
        forget(*(struct message **)retained);
}
