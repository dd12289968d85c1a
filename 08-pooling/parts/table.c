// table.c: see table.h.
#include "table.h"

#include <ctype.h>
#include <stdio.h>

static const char *const first_names[] = {"Ada",     "Barbara", "Claude", "Donald", "Edsger",
                                          "Frances", "Grace",   "Hedy",   "Ivan",   "Jean"};
static const char *const last_names[] = {"Adams",  "Brown", "Clark", "Davis", "Evans",
                                         "Foster", "Green", "Hill",  "Irwin", "Jones"};
static const char *const topics[] = {"sockets", "queues", "caches", "indexes", "locks"};

static void fill_user(struct user *user, int number)
{
    const char *first = first_names[(number - 1) % 10], *last = last_names[(number - 1) / 10];
    snprintf(user->id, sizeof user->id, "%d", number);
    snprintf(user->name, sizeof user->name, "%s %s", first, last);
    snprintf(user->email, sizeof user->email, "%s.%s@example.com", first, last);
    for (char *at = user->email; *at; at++)
        *at = (char)tolower(*at);
}

void tables_fill(struct tables *tables)
{
    int posts = 0;
    for (int number = 1; number <= USERS; number++) {
        struct user *user = &tables->users[number - 1];
        fill_user(user, number);
        user->first_post = posts;
        user->posts = number % POSTS_EACH + 1;
        for (int i = 0; i < user->posts; i++) {
            struct post *post = &tables->posts[posts++];
            snprintf(post->id, sizeof post->id, "%d", posts);
            snprintf(post->user_id, sizeof post->user_id, "%d", number);
            snprintf(post->title, sizeof post->title, "%s on %s, part %d", user->name,
                     topics[number % 5], i + 1);
        }
    }
}
