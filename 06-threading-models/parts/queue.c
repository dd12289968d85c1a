// queue.c: see queue.h.
#include "queue.h"

#include <stdlib.h>

bool queue_open(struct queue *queue, int size, int threads)
{
    *queue = (struct queue){.mutex = PTHREAD_MUTEX_INITIALIZER,
                            .filled = PTHREAD_COND_INITIALIZER,
                            .size = (unsigned)size,
                            .places = (unsigned)(size + threads)};
    queue->ring = calloc(queue->places, sizeof *queue->ring);
    return queue->ring;
}

bool queue_put(struct queue *queue, void *item, bool *first)
{
    pthread_mutex_lock(&queue->mutex);
    bool room = queue->count < queue->size + queue->waiting;
    *first = queue->count == 0;
    if (room)
        queue->ring[(queue->first + queue->count++) % queue->places] = item;
    pthread_mutex_unlock(&queue->mutex);
    return room;
}

// Unlocks the queue, and wakes a thread that waits if there is an item for it.
static void unlock_and_wake(struct queue *queue)
{
    bool wake = queue->count > 0 && queue->waiting > 0;
    pthread_mutex_unlock(&queue->mutex);
    if (wake)
        pthread_cond_signal(&queue->filled);
}

void queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    unlock_and_wake(queue);
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
    }
    void *item = take_first(queue);
    unlock_and_wake(queue); // there may be one for the next thread as well
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
