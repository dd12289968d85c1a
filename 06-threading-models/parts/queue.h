// queue.h: a bounded queue between threads, first in, first out.
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled; // signalled when there is an item for a thread that waits
    void **ring;           // the items: `count` of them, from ring[first] on
    unsigned size, places, first, count;
    unsigned waiting; // threads in queue_take()
    bool closed;      // queue_close() was called
};

// Prepares a queue for at most `size` items, beside those for which one of the `threads` that
// take them waits already. False: there is no memory for it.
bool queue_open(struct queue *queue, int size, int threads);

// Puts an item at the end, and sets *first if it is the only one. False: the queue is full.
// A thread that waits is not woken by this.
bool queue_put(struct queue *queue, void *item, bool *first);

// Wakes a thread that waits, if there is an item for it; that thread wakes the next if there
// are more. For the time after queue_put(), or after many: to wake a thread costs more than to
// put an item.
void queue_wake(struct queue *queue);

// Takes the first item; waits until there is one. NULL: the queue is closed, and empty.
void *queue_take(struct queue *queue);

// The same without waiting; NULL: it is empty.
void *queue_try(struct queue *queue);

// From now on queue_take() does not wait: when the queue is empty it returns NULL, also in the
// threads that wait in it now.
void queue_close(struct queue *queue);

void queue_free(struct queue *queue);

#endif
