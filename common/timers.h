// timers.h: a binary heap of deadlines, the earliest on top; for loops.
#ifndef TIMERS_H
#define TIMERS_H

#include <stdint.h>

#define NEVER INT64_MAX

struct timer {
    int64_t at_ns;
    uint32_t index; // its place in the heap
};

struct timers {
    struct timer **heap; // room for all timers there will ever be at once
    uint32_t count;
};

// Adds a timer; the caller sees to it that there is room.
void timers_add(struct timers *timers, struct timer *timer, int64_t at_ns);

// Moves a timer to another time, earlier or later.
void timers_move(struct timers *timers, struct timer *timer, int64_t at_ns);

void timers_remove(struct timers *timers, struct timer *timer);

// When the earliest is due; NEVER: there is none.
int64_t timers_next_ns(const struct timers *timers);

// How long poll(2) or epoll_wait(2) may sleep until that moment: milliseconds, rounded up, and
// 0 if it has come; -1, until something happens, for NEVER.
int timers_sleep_ms(int64_t until_ns, int64_t now_ns);

#endif
