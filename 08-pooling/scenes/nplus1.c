// nplus1.c: scene nplus1: a hundred and one queries, or two.
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "smaller.h"
#include "story.h"

#define USERS      100
#define TEXT_BYTES 1000

static const struct claim n_plus_one = {
    "8.8", "guide §16.3", "N+1 queries: 101 of them, where 2 are enough", HOLDS, NULL};

struct way {
    int queries, posts;
    double ms;
};

// The ids of all users, as text.
static int list_users(struct db *db, char ids[USERS][12])
{
    ask_or_die(db, "list users");
    int count = (int)smaller((size_t)db->rows, USERS);
    for (int i = 0; i < count; i++)
        snprintf(ids[i], sizeof ids[i], "%s", db_value(db, i, 0));
    return count;
}

static int one_by_one(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES];
    int posts = 0;
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "posts of user %s", ids[i]);
        ask_or_die(db, text);
        posts += db->rows;
    }
    return posts;
}

// The same queries, but none of them waits for the answer to the one before.
static int pipelined(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES];
    uint32_t id;
    int posts = 0;
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "posts of user %s", ids[i]);
        if (!db_send(db, text, QUERY_MS))
            die("%s: %s", text, db->error.text);
    }
    for (int i = 0; i < count; i++) {
        if (!db_receive(db, &id, QUERY_MS))
            die("no answer: %s", db->error.text);
        posts += db->rows;
    }
    return posts;
}

static int all_at_once(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES] = "posts of users ";
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s,", ids[i]);
    text[strlen(text) - 1] = '\0'; // the last comma
    ask_or_die(db, text);
    return db->rows;
}

static struct way all_posts(struct db *db, int (*posts_of)(struct db *, char[USERS][12], int))
{
    char ids[USERS][12];
    uint64_t before = db->queries;
    int64_t start_ns = now_ns();
    struct way way = {.posts = posts_of(db, ids, list_users(db, ids))};
    way.ms = ms_since(start_ns);
    way.queries = (int)(db->queries - before);
    return way;
}

void scene_nplus1(void)
{
    static const char *const names[] = {"one query for each user", "the same, pipelined",
                                        "one for all of them"};
    static int (*const ways[])(struct db *, char[USERS][12], int) = {one_by_one, pipelined,
                                                                     all_at_once};
    struct way done[3];
    struct db *db = open_or_die(the_server());
    story_say("All users, and the posts of each of them, on one connection.");
    for (int i = 0; i < 3; i++)
        done[i] = all_posts(db, ways[i]);
    db_close(db);
    story_head("|queries|posts|time");
    for (int i = 0; i < 3; i++)
        story_row("%s|%d|%d|%.1f ms", names[i], done[i].queries, done[i].posts, done[i].ms);
    story_say("");
    for (int i = 0; i < 3; i++)
        story_bar(names[i], done[i].ms, done[0].ms, "%.0f ms", done[i].ms);
    bool same = done[0].posts > 0 && done[0].posts == done[2].posts;
    if (packet_log()->loss > 0)
        claim_report(&n_plus_one, SKIPPED, "on this link lost packets decide, too");
    else if (packet_log()->rate > 0)
        claim_report(&n_plus_one, SKIPPED, "on this link bytes decide, too");
    else if (is_far(&n_plus_one))
        claim_report(&n_plus_one,
                     holds_if(same && done[0].queries == 101 && done[2].queries == 2 &&
                              done[0].ms > 10 * done[2].ms),
                     "%d queries in %.0f ms, %d in %.0f, for the same %d posts; what costs is "
                     "the waiting: pipelined the %d take %.0f ms",
                     done[0].queries, done[0].ms, done[2].queries, done[2].ms, done[2].posts,
                     done[1].queries, done[1].ms);
}
