// test_pick.h: the algorithms, without a network. A part of test.c.
#include "pick.h"

static struct group group;

// Backends with these weights, 0 at the end.
static void set_up(const int *weights)
{
    memset(backends, 0, sizeof backends);
    group = (struct group){.count = 0};
    for (int i = 0; weights[i] >= 0; i++) {
        struct backend *b = &backends[i];
        b->index = i;
        b->weight = weights[i];
        snprintf(b->id, sizeof b->id, "%08x", pick_hash(&i, sizeof i));
        group.members[group.count++] = b;
    }
}

// The next `count` picks, as letters.
static char *picks(const char *algorithm, int count, const struct pick_for *what)
{
    static char text[200];
    memset(text, 0, sizeof text);
    for (int i = 0; i < count; i++) {
        const struct backend *b = pick(pick_find(algorithm), &group, what);
        text[i] = b ? (char)('a' + b->index) : '-';
    }
    return text;
}

static const struct pick_for anybody;

TEST(pick_in_turn)
{
    set_up((const int[]){1, 1, 1, -1});
    CHECK_TEXT(picks("round-robin", 7, &anybody), "abcabca");
    backends[1].down = true;
    CHECK_TEXT(picks("round-robin", 4, &anybody), "caca");
    // b fails each time: of the second tries a and c get as many.
    set_up((const int[]){1, 1, 1, -1});
    const struct pick_for again = {.tried = 1 << 1};
    int served[3] = {0};
    for (int i = 0; i < 12; i++) {
        char letter = *picks("round-robin", 1, &anybody);
        if (letter == 'b')
            letter = *picks("round-robin", 1, &again);
        served[letter - 'a']++;
    }
    CHECK_INT(served[0], 6);
    CHECK_INT(served[2], 6);
    set_up((const int[]){5, 1, 1, -1});
    CHECK_TEXT(picks("weighted-round-robin", 14, &anybody), "aabacaaaabacaa");
    backends[0].weight = 0;
    CHECK_TEXT(picks("weighted-round-robin", 4, &anybody), "bcbc");
}

TEST(pick_the_least)
{
    set_up((const int[]){1, 1, 1, -1});
    backends[0].active = 3;
    backends[1].active = 1;
    backends[2].active = 2;
    CHECK_TEXT(picks("least-connections", 3, &anybody), "bbb");
    backends[2].active = 1; // equal ones take turns
    CHECK_TEXT(picks("least-connections", 4, &anybody), "bcbb");
    set_up((const int[]){4, 1, -1});
    backends[0].active = 3;
    CHECK_TEXT(picks("weighted-least-connections", 1, &anybody), "b"); // 4/4, 1/1: its turn
    backends[1].active = 1;
    CHECK_TEXT(picks("weighted-least-connections", 2, &anybody), "aa"); // 4/4, 2/1
    set_up((const int[]){1, 1, -1});
    backends[0].response_us = 1000;
    backends[1].response_us = 400;
    CHECK_TEXT(picks("least-response-time", 2, &anybody), "bb");
    backends[1].active = 5; // 6 * 400
    CHECK_TEXT(picks("least-response-time", 2, &anybody), "aa");
    backends[0].bytes_second = 1;
    CHECK_TEXT(picks("least-bandwidth", 2, &anybody), "bb");
}

TEST(pick_by_address)
{
    set_up((const int[]){1, 1, 1, -1});
    int moved_mod = 0, moved_consistent = 0, share[3] = {0, 0, 0};
    for (uint32_t i = 0; i < 3000; i++) {
        struct pick_for what = {.address_hash = pick_hash(&i, sizeof i)};
        for (int b = 0; b < 3; b++)
            backends[b].down = false;
        char mod = *picks("address-hash", 1, &what);
        char consistent = *picks("consistent-hash", 1, &what);
        CHECK(*picks("address-hash", 1, &what) == mod);
        share[consistent - 'a']++;
        backends[2].down = true;
        moved_mod += mod != 'c' && *picks("address-hash", 1, &what) != mod;
        moved_consistent +=
            consistent != 'c' && *picks("consistent-hash", 1, &what) != consistent;
    }
    CHECK_INT(moved_consistent, 0);      // of those whose backend is still there
    CHECK_BETWEEN(moved_mod, 800, 1200); // half of 2000
    for (int b = 0; b < 3; b++)
        CHECK_BETWEEN(share[b], 900, 1100);
}

TEST(pick_by_chance)
{
    set_up((const int[]){1, 1, 1, -1});
    int share[3] = {0, 0, 0}, busy = 0;
    for (int i = 0; i < 3000; i++)
        share[*picks("random", 1, &anybody) - 'a']++;
    for (int b = 0; b < 3; b++)
        CHECK_BETWEEN(share[b], 850, 1150);
    backends[0].active = 10;
    for (int i = 0; i < 3000; i++)
        busy += *picks("two-choices", 1, &anybody) == 'a';
    CHECK_INT(busy, 0); // whatever the other one is, it has less to do
}

TEST(pick_when_few_are_left)
{
    for (const struct pick_algorithm *a = pick_algorithms; a->name; a++) {
        set_up((const int[]){1, 1, 0, -1});
        struct pick_for what = {.address_hash = 7, .tried = 1};
        CHECK_TEXT(picks(a->name, 3, &what), "bbb"); // not the one that was tried
        backends[1].down = true;
        CHECK_TEXT(picks(a->name, 1, &what), "b"); // rather an unhealthy one than none
        what.tried = 3;
        CHECK_TEXT(picks(a->name, 1, &what), "-");
    }
    CHECK(!pick_find("by-smell"));
}

TEST(groups_by_host_and_path)
{
    static const struct {
        const char *host, *path;
        int group; // -1: none
    } cases[] = {{"x", "/", 0},      {"x", "/a", 1},     {"x", "/a/b", 1},    {"x", "/ab", 0},
                 {"x:80", "/a/", 1}, {"h", "/", 2},      {"H:8108", "/a", 2}, {"h.x", "/", 0},
                 {"h", "/img/x", 3}, {"x", "/img/x", 0}, {"", "/a", 1}};
    backends_add("127.0.0.1:1");
    backends_begin_group("/a");
    backends_add("127.0.0.1:2");
    backends_begin_group("h/");
    backends_add("127.0.0.1:3,7");
    backends_begin_group("h/img/");
    backends_add("127.0.0.1:4,0");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct group *g =
            backends_find_group((struct http_text){cases[i].host, strlen(cases[i].host)},
                                (struct http_text){cases[i].path, strlen(cases[i].path)});
        CHECK_INT(g ? g - groups : -1, cases[i].group);
    }
    CHECK_INT(backends[2].weight, 7);
    CHECK(backends_find((struct http_text){"127.0.0.1:4", 11}) == &backends[3]);
    CHECK(backends_find((struct http_text){backends[1].id, 8}) == &backends[1]);
    CHECK_INT(test_run("./balancer --backend nowhere"), 2);
    CHECK_INT(test_run("./balancer --backend 127.0.0.1:80,x"), 2);
    CHECK_INT(test_run("./balancer --for x --backend 127.0.0.1:80"), 2);
    CHECK_INT(test_run("./balancer --for /x"), 2);
    CHECK_INT(test_run("./balancer --layer 5"), 2);
    CHECK_INT(test_run("./balancer --algorithm by-smell"), 2);
    CHECK_HAS(test_output, "takes one of: round-robin weighted-round-robin");
}
