// query.c: see query.h.
#include "query.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 999999999
#define SHOWN      24 // an error repeats so many bytes of a query

// ---- reading -------------------------------------------------------------------------------

struct reader {
    const char *at, *end;
};

static void skip_spaces(struct reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

static bool at_end(struct reader *r)
{
    skip_spaces(r);
    return r->at == r->end;
}

// Takes the words of a phrase, with any number of spaces between them. Takes nothing and
// returns false if the words are not there.
static bool take_words(struct reader *r, const char *phrase)
{
    struct reader next = *r;
    while (*phrase) {
        size_t length = strcspn(phrase, " ");
        skip_spaces(&next);
        if ((size_t)(next.end - next.at) < length || memcmp(next.at, phrase, length))
            return false;
        next.at += length;
        if (next.at < next.end && *next.at != ' ')
            return false;
        phrase += length + (phrase[length] == ' ');
    }
    *r = next;
    return true;
}

static bool refuse(struct query_error *error, const char *code, const char *text)
{
    error->code = code;
    snprintf(error->text, sizeof error->text, "%s", text);
    return false;
}

// Says at which words the reader stopped. Control characters are shown as '?'.
static bool refuse_here(struct query_error *error, const struct reader *r)
{
    char shown[SHOWN + 1] = "";
    if (r->at == r->end)
        return refuse(error, CODE_SYNTAX, "the query ends too early");
    for (size_t i = 0; i < SHOWN && r->at + i < r->end; i++) {
        shown[i] = '?';
        if (r->at[i] >= ' ' && r->at[i] <= '~')
            shown[i] = r->at[i];
    }
    error->code = CODE_SYNTAX;
    snprintf(error->text, sizeof error->text, "syntax error at \"%s\"", shown);
    return false;
}

static bool take_number(struct reader *r, uint32_t max, uint32_t *number,
                        struct query_error *error)
{
    const char *begin = r->at;
    uint64_t value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (value <= NUMBER_MAX)
            value = value * 10 + (uint64_t)(*r->at - '0');
    if (r->at == begin)
        return refuse_here(error, r);
    if (value > max)
        return refuse(error, CODE_OUT_OF_RANGE, "a number is out of range");
    *number = (uint32_t)value;
    return true;
}

// Numbers with commas between them.
static bool take_ids(struct reader *r, int max, struct query *query, struct query_error *error)
{
    do {
        if (query->count == max && max > 1)
            return refuse(error, CODE_TOO_LONG, "too many numbers");
        if (query->count == max)
            return refuse_here(error, &(struct reader){r->at - 1, r->end}); // at the comma
        skip_spaces(r);
        if (!take_number(r, NUMBER_MAX, &query->ids[query->count++], error))
            return false;
        skip_spaces(r);
    } while (r->at < r->end && *r->at == ',' && r->at++);
    return true;
}

static bool take_query(struct reader *r, struct query *query, struct query_error *error)
{
    static const struct {
        const char *phrase;
        enum query_kind kind;
        int ids_max;
    } phrases[] = {{"ping", PING, 0},
                   {"get user", GET_USER, 1},
                   {"list users", LIST_USERS, 0},
                   {"posts of user", POSTS_OF, 1},
                   {"posts of users", POSTS_OF, IDS_MAX},
                   {"slow", SLOW, 0},
                   {"show stats", SHOW_STATS, 0}};
    uint32_t ms;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (!take_words(r, phrases[i].phrase))
            continue;
        query->kind = phrases[i].kind;
        skip_spaces(r);
        if (phrases[i].ids_max)
            return take_ids(r, phrases[i].ids_max, query, error);
        if (query->kind != SLOW)
            return true;
        if (!take_number(r, SLOW_MAX_MS, &ms, error))
            return false;
        query->ms = (int)ms;
        return true;
    }
    skip_spaces(r);
    return refuse_here(error, r);
}

bool query_parse(const char *text, size_t length, struct query *query,
                 struct query_error *error)
{
    struct reader r = {text, text + length};
    query->count = query->ms = 0;
    if (length > QUERY_MAX_BYTES)
        return refuse(error, CODE_TOO_LONG, "the query is too long");
    return take_query(&r, query, error) && (at_end(&r) || refuse_here(error, &r));
}

bool query_takes_time(const struct query *query, int query_ms)
{
    if (query->kind == SLOW)
        return query->ms > 0;
    if (query->kind == PING || query->kind == SHOW_STATS)
        return false;
    return query_ms > 0;
}

// ---- answering -----------------------------------------------------------------------------

struct answer {
    char *room;
    size_t size, length; // of the room, and what is used of it
    uint32_t id;         // of the query
    int rows;
    bool overflow; // the room was too small
};

static void put(struct answer *a, enum kind kind, const char *const fields[], int count)
{
    size_t length =
        frame_write(a->room + a->length, a->size - a->length, kind, a->id, fields, count);
    a->length += length;
    a->rows += kind == ROW;
    a->overflow = a->overflow || length == 0;
}

static void put_user(struct answer *a, const struct user *user)
{
    put(a, ROW, (const char *const[]){user->id, user->name, user->email}, 3);
}

static void put_posts(struct answer *a, const struct tables *tables, const struct user *user)
{
    const struct post *post = &tables->posts[user->first_post];
    for (int i = 0; i < user->posts; i++, post++)
        put(a, ROW, (const char *const[]){post->id, post->user_id, post->title}, 3);
}

static void put_figure(struct answer *a, const struct figure *figure)
{
    char number[24];
    snprintf(number, sizeof number, "%ld", figure->value);
    put(a, ROW, (const char *const[]){figure->name, number}, 2);
}

static bool is_user(uint32_t id)
{
    return id >= 1 && id <= USERS;
}

size_t query_answer(struct query *query, const struct tables *tables,
                    const struct figure *figures, uint32_t id, char *room, size_t size)
{
    struct answer a = {.room = room, .size = size, .id = id};
    bool done[USERS] = {false}; // "posts of users 1,1" asks for one user
    char rows[12];
    for (int i = 0; query->kind == LIST_USERS && i < USERS; i++)
        put_user(&a, &tables->users[i]);
    for (; query->kind == SHOW_STATS && figures->name; figures++)
        put_figure(&a, figures);
    for (int i = 0; i < query->count; i++) {
        uint32_t place = query->ids[i] - 1;
        if (!is_user(query->ids[i]) || done[place])
            continue;
        done[place] = true;
        if (query->kind == GET_USER)
            put_user(&a, &tables->users[place]);
        else
            put_posts(&a, tables, &tables->users[place]);
    }
    query->rows = a.rows;
    snprintf(rows, sizeof rows, "%d", a.rows);
    put(&a, COMPLETE, (const char *const[]){rows}, 1);
    if (a.overflow)
        return 0;
    return a.length;
}
