// stage.c: see stage.h. Read find_stage() first.
#include "stage.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

// What the relay waits for now.
static enum stage find_stage(const struct relay *relay)
{
    if (relay->stage == STAGE_LINGER)
        return STAGE_LINGER;
    if (!relay->established)
        return STAGE_HANDSHAKE;
    if (buffer_left(&relay->to_client))
        return STAGE_TAKE;
    if (relay->forward.in_content && !buffer_left(&relay->to_upstream))
        return STAGE_CONTENT;
    if (relay->forward.waiting)
        return STAGE_UPSTREAM;
    if (buffer_left(&relay->from_client))
        return STAGE_HEAD;
    return STAGE_IDLE;
}

static int stage_ms(const struct relay *relay)
{
    switch (relay->stage) {
    case STAGE_HANDSHAKE:
    case STAGE_HEAD:
        return relay->settings->head_ms;
    case STAGE_IDLE:
    case STAGE_UPSTREAM:
        return relay->settings->idle_ms;
    case STAGE_CONTENT:
    case STAGE_TAKE:
        return RELAY_PACE_MS;
    case STAGE_LINGER:
        break;
    }
    return RELAY_LINGER_MS;
}

// How many bytes the kernel holds which the client has not acknowledged yet.
static int count_queued(const struct relay *relay)
{
    int bytes = 0;
    if (ioctl(relay->client, SIOCOUTQ, &bytes))
        return 0;
    return bytes;
}

void begin_stage(struct relay *relay, enum stage stage)
{
    relay->stage = stage;
    relay->stage_ns = now_ns();
    relay->stage_bytes = 0;
    relay->stage_queue = count_queued(relay);
    relay->stage_requests = relay->forward.requests;
    relay->deadline_ns = relay->stage_ns + stage_ms(relay) * INT64_C(1000000);
}

void enter_stage(struct relay *relay)
{
    enum stage stage = find_stage(relay);
    if (stage != relay->stage || relay->forward.requests != relay->stage_requests)
        begin_stage(relay, stage);
}

void upstream_moved(struct relay *relay)
{
    if (relay->stage == STAGE_UPSTREAM)
        begin_stage(relay, STAGE_UPSTREAM);
}

// Bytes that the proxy has sent may still be in the kernel, which can hold megabytes. They
// count only when the client has acknowledged them.
bool stage_is_in_pace(const struct relay *relay)
{
    int64_t bytes = (int64_t)relay->stage_bytes;
    if (relay->stage == STAGE_TAKE)
        bytes += relay->stage_queue - count_queued(relay);
    return bytes >= RELAY_PACE_BYTES;
}

bool relay_waits_for_client(const struct relay *relay)
{
    return relay->stage != STAGE_UPSTREAM;
}
