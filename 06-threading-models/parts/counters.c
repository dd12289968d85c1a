// counters.c: see counters.h.
#include "counters.h"

#include <pthread.h>
#include <stdatomic.h>

// This is the race of the lesson, and it is there on purpose: the thread sanitizer, which would
// find it, is told to look away here and nowhere else. Without `volatile` the compiler would
// make one addition of the whole loop.
__attribute__((noinline, no_sanitize("thread"))) unsigned long count_plain(int times)
{
    static volatile unsigned long counter;
    for (int i = 0; i < times; i++)
        counter = counter + 1;
    return counter;
}

unsigned long count_mutex(int times)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static unsigned long counter;
    unsigned long count = 0;
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&mutex);
        count = ++counter;
        pthread_mutex_unlock(&mutex);
    }
    return count;
}

unsigned long count_atomic(int times)
{
    static atomic_ulong counter;
    unsigned long count = 0;
    for (int i = 0; i < times; i++)
        count = atomic_fetch_add(&counter, 1) + 1;
    return count;
}
