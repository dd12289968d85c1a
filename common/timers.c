// timers.c: see timers.h. The children of place i are at 2i + 1 and 2i + 2, and never earlier.
#include "timers.h"

static void put(struct timers *timers, uint32_t index, struct timer *timer)
{
    timers->heap[index] = timer;
    timer->index = index;
}

void timers_move(struct timers *timers, struct timer *timer, int64_t at_ns)
{
    struct timer **heap = timers->heap;
    uint32_t index = timer->index;
    timer->at_ns = at_ns;
    for (uint32_t up; index > 0 && heap[up = (index - 1) / 2]->at_ns > at_ns; index = up)
        put(timers, index, heap[up]);
    for (uint32_t down; (down = 2 * index + 1) < timers->count; index = down) {
        if (down + 1 < timers->count && heap[down + 1]->at_ns < heap[down]->at_ns)
            down++;
        if (heap[down]->at_ns >= at_ns)
            break;
        put(timers, index, heap[down]);
    }
    put(timers, index, timer);
}

void timers_add(struct timers *timers, struct timer *timer, int64_t at_ns)
{
    timer->index = timers->count++;
    timers_move(timers, timer, at_ns);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    struct timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    put(timers, timer->index, last);
    timers_move(timers, last, last->at_ns);
}

int64_t timers_next_ns(const struct timers *timers)
{
    if (timers->count == 0)
        return NEVER;
    return timers->heap[0]->at_ns;
}

int timers_sleep_ms(int64_t until_ns, int64_t now_ns)
{
    if (until_ns == NEVER)
        return -1;
    if (until_ns <= now_ns)
        return 0;
    return (int)((until_ns - now_ns + 999999) / 1000000);
}
