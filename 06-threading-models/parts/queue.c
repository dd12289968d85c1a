// queue.c: see queue.h.
#include "queue.h"

#include <stdlib.h>

#define ITEMS_A_WAKE 4

bool queue_open(struct queue *queue, int size, int threads)
{
    *queue = (struct queue){.mutex = PTHREAD_MUTEX_INITIALIZER,
                            .filled = PTHREAD_COND_INITIALIZER,
                            .size = (unsigned)size,
                            .places = (unsigned)(size + threads)};
    queue->ring = calloc(queue->places, sizeof *queue->ring);
    return queue->ring;
}

// Unlocks the queue, and wakes a thread that waits if there are items for it. To wake one costs
// more than most items, and until it runs there are more of them: so one for every few.
static void unlock_and_wake(struct queue *queue)
{
    bool wake = queue->waiting > queue->waking && queue->count > queue->waking * ITEMS_A_WAKE;
    queue->waking += wake;
    pthread_mutex_unlock(&queue->mutex);
    if (wake)
        pthread_cond_signal(&queue->filled);
}

bool queue_put(struct queue *queue, void *item, bool *first)
{
    pthread_mutex_lock(&queue->mutex);
    bool room = queue->count < queue->size + queue->waiting;
    *first = queue->count == 0;
    if (room)
        queue->ring[(queue->first + queue->count++) % queue->places] = item;
    unlock_and_wake(queue);
    return room;
}

// The caller holds the mutex. NULL: the queue is empty.
static void *take_first(struct queue *queue)
{
    if (!queue->count)
        return NULL;
    void *item = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->places;
    queue->count--;
    return item;
}

void *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (!queue->count && !queue->closed) {
        queue->waiting++;
        pthread_cond_wait(&queue->filled, &queue->mutex);
        queue->waiting--;
        queue->waking -= queue->waking > 0; // cond_wait() may also end without a signal
    }
    void *item = take_first(queue);
    unlock_and_wake(queue); // there may be one more, for the next thread
    return item;
}

void *queue_try(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    void *item = take_first(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_mutex_unlock(&queue->mutex);
    pthread_cond_broadcast(&queue->filled);
}

void queue_free(struct queue *queue)
{
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->ring);
}
