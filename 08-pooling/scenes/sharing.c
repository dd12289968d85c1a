// sharing.c: one connection for several users; then with ids, then one for each at a time.
//
// Read scene_sharing()'s first half: what goes wrong there needs two users and no bad luck.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define SHARERS  8
#define QUERIES  100 // of each
#define QUERY_MS 10000

enum way { NAIVE, BY_ID, POOLED, WAYS };

static const char *const way_name[WAYS] = {"one connection, a lock around each call",
                                           "one connection, answers by id", "a pool of 4"};

// An answer that a thread waits for; any thread may read it.
struct expected {
    uint32_t id;
    bool here;
    long user; // in the row that came
    struct expected *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct db *db;
    bool reading;              // one thread waits at the socket, for all
    struct expected *expected; // by the others
} shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, false, NULL};

static struct pool *pool;
static atomic_int mixed_up; // answers to another user's query

static uint32_t send_query(long user)
{
    char text[40];
    snprintf(text, sizeof text, "get user %ld", user);
    uint32_t id = db_send(shared.db, text, QUERY_MS);
    if (!id)
        die("cannot ask: %s", shared.db->error.text);
    return id;
}

// The user in the next answer, whoever asked for it.
static long read_user(uint32_t *id)
{
    if (!db_receive(shared.db, id, QUERY_MS))
        die("no answer: %s", shared.db->error.text);
    return atol(db_value(shared.db, 0, 0));
}

// ---- three ways ----------------------------------------------------------------------------

// Each call is safe. What is not: that the next answer is mine.
static long ask_naively(long user)
{
    uint32_t id;
    pthread_mutex_lock(&shared.lock);
    send_query(user);
    pthread_mutex_unlock(&shared.lock);
    pthread_mutex_lock(&shared.lock);
    long got = read_user(&id);
    pthread_mutex_unlock(&shared.lock);
    return got;
}

// Reads one answer and gives it to the thread that has asked for it. Lets go of the lock while
// it waits, so that others can send.
static void read_for_all(void)
{
    struct pollfd readable = {shared.db->fd, POLLIN, 0};
    uint32_t id;
    shared.reading = true;
    if (shared.db->in_at == shared.db->in_end) { // nothing is here already
        pthread_mutex_unlock(&shared.lock);
        while (poll(&readable, 1, QUERY_MS) < 0 && errno == EINTR)
            ;
        pthread_mutex_lock(&shared.lock);
    }
    long user = read_user(&id);
    for (struct expected **at = &shared.expected; *at; at = &(*at)->next)
        if ((*at)->id == id) { // THE line: the id decides, not the order
            (*at)->user = user;
            (*at)->here = true;
            *at = (*at)->next;
            break;
        }
    shared.reading = false;
    pthread_cond_broadcast(&shared.arrived);
}

static long ask_by_id(long user)
{
    pthread_mutex_lock(&shared.lock);
    struct expected mine = {.id = send_query(user), .next = shared.expected};
    shared.expected = &mine;
    while (!mine.here)
        if (shared.reading)
            pthread_cond_wait(&shared.arrived, &shared.lock);
        else
            read_for_all();
    pthread_mutex_unlock(&shared.lock);
    return mine.user;
}

static long ask_pool(long user)
{
    char text[40], value[POOL_ERROR];
    snprintf(text, sizeof text, "get user %ld", user);
    if (!pool_query(pool, "sharer", text, value, sizeof value))
        die("%s", value);
    return atol(value);
}

// ---- many at once --------------------------------------------------------------------------

struct sharer {
    pthread_t thread;
    enum way way;
    long user;
};

static void *ask_again_and_again(void *argument)
{
    static long (*const ask[WAYS])(long) = {ask_naively, ask_by_id, ask_pool};
    const struct sharer *sharer = argument;
    for (int i = 0; i < QUERIES; i++)
        mixed_up += ask[sharer->way](sharer->user) != sharer->user;
    return NULL;
}

// How many of SHARERS * QUERIES answers went to the wrong one.
static int count_mixed_up(enum way way)
{
    struct sharer sharers[SHARERS];
    mixed_up = 0;
    for (int i = 0; i < SHARERS; i++) {
        sharers[i] = (struct sharer){.way = way, .user = i + 1};
        if (pthread_create(&sharers[i].thread, NULL, ask_again_and_again, &sharers[i]))
            die("cannot start a thread");
    }
    for (int i = 0; i < SHARERS; i++)
        pthread_join(sharers[i].thread, NULL);
    return mixed_up;
}

static const struct claim mixes = {
    "8.2", "guide §7", "on one shared connection one user sees another's data", HOLDS, NULL};

void scene_sharing(void)
{
    uint32_t id;
    int wrong[WAYS];
    struct pool_config config = session_pool(the_server());
    config.max = 4;
    pool = new_pool(config);
    shared.db = open_or_die(the_server());
    story_say("Two users on one connection. The first to read gets the first answer.");
    story_timeline();
    story_event("A sends: get user 1");
    send_query(1);
    story_event("B sends: get user 2");
    send_query(2);
    long b_has = read_user(&id);
    story_event("B reads first, and sees user %ld: %s", b_has, db_value(shared.db, 0, 2));
    long a_has = read_user(&id);
    story_event("A reads, and sees user %ld: %s", a_has, db_value(shared.db, 0, 2));
    story_quiet(true);
    for (enum way way = 0; way < WAYS; way++)
        wrong[way] = count_mixed_up(way);
    db_close(shared.db);
    end_pool(pool);
    printf("\n  %d threads, %d queries each; answers that went to the wrong thread:\n", SHARERS,
           QUERIES);
    for (enum way way = 0; way < WAYS; way++)
        printf("      %-42s %4d of %d\n", way_name[way], wrong[way], SHARERS * QUERIES);
    claim_report(&mixes,
                 holds_if(b_has == 1 && a_has == 2 && wrong[BY_ID] == 0 && wrong[POOLED] == 0),
                 "B asked for user 2 and saw user %ld; with ids %d mistakes in %d, with a pool "
                 "%d",
                 b_has, wrong[BY_ID], SHARERS * QUERIES, wrong[POOLED]);
}
