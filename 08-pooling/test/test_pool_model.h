// test_pool_model.h: 100,000 random steps, and a simple model that says before each what the
// pool will do: which resource is lent, which ones are closed and why, what is opened.
#ifndef TEST_POOL_MODEL_H
#define TEST_POOL_MODEL_H

#include "test_resources.h"

#define STEPS        100000
#define MODEL_MAX    8
#define MODEL_MIN    2
#define MODEL_IDLE   400 // ms, as are the others
#define MODEL_LIFE   3000
#define MODEL_RETRY  100
#define MODEL_ASKING 150

// The model: resources are numbers, in the order in which they were made.
struct model_thing {
    int number;
    int64_t since_ms, ends_ms;
};

static struct {
    int64_t now_ms, retry_at_ms;
    struct model_thing idle[MODEL_MAX], out[MODEL_MAX]; // idle: the last one is lent first
    struct lease leases[MODEL_MAX];                     // of those that are out
    int idle_count, out_count, made;
    bool failing;
    bool bad[STEPS * 2]; // by number: does not answer any more
    uint64_t closed[POOL_REASONS], failed, timeouts;
} model;

static int model_total(void)
{
    return model.idle_count + model.out_count;
}

// True if the model opens something; else the attempt fails.
static bool model_open(struct model_thing *made)
{
    model.failing = no_resource;
    if (no_resource) {
        model.failed++;
        model.retry_at_ms = model.now_ms + MODEL_RETRY;
        return false;
    }
    *made = (struct model_thing){++model.made, model.now_ms, model.now_ms + MODEL_LIFE};
    return true;
}

static bool model_may_open(void)
{
    return model_total() < MODEL_MAX && (!model.failing || model.now_ms >= model.retry_at_ms);
}

static enum pool_result model_acquire(struct model_thing *lent)
{
    if (model.idle_count) {
        *lent = model.idle[--model.idle_count];
        bool old = model.now_ms >= lent->ends_ms;
        bool asked = model.now_ms - lent->since_ms >= MODEL_ASKING;
        if (!old && !(asked && model.bad[lent->number]))
            return POOL_OK;
        model.closed[old ? POOL_OLD : POOL_INVALID]++;
    } else if (!model_may_open()) {
        if (model_total() == 0)
            return POOL_OPEN_FAILED;
        model.timeouts++;
        return POOL_TIMEOUT;
    }
    if (model_open(lent))
        return POOL_OK;
    return POOL_OPEN_FAILED;
}

static void model_tend(void)
{
    for (int i = 0; i < model.idle_count;) { // the oldest is the first
        bool old = model.now_ms >= model.idle[i].ends_ms;
        bool unused = model.now_ms - model.idle[i].since_ms >= MODEL_IDLE;
        if (!old && !(unused && model_total() > MODEL_MIN)) {
            i++;
            continue;
        }
        model.closed[old ? POOL_OLD : POOL_IDLE]++;
        memmove(&model.idle[i], &model.idle[i + 1],
                (size_t)(--model.idle_count - i) * sizeof *model.idle);
    }
    while (model_total() < MODEL_MIN && model_may_open())
        if (model_open(&model.idle[model.idle_count]))
            model.idle_count++;
}

static void step_acquire(struct pool *pool)
{
    struct lease *lease = &model.leases[model.out_count];
    struct model_thing lent;
    enum pool_result expected = model_acquire(&lent);
    CHECK_INT(pool_acquire(pool, "model", lease), expected == POOL_OK);
    CHECK_INT(lease->result, expected);
    if (expected != POOL_OK)
        return;
    CHECK_INT(((struct resource *)lease->resource)->number, lent.number);
    model.out[model.out_count++] = lent;
}

static void step_release(int which, bool usable)
{
    struct model_thing back = model.out[which];
    pool_release(&model.leases[which], usable);
    model.out[which] = model.out[--model.out_count];
    model.leases[which] = model.leases[model.out_count];
    back.since_ms = model.now_ms;
    if (!usable)
        model.closed[POOL_BROKEN]++;
    else if (model.now_ms >= back.ends_ms)
        model.closed[POOL_OLD]++;
    else
        model.idle[model.idle_count++] = back;
}

static void expect_model(struct pool *pool)
{
    struct pool_stats stats = stats_of(pool);
    CHECK_INT(stats.active, model.out_count);
    CHECK_INT(stats.idle, model.idle_count);
    CHECK_INT(stats.created, model.made);
    CHECK_INT(stats.failed, model.failed);
    CHECK_INT(stats.timeouts, model.timeouts);
    for (int reason = 0; reason < POOL_REASONS; reason++)
        CHECK_INT(stats.closed[reason], model.closed[reason]);
    CHECK_INT(resources_open, model_total());
}

TEST(pool_does_what_the_model_says)
{
    uint64_t random = 8;
    struct pool_config config = resources_without_time(MODEL_MAX);
    config.min = MODEL_MIN;
    config.idle_ms = MODEL_IDLE;
    config.lifetime_ms = MODEL_LIFE;
    config.retry_ms = MODEL_RETRY;
    config.validate_ms = MODEL_ASKING;
    struct pool *pool = new_pool(config);
    for (int step = 0; step < STEPS && !test_failures; step++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        int dice = (int)(random >> 33) % 100, more = (int)(random >> 50);
        if (dice < 40 && model.out_count < MODEL_MAX)
            step_acquire(pool);
        else if (dice < 75 && model.out_count) {
            int which = more % model.out_count;
            // Whoever has it notices that it does not answer, or, mostly, does not.
            if (more & 1024 && more & 512)
                ((struct resource *)model.leases[which].resource)->bad =
                    model.bad[model.out[which].number] = true;
            step_release(which, dice < 72);
        } else if (dice < 90) {
            pass_ms(more % 120);
            model.now_ms += more % 120;
        } else if (dice < 98) {
            pool_tend(pool);
            model_tend();
        } else
            no_resource = more % 3 == 0;
        expect_model(pool);
        if (test_failures)
            printf("    in step %d\n", step);
    }
    while (model.out_count)
        step_release(0, true);
    for (int reason = 0; reason < POOL_CLOSED; reason++)
        CHECK(model.closed[reason] > 100); // all of that has happened
    CHECK_AT_LEAST(model.failed, 101);
    CHECK_AT_LEAST(model.timeouts, 101);
    expect_closed(pool);
}

#endif
