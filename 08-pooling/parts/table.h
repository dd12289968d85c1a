// table.h: the tables of this lesson's database: users and their posts. A rule makes them, so
// that a test can know each answer.
//
//     user N    N = 1 ... 100    "Ada Adams" ...    "ada.adams@example.com"
//               has N % POSTS_EACH + 1 posts with numbers in a row: user 1 has posts 1 and 2
#ifndef TABLE_H
#define TABLE_H

#define USERS      100
#define POSTS_EACH 5   // the most posts of one user
#define POSTS      300 // the posts of all users

// The values are texts, because they are sent as texts.
struct user {
    char id[12], name[24], email[40];
    int first_post, posts; // their places in tables.posts
};

struct post {
    char id[12], user_id[12], title[48];
};

struct tables {
    struct user users[USERS]; // user N is at N - 1
    struct post posts[POSTS];
};

void tables_fill(struct tables *tables);

#endif
