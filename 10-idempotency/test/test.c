// test.c: tests of lesson 10. `make test` runs them, the scenes, real peers, and the patches in
// break/. Here: what is answered to one request after another. Further tests, by topic:
//
//     test_json.h     JSON, keys
//     test_journal.h  the journal: cut, flipped, torn, full, rewritten
//     test_place.h    whose the journal is: links, a file that is removed, a folder
//     test_clock.h    the clock on the wall jumps
//     test_crash.h    a server that dies two hundred times, and a disk without room
//     test_client.h   the client's parts
//     test_command.h  ./client
//     test_load.h     many at once, slow ones, odd ones
#define SUMMARY "connections 4, charges "
#define LOGGED  "POST /charges: 201, "
#include "contract.h"

#include "test_client.h"
#include "test_command.h"
#include "test_clock.h"
#include "test_crash.h"
#include "test_disk.h"
#include "test_http.h"
#include "test_journal.h"
#include "test_json.h"
#include "test_load.h"
#include "test_place.h"
#include "test_talk.h"

#define ID "ch_01"

static bool exchange(int port)
{
    static int number;
    char key[60];
    snprintf(key, sizeof key, "exchange-%d-%d-%lld", getpid(), number++, (long long)now_ns());
    return charge(port, key, A_CHARGE) == 201;
}

// ---- POST /charges -------------------------------------------------------------------------

// The answer without its Date and Connection, which may differ.
static void remember(char *copy, size_t size)
{
    const char *type = strstr(answer, "Content-Type:");
    snprintf(copy, size, "%.12s %s", answer, type ? type : "");
    char *replayed = strstr(copy, "Idempotent-Replayed: true\r\n");
    if (replayed)
        memmove(replayed, replayed + 27, strlen(replayed + 27) + 1);
}

TEST(a_key_is_answered_as_the_first_time)
{
    static char first[2000], again[2000];
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(charge(port, "\"order-17\"", A_CHARGE), 201);
    CHECK(!was_replayed());
    CHECK_HAS(answer, "\r\nContent-Type: application/json\r\n");
    CHECK_HAS(answer, "\r\nLocation: /charges/ch_01");
    CHECK_HAS(answer, "{\"id\":\"ch_01");
    CHECK_HAS(answer, "\"amount\":500,\"currency\":\"eur\",\"source\":\"tok_visa\","
                      "\"status\":\"succeeded\"");
    remember(first, sizeof first);
    for (int i = 0; i < 4; i++) {
        // The same string, with and without quotation marks; the same content, otherwise
        // written.
        CHECK_INT(charge(port, i & 1 ? "order-17" : "\"order-17\"",
                         i & 2 ? " { \"source\" : \"tok_vis\\u0061\", \"currency\":\"eur\", "
                                 "\"amount\":500 }"
                               : A_CHARGE),
                  201);
        CHECK(was_replayed());
        remember(again, sizeof again);
        CHECK(!strcmp(first, again));
    }
    expect_balance(port, 1, 500);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, ""); // and after a restart
    CHECK_INT(charge(port, "order-17", A_CHARGE), 201);
    remember(again, sizeof again);
    CHECK(was_replayed());
    CHECK_TEXT(first, again);
    expect_balance(port, 1, 500);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_key_stands_for_one_request)
{
    static const char *const others[] = {
        "{\"amount\":501,\"currency\":\"eur\",\"source\":\"tok_visa\"}",
        "{\"amount\":500,\"currency\":\"usd\",\"source\":\"tok_visa\"}",
        "{\"amount\":500,\"currency\":\"eur\",\"source\":\"tok_visb\"}",
    };
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_INT(charge(port, "k", others[i]), 422);
        CHECK_HAS(answer, "\r\nContent-Type: application/problem+json\r\n");
        CHECK_HAS(answer, "\"status\":422,");
        CHECK_HAS(answer, "\"field\":\"Idempotency-Key\"");
    }
    CHECK_INT(charge(port, "K", others[0]), 201); // letters count
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK(was_replayed());
    expect_balance(port, 2, 1001);
    CHECK_INT(test_stop(pid), 0);
}

// That the bank has declined is an answer, too, and is kept; that a request was wrong is not.
TEST(a_declined_charge_is_declined_again)
{
    static const char declined[] =
        "{\"amount\":500,\"currency\":\"eur\",\"source\":\"tok_declined\"}";
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(charge(port, "k", declined), 402);
    CHECK(!was_replayed());
    CHECK_HAS(answer, "\"field\":\"source\"");
    CHECK_INT(charge(port, "k", declined), 402);
    CHECK(was_replayed());
    CHECK_INT(charge(port, "k", A_CHARGE), 422);
    CHECK_INT(charge(port, "l", "{}"), 400);
    CHECK_INT(charge(port, "l", A_CHARGE), 201);
    expect_balance(port, 1, 500);
    CHECK_INT(test_stop(pid), 0);
}

#define OF(amount) "{\"amount\":" amount ",\"currency\":\"eur\",\"source\":\"tok_visa\"}"

static const struct {
    const char *content;
    const char *field; // NULL: none is named
} wrong_charges[] = {
    {"", NULL},
    {"{", NULL},
    {"[]", NULL},
    {"500", NULL},
    {"{}", "amount"},
    {"amount=500&currency=eur", NULL},
    {OF("0"), "amount"},
    {OF("-1"), "amount"},
    {OF("-0"), "amount"},
    {OF("1.0"), "amount"},
    {OF("1e2"), "amount"},
    {OF("\"500\""), "amount"},
    {OF("null"), "amount"},
    {OF("true"), "amount"},
    {OF("[500]"), "amount"},
    {OF("{\"amount\":500}"), "amount"},
    {OF("100000000"), "amount"},
    {OF("9223372036854775808"), "amount"},
    {OF("18446744073709552116"), "amount"}, // 2^64 + 500
    {OF("500000000000000000000000000000000"), "amount"},
    {OF("0500"), NULL},
    {OF("+500"), NULL},
    {OF("500,\"amount\":500"), NULL}, // twice
    {OF("500,\"Amount\":500"), "Amount"},
    {OF("500,\"a \\u001b\":500"), NULL}, // is not repeated
    {"{\"amount\":500,\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":\"EUR\",\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":\"eurx\",\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":\"\",\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":978,\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":\"eur\\u0000\",\"source\":\"tok_visa\"}", "currency"},
    {"{\"amount\":500,\"currency\":\"eur\"}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":\"\"}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":\"a b\"}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":\"a\\u0000\"}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":\"\xc3\xa9\"}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":\"\xff\"}", NULL},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":{}}", "source"},
    {"{\"amount\":500,\"currency\":\"eur\",\"source\":"
     "\"12345678901234567890123456789012345678901234567890123456789012345\"}",
     "source"},
};

TEST(charges_that_are_wrong)
{
    char field[60];
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof wrong_charges / sizeof *wrong_charges; i++) {
        const char *named = wrong_charges[i].field;
        int status = charge(port, "k", wrong_charges[i].content);
        snprintf(field, sizeof field, "\"field\":\"%s\"", named ? named : "");
        bool found = strstr(answer, named ? field : "\"field\":");
        if (status != 400 || found != (named != NULL))
            FAIL("%s: %s", wrong_charges[i].content, answer);
    }
    CHECK_INT(charge(port, "k", OF("99999999")), 201); // none of them has used the key up
    expect_balance(port, 1, 99999999);
    CHECK_INT(test_stop(pid), 0);
}

TEST(keys_that_are_wrong)
{
    static const char *const fields[] = {
        "",
        "Idempotency-Key:\r\n",
        "Idempotency-Key: \"\"\r\n",
        "Idempotency-Key: a b\r\n",
        "Idempotency-Key: \"a\r\n",
        "Idempotency-Key: a\r\nIdempotency-Key: a\r\n",
    };
    char longest[400]; // a key may have 255 characters
    pid_t pid;
    int port = serve(&pid, "");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        CHECK_INT(ask(port, "POST", "/charges", fields[i], A_CHARGE), 400);
        CHECK_HAS(answer, "\"field\":\"Idempotency-Key\"");
    }
    memset(longest, '~', 255);
    longest[255] = '\0';
    CHECK_INT(charge(port, longest, A_CHARGE), 201);
    CHECK_INT(charge(port, "\"\\\"\\\\\"", A_CHARGE), 201);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    CHECK_INT(charge(port, longest, A_CHARGE), 201);
    CHECK(was_replayed());
    CHECK_INT(charge(port, "\"\\\"\\\\\"", A_CHARGE), 201);
    CHECK(was_replayed());
    strcat(longest, "~");
    CHECK_INT(charge(port, longest, A_CHARGE), 400);
    CHECK_INT(test_stop(pid), 0);
}

TEST(keys_expire)
{
    pid_t pid;
    int port = serve(&pid, "--key-ttl 0.3");
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK_INT(charge(port, "l", A_CHARGE), 201);
    sleep_ms(400);
    CHECK_INT(charge(port, "k", A_CHARGE), 201); // a new operation
    CHECK(!was_replayed());
    expect_balance(port, 3, 1500);
    CHECK_INT(figure(port, "/stats", "keys"), 1);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "--key-ttl 3600"); // the same key twice in the journal: the later one
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK(was_replayed());
    expect_balance(port, 3, 1500);
    CHECK_INT(test_stop(pid), 0);
}

// ---- GET /charges --------------------------------------------------------------------------

static void id_of_answer(char id[40])
{
    const char *at = strstr(answer, "\"id\":\"");
    snprintf(id, 40, "%.29s", at ? at + 6 : "");
}

// A page of seven begins and ends with these ids.
static void page_is(int port, const char *query, const char *first, const char *last)
{
    char target[100], expected[80];
    snprintf(target, sizeof target, "/charges?limit=7&%s", query);
    CHECK_INT(ask(port, "GET", target, "", ""), 200);
    snprintf(expected, sizeof expected, "\"data\":[{\"id\":\"%s\"", first);
    CHECK_HAS(answer, expected);
    const char *at = strstr(answer, last);
    CHECK(at && !strstr(at, "\"id\":"));
}

TEST(charges_page_by_page)
{
    char ids[25][40], target[100], expected[60];
    pid_t pid;
    int port = serve(&pid, ""), seen = 0;
    CHECK_INT(ask(port, "GET", "/charges", "", ""), 200);
    CHECK_HAS(answer, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
    for (int i = 0; i < 25; i++) {
        snprintf(target, sizeof target, "key-%d", i);
        CHECK_INT(charge(port, target, A_CHARGE), 201);
        id_of_answer(ids[i]);
        CHECK(i == 0 || strcmp(ids[i - 1], ids[i]) < 0);
    }
    snprintf(target, sizeof target, "/charges?limit=7");
    for (bool more = true; more && !test_failures;) {
        CHECK_INT(ask(port, "GET", target, "", ""), 200);
        int count = 0;
        for (const char *at = answer; (at = strstr(at, "\"id\":\"")); at++, count++)
            CHECK(!strncmp(at + 6, ids[seen + count], 29));
        seen += count;
        CHECK_INT(count, seen < 25 ? 7 : 4);
        more = strstr(answer, "\"has_more\":true");
        CHECK_INT(more, seen < 25);
        snprintf(target, sizeof target, "/charges?limit=7&after=%s", ids[seen - 1]);
        if (seen == 14) // one more, meanwhile, moves no page
            CHECK_INT(charge(port, "key-24", A_CHARGE), 201);
    }
    CHECK_INT(seen, 25);
    CHECK_INT(ask(port, "GET", target, "", ""), 200);
    CHECK_HAS(answer, "\"data\":[],\"has_more\":false");
    snprintf(target, sizeof target, "/charges/%s", ids[11]);
    CHECK_INT(ask(port, "GET", target, "", ""), 200);
    snprintf(expected, sizeof expected, "{\"id\":\"%s\"", ids[11]);
    CHECK_HAS(answer, expected);
    CHECK_INT(ask(port, "GET", "/charges/ch_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "", ""), 404);
    CHECK_INT(ask(port, "GET", "/charges/" ID, "", ""), 404);
    CHECK_INT(ask(port, "GET", "/charges?limit=0", "", ""), 400);
    CHECK_HAS(answer, "\"field\":\"limit\"");
    CHECK_INT(ask(port, "GET", "/charges?limit=101", "", ""), 400);
    CHECK_INT(ask(port, "GET", "/charges?limit=1x", "", ""), 400);
    CHECK_INT(ask(port, "GET", "/charges?after=" ID, "", ""), 400);
    CHECK_HAS(answer, "\"field\":\"after\"");
    page_is(port, "order=newest", ids[24], ids[18]);
    snprintf(target, sizeof target, "order=newest&after=%s", ids[18]);
    page_is(port, target, ids[17], ids[11]);
    page_is(port, "order=newest&offset=7", ids[17], ids[11]);
    page_is(port, "offset=7", ids[7], ids[13]);
    CHECK_INT(ask(port, "GET", "/charges?offset=4000000", "", ""), 200);
    CHECK_HAS(answer, "\"data\":[],\"has_more\":false");
    CHECK_INT(ask(port, "GET", "/charges?offset=4000001", "", ""), 400);
    CHECK_INT(ask(port, "GET", "/charges?offset=-1", "", ""), 400);
    CHECK_INT(ask(port, "GET", "/charges?order=oldest", "", ""), 400);
    CHECK_HAS(answer, "\"field\":\"order\"");
    snprintf(target, sizeof target, "/charges?offset=1&after=%s", ids[0]);
    CHECK_INT(ask(port, "GET", target, "", ""), 400);
    CHECK_HAS(answer, "\"field\":\"offset\"");
    CHECK_INT(test_stop(pid), 0);
}

// ---- what needs no key, and what has none --------------------------------------------------

TEST(accounts)
{
    static const char ada[] = "{\"owner\":\"Ada \xf0\x9f\x98\x80\",\"limit\":100}";
    pid_t pid;
    int port = serve(&pid, "");
    for (int i = 0; i < 5; i++) {
        CHECK_INT(ask(port, "PUT", "/accounts/ada", "", ada), i ? 204 : 201);
        CHECK_INT(ask(port, "GET", "/accounts/ada", "", ""), 200);
        CHECK_HAS(answer, "\"owner\":\"Ada \xf0\x9f\x98\x80\",\"limit\":100}");
    }
    CHECK_INT(ask(port, "PUT", "/accounts/bob", "", "{\"owner\":\"\\u007fBob\",\"limit\":1}"),
              400);
    CHECK_INT(ask(port, "PUT", "/accounts/bob", "", "{\"owner\":\"Bob\",\"limit\":-1}"), 400);
    CHECK_HAS(answer, "\"field\":\"limit\"");
    CHECK_INT(ask(port, "PUT", "/accounts/b%20b", "", ada), 400);
    CHECK_INT(ask(port, "PUT", "/accounts/bob", "", ada), 201);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    CHECK_INT(ask(port, "GET", "/accounts/ada", "", ""), 200);
    for (int i = 0; i < 5; i++)
        CHECK_INT(ask(port, "DELETE", "/accounts/ada", "", ""), i ? 404 : 204);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    CHECK_INT(ask(port, "GET", "/accounts/ada", "", ""), 404);
    CHECK_INT(ask(port, "GET", "/accounts/bob", "", ""), 200);
    CHECK_INT(figure(port, "/stats", "accounts"), 1);
    CHECK_INT(test_stop(pid), 0);
}

TEST(without_a_key_each_request_is_a_charge)
{
    pid_t pid;
    int port = serve(&pid, "--drop 1");
    CHECK_INT(ask(port, "POST", "/naive/charges", "", A_CHARGE), 0); // its answer is lost
    CHECK_INT(ask(port, "POST", "/naive/charges", "Idempotency-Key: k\r\n", A_CHARGE), 201);
    CHECK_INT(ask(port, "POST", "/naive/charges", "Idempotency-Key: k\r\n", A_CHARGE), 201);
    expect_balance(port, 3, 1500);
    CHECK_INT(test_stop(pid), 0);
}

TEST(with_a_key_a_lost_answer_is_given_again)
{
    pid_t pid;
    int port = serve(&pid, "--drop 1");
    CHECK_INT(charge(port, "k", A_CHARGE), 0);
    CHECK_INT(charge(port, "k", A_CHARGE), 201);
    CHECK(was_replayed());
    expect_balance(port, 1, 500);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_notes_pattern_does_it_once_when_nothing_goes_wrong)
{
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE)), 201);
    CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE)), 200);
    CHECK_HAS(answer, "{\"object\":\"skipped\"");
    expect_balance(port, 1, 500);
    CHECK_INT(charge(port, "k", A_CHARGE), 201); // its keys are of another kind
    CHECK(!was_replayed());
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "--key-ttl 0.001");
    CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE)), 201);
    CHECK_INT(test_stop(pid), 0);
}

TEST(too_many_and_none_at_all)
{
    pid_t pid;
    int port = serve(&pid, "--capacity 10"), refused = 0;
    for (int i = 0; i < 20; i++) {
        char key[10];
        snprintf(key, sizeof key, "k%d", i);
        int status = charge(port, key, A_CHARGE);
        CHECK(status == 201 || status == 503);
        if (status == 503)
            CHECK_HAS(answer, "\r\nRetry-After: 1\r\n");
        refused += status == 503;
    }
    CHECK(refused > 0);
    CHECK_INT(figure(port, "/stats", "overloaded"), refused);
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    CHECK_INT(ask(port, "PUT", "/outage", "", "{\"ms\":60000}"), 204);
    CHECK_INT(charge(port, "outage", A_CHARGE), 503);
    CHECK(!strstr(answer, "Retry-After"));
    CHECK_INT(ask(port, "GET", "/balance", "", ""), 200);
    CHECK_INT(ask(port, "PUT", "/outage", "", "{\"ms\":60000,\"retry_after\":7}"), 204);
    CHECK_INT(charge(port, "outage", A_CHARGE), 503);
    CHECK_HAS(answer, "\r\nRetry-After: 7\r\n");
    CHECK_INT(ask(port, "PUT", "/outage", "", "{\"ms\":0}"), 204);
    CHECK_INT(charge(port, "outage", A_CHARGE), 201);
    CHECK_INT(ask(port, "PUT", "/outage", "", "{\"ms\":-1}"), 400);
    CHECK_INT(ask(port, "PUT", "/outage", "", "{}"), 400);
    CHECK_INT(test_stop(pid), 0);
}

TEST(currencies_are_not_added_up)
{
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(charge(port, "a", A_CHARGE), 201);
    CHECK_INT(charge(port, "b", "{\"amount\":7,\"currency\":\"jpy\",\"source\":\"t\"}"), 201);
    expect_balance(port, 1, 500);
    CHECK_INT(figure(port, "/balance?currency=jpy", "sum"), 7);
    CHECK_INT(ask(port, "GET", "/balance?currency=xau", "", ""), 400);
    CHECK_INT(test_stop(pid), 0);
}
