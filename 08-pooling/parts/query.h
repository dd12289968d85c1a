// query.h: the queries of the database, and their answers.
//
//     ping                        no row: is anybody there?
//     get user N                  id, name, email; no row if there is no such user
//     list users                  all of them, as above
//     posts of user N             id, user's id, title
//     posts of users N,N,...      the same for several at once; each post once
//     slow MS                     no row, after so long; takes the session and no core
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
#define SLOW_MAX_MS      60000 // a query may sleep so long
#define ANSWER_MAX_BYTES 32768 // the longest answer, all posts, finds room in that

enum query_kind { PING, GET_USER, LIST_USERS, POSTS_OF, SLOW, SHOW_STATS };

struct query {
    enum query_kind kind;
    int ms;    // that it sleeps
    int count; // of ids
    uint32_t ids[IDS_MAX];
};

struct query_error {
    const char *code;
    char text[100];
};

// Reads a query. False: *error says what is wrong with it.
bool query_parse(const char *text, size_t length, struct query *query,
                 struct query_error *error);

// True if it has to look into the tables.
bool query_reads_tables(const struct query *query);

// A figure of the server.
struct figure {
    const char *name; // NULL ends a list of them
    long value;
};

// Writes the answer, rows and COMPLETE, into `room`. Returns its bytes, 0 if `size` is less
// than they take.
size_t query_answer(const struct query *query, const struct tables *tables,
                    const struct figure *figures, uint32_t id, char *room, size_t size);

#endif
