// query.h: the queries of the database, and their answers.
//
//     ping                        no row: the query asks whether the server answers
//     get user N                  id, name, email; no row if there is no user N
//     list users                  id, name, email of all users
//     posts of user N             id, user's id, title of each post
//     posts of users N,N,...      the same for several users; each post once
//     slow MS                     no row, after MS milliseconds; it needs no core
//     show stats                  name and number, one row for each figure of the server
#ifndef QUERY_H
#define QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"
#include "table.h"

#define QUERY_MAX_BYTES  1024
#define IDS_MAX          100   // in one query
#define SLOW_MAX_MS      60000 // the longest time that a query may sleep
#define ANSWER_MAX_BYTES 32768 // the longest answer (all posts) is shorter

enum query_kind { PING, GET_USER, LIST_USERS, POSTS_OF, SLOW, SHOW_STATS };

struct query {
    enum query_kind kind;
    int ms;    // how long a SLOW query sleeps
    int count; // how many ids follow
    uint32_t ids[IDS_MAX];
    int rows; // how many rows the answer had; query_answer() sets it
};

struct query_error {
    const char *code;
    char text[100];
};

// Reads a query. False: *error says what is wrong with it.
bool query_parse(const char *text, size_t length, struct query *query,
                 struct query_error *error);

// True if the answer does not come at once: a SLOW query sleeps, and a query that reads the
// tables keeps a core busy for `query_ms`.
bool query_takes_time(const struct query *query, int query_ms);

// A figure of the server.
struct figure {
    const char *name; // NULL ends a list of them
    long value;
};

// Writes the answer into `room`: its rows, then COMPLETE. Returns how many bytes it has; 0 if
// `size` is too small.
size_t query_answer(struct query *query, const struct tables *tables,
                    const struct figure *figures, uint32_t id, char *room, size_t size);

#endif
