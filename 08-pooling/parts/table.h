// table.h: what the database of this lesson holds: users and their posts, made by a rule, so
// that every test knows what an answer must be.
//
//     user N    N = 1 ... 100    "Ada Adams" ...    "ada.adams@example.com"
//               has N % POSTS_EACH + 1 posts, which follow each other: user 1's are 1 and 2
#ifndef TABLE_H
#define TABLE_H

#define USERS      100
#define POSTS_EACH 5   // at most
#define POSTS      300 // of all users together

// Values are kept as text, which is how they are sent.
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
