// test_fetch.h: tests of fetch, against a server that says what it is told to.
#ifndef TEST_FETCH_H
#define TEST_FETCH_H

#include <errno.h>

#include "fetch.h"
#include "teller.h"

// Asks a teller once, and returns what became of it.
static enum fetch_result ask_teller(struct fetch *f, const char *method, struct teller teller)
{
    teller_begin(&teller);
    CHECK_INT(fetch_open(f, &teller.address, 0), FETCH_OK);
    enum fetch_result result = fetch_ask(f, method, "/", "", NULL);
    fetch_close(f);
    teller_end(&teller);
    return result;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

// Each at once, and byte by byte.
TEST(fetch_says_what_became_of_a_request)
{
    static const struct {
        const char *method, *says;
        enum ending ending;
        enum fetch_result result;
        const char *content;
        bool again; // may be asked
    } cases[] = {
        {"GET", OK_HEAD "Content-Length: 3\r\n\r\nabc", STAY, FETCH_OK, "abc", true},
        {"GET", OK_HEAD "Content-Length: 0\r\nConnection: close\r\n\r\n", CLOSE, FETCH_OK, "",
         false},
        {"HEAD", OK_HEAD "Content-Length: 3\r\n\r\n", STAY, FETCH_OK, "", true},
        {"GET", CHUNKED "3;x=y\r\nabc\r\n02\r\nde\r\n0\r\nX: y\r\n\r\n", STAY, FETCH_OK,
         "abcde", true},
        {"GET", OK_HEAD "\r\nto the end", CLOSE, FETCH_OK, "to the end", false},
        {"GET",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_HEAD
         "Content-Length: 1\r\n\r\na",
         STAY, FETCH_OK, "a", true},
        {"GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n", STAY, FETCH_OK, "", true},
        {"GET", "", CLOSE, FETCH_CLOSED, NULL, false},
        {"GET", "HTTP/1.1 200", CLOSE, FETCH_CUT, NULL, false},
        {"GET", OK_HEAD "Content-Length: 3\r\n\r\nab", CLOSE, FETCH_CUT, NULL, false},
        {"GET", CHUNKED "3\r\nabc\r\n", CLOSE, FETCH_CUT, NULL, false},
        {"GET", "", RESET, FETCH_RESET, NULL, false},
        {"GET", OK_HEAD "\r\nno end", RESET, FETCH_RESET, NULL, false},
        {"GET", "SSH-2.0-x\r\n\r\n", STAY, FETCH_MALFORMED, NULL, false},
        {"GET", CHUNKED "3\r\nabcde\r\n", STAY, FETCH_MALFORMED, NULL, false},
    };
    static struct fetch f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int piece = 0; piece < 2; piece++) {
            struct teller teller = {
                .says = cases[i].says, .piece_bytes = piece, .ending = cases[i].ending};
            enum fetch_result result = ask_teller(&f, cases[i].method, teller);
            if (result != cases[i].result)
                FAIL("%s: %s", cases[i].says, fetch_text[result]);
            if (result != FETCH_OK)
                continue;
            CHECK(http_is(f.content, cases[i].content));
            CHECK(!f.rest.length);
            CHECK(!f.in_answer);
            CHECK_INT((long)f.content_bytes, (long)f.content.length);
            CHECK_INT(f.head.keep_alive, cases[i].again);
        }
}

TEST(fetch_says_why)
{
    static const struct {
        const char *says;
        enum ending ending;
        const char *why;
    } cases[] = {
        {"", CLOSE, "closed before the answer"},
        {"", RESET, "the connection is broken: Connection reset by peer"},
        {"HTTP/1.1 200", CLOSE, "cut after 12 bytes of a head"},
        {OK_HEAD "Content-Length: 100\r\n\r\nabcd", CLOSE,
         "cut after 4 of 100 bytes of content"},
        {OK_HEAD "Content-Length: 100\r\n\r\nabcd", RESET,
         "the connection is broken after 4 of 100 bytes of content: Connection reset by peer"},
        {CHUNKED "3\r\nabc\r\n", CLOSE, "cut after 3 bytes of content, and no last chunk"},
        {"SSH-2.0-x\r\n\r\n", STAY, "malformed: the first line does not name HTTP/1.1"},
        {CHUNKED "3\r\nabcde\r\n", STAY,
         "malformed after 3 bytes of content, and no last chunk: a chunk does not end with "
         "CRLF where its size says"},
        {OK_HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", STAY,
         "malformed: two Content-Length fields"},
        {OK_HEAD "Transfer-Encoding: gzip\r\n\r\n", STAY,
         "malformed: a transfer coding that is not known here"},
        {OK_HEAD "X: " // 8192 and 8192 bytes
                 "%s%s",
         STAY, "malformed: all fields together have at most 16384 bytes"},
    };
    static char long_text[FETCH_BYTES];
    static struct fetch f;
    char why[FETCH_WHY_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct teller teller = {.says = cases[i].says, .ending = cases[i].ending};
        if (strstr(cases[i].says, "%s")) {
            size_t head = strcspn(cases[i].says, "%");
            memcpy(long_text, cases[i].says, head);
            memset(long_text + head, 'x', 20000);
            teller.says = long_text;
        }
        enum fetch_result result = ask_teller(&f, "GET", teller);
        if (strcmp(fetch_why(&f, result, why), cases[i].why))
            FAIL("expected \"%s\", got \"%s\"", cases[i].why, why);
    }
}

// A server that says 103 for ever, or nothing but 100s.
TEST(fetch_does_not_wait_behind_interim_answers_for_ever)
{
    static const char interim[] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    static char says[200 * sizeof interim];
    static struct fetch f;
    char why[FETCH_WHY_BYTES];
    for (int i = 0; i < 200; i++)
        strcat(says, interim);
    enum fetch_result result =
        ask_teller(&f, "GET", (struct teller){.says = says, .ending = STAY});
    CHECK_INT(result, FETCH_MALFORMED);
    CHECK_HAS(fetch_why(&f, result, why), "too many answers 1xx");
}

// Answers that were asked for together are given one after the other, however they come.
TEST(fetch_takes_answers_one_by_one)
{
    static const char says[] = CHUNKED "2\r\nab\r\n0\r\n\r\n" OK_HEAD "ETag: x\r\n"
                                       "Content-Length: 2\r\n\r\ncd" OK_HEAD "\r\ne";
    static const char *const contents[] = {"ab", "cd", "e"};
    static struct fetch f;
    for (int most = 0; most < 50; most++) {
        struct teller teller = {.says = says};
        teller_begin(&teller);
        CHECK_INT(fetch_open(&f, &teller.address, 0), FETCH_OK);
        f.read_max = (size_t)most;
        CHECK_INT(fetch_send(&f, "GET / HTTP/1.1\r\n" FETCH_HOST "\r\n"), FETCH_OK);
        size_t sum = 0;
        for (int i = 0; i < 3; i++) {
            CHECK_INT(fetch_answer(&f), FETCH_OK);
            CHECK(http_is(f.content, contents[i]));
            CHECK_INT(http_is(http_field(&f.head, "etag"), "x"), i == 1);
            CHECK(!strncmp(f.bytes, OK_HEAD, sizeof OK_HEAD - 1));
            sum += f.wire_bytes;
        }
        CHECK_INT(sum, sizeof says - 1);
        CHECK_INT(f.down, sum);
        CHECK_INT(fetch_answer(&f), FETCH_CLOSED);
        fetch_close(&f);
        teller_end(&teller);
    }
}

static size_t piece_bytes;

static void count_piece(struct fetch *f, struct http_text part)
{
    CHECK(part.at >= f->bytes);
    CHECK(part.at + part.length <= f->bytes + sizeof f->bytes);
    piece_bytes += part.length;
}

// Content that there is no room for: a failure, or for the caller, piece by piece.
TEST(fetch_has_a_limit)
{
    static char says[3 * FETCH_BYTES], long_text[FETCH_BYTES];
    static struct fetch f;
    int head = sprintf(says, OK_HEAD "Content-Length: %d\r\n\r\n", 2 * FETCH_BYTES);
    memset(says + head, 'x', 2 * FETCH_BYTES);
    memset(long_text, 'x', sizeof long_text - 1);
    for (int pieces = 0; pieces < 2; pieces++) {
        struct teller teller = {.says = says};
        teller_begin(&teller);
        CHECK_INT(fetch_open(&f, &teller.address, 0), FETCH_OK);
        f.piece = NULL;
        if (pieces)
            f.piece = count_piece;
        CHECK_INT(fetch_send(&f, "%s%s", long_text, long_text), FETCH_TOO_LONG);
        CHECK_INT(fetch_ask(&f, "GET", "/", "", NULL), pieces ? FETCH_OK : FETCH_TOO_LONG);
        fetch_close(&f);
        teller_end(&teller);
    }
    CHECK_INT(piece_bytes, 2 * FETCH_BYTES);
    CHECK_INT(f.content_bytes, piece_bytes);
}

// Behind the head the bytes are the caller's.
TEST(fetch_lets_the_caller_read_on)
{
    static struct fetch f;
    struct teller teller = {.says = OK_HEAD "\r\none two three four", .piece_bytes = 7};
    char stream[50] = "";
    enum fetch_result result = FETCH_OK;
    teller_begin(&teller);
    CHECK_INT(fetch_open(&f, &teller.address, 0), FETCH_OK);
    f.head_only = true;
    CHECK_INT(fetch_ask(&f, "HEAD", "/", "", NULL), FETCH_OK);
    for (; result == FETCH_OK; result = fetch_read(&f)) {
        strncat(stream, f.rest.at, f.rest.length);
        fetch_use(&f, f.rest.length);
    }
    CHECK_INT(result, FETCH_CLOSED);
    CHECK(!strcmp(stream, "one two three four"));
    fetch_close(&f);
    teller_end(&teller);
}

static void expect_timeout(enum fetch_result result, int64_t deadline_ns)
{
    CHECK_INT(result, FETCH_TIMEOUT);
    CHECK_BETWEEN(now_ns(), deadline_ns, deadline_ns + INT64_C(5000000000) - 1);
}

// A server that says nothing, and one that says a little now and then.
TEST(fetch_keeps_its_deadline)
{
    static const char *const says[] = {"", OK_HEAD "X-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    static struct fetch f;
    for (int i = 0; i < 2; i++) {
        struct teller teller = {says[i], .piece_bytes = 1, .pause_ms = 20, .ending = STAY};
        teller_begin(&teller);
        int64_t deadline_ns = now_ns() + 200 * INT64_C(1000000);
        CHECK_INT(fetch_open(&f, &teller.address, deadline_ns), FETCH_OK);
        expect_timeout(fetch_ask(&f, "GET", "/", "", NULL), deadline_ns);
        CHECK_INT(fetch_read(&f), FETCH_TIMEOUT); // it is too late for anything
        fetch_close(&f);
        teller_end(&teller);
    }
}

// The server reads nothing; and a listener with a full queue does not accept the connection.
TEST(fetch_keeps_its_deadline_while_it_sends)
{
    static char much[1 << 20];
    static struct fetch f;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    enum fetch_result result = FETCH_OK;
    int listener = net_listen("127.0.0.1", 0, 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    int64_t deadline_ns = now_ns() + 300 * INT64_C(1000000);
    CHECK_INT(fetch_open(&f, &address, deadline_ns), FETCH_OK);
    for (int i = 0; i < 100 && result == FETCH_OK; i++)
        result = fetch_send_bytes(&f, much, sizeof much);
    expect_timeout(result, deadline_ns);
    fetch_close(&f);
    deadline_ns = now_ns() + 300 * INT64_C(1000000);
    for (int i = 0; i < 10 && result != FETCH_REFUSED; i++)
        result = fetch_open(&f, &address, deadline_ns); // never closed: it stays in the queue
    CHECK_INT(errno, ETIMEDOUT);
    expect_timeout(result == FETCH_REFUSED ? FETCH_TIMEOUT : result, deadline_ns);
    close(listener);
}

TEST(fetch_says_that_there_is_no_connection)
{
    static struct fetch f;
    struct teller teller = {.says = ""};
    teller_begin(&teller);
    CHECK_INT(fetch_open(&f, &teller.address, 1), FETCH_REFUSED); // a deadline long ago
    CHECK_INT(errno, ETIMEDOUT);
    CHECK_INT(f.fd, -1);
    CHECK_INT(fetch_open(&f, &teller.address, 0), FETCH_OK);
    fetch_close(&f);
    teller_end(&teller);
    CHECK_INT(fetch_open(&f, &teller.address, 0),
              FETCH_REFUSED); // no program listens on the port now
    CHECK_INT(errno, ECONNREFUSED);
    CHECK_INT(fetch_send(&f, "x"), FETCH_RESET);
    CHECK_INT(fetch_read(&f), FETCH_RESET);
    fetch_close(&f);
}

static void *ask_often(void *address)
{
    static __thread struct fetch f;
    long whole = 0;
    for (int i = 0; i < 50; i++) {
        if (fetch_open(&f, address, 0) == FETCH_OK)
            whole += fetch_ask(&f, "GET", "/", "", NULL) == FETCH_CLOSED;
        fetch_close(&f);
    }
    return (void *)whole;
}

// Connections of several threads share nothing: the thread sanitizer watches.
TEST(fetch_in_threads)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    pthread_t threads[4];
    void *whole;
    int listener = net_listen("127.0.0.1", 0, 50);
    getsockname(listener, (struct sockaddr *)&address, &length);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, ask_often, &address);
    for (int i = 0; i < 200; i++) {
        char request[100];
        int fd = accept(listener, NULL, NULL);
        CHECK(read(fd, request, sizeof request) > 0);
        close(fd);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &whole);
        CHECK_INT((long)whole, 50);
    }
    close(listener);
}

#endif
