// smuggle.c: scene smuggle: the same bytes, read by two careless readers and by our server.
//
// A smuggler sends bytes that a proxy reads as one request, and the server behind the proxy as
// two. The proxy has never checked the second request (RFC 9112 §11.2).
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "naive.h"
#include "scenes.h"
#include "story.h"
#include "text.h"

#define HEAD(fields) "POST / HTTP/1.1\r\nHost: workbench\r\n" fields "\r\n"
#define SMUGGLED     "GET /secret HTTP/1.1\r\nHost: workbench\r\n\r\n" // 41 bytes, 0x29

static const struct attack {
    const char *name, *text;
} attacks[] = {
    {"both; the chunks end first",
     HEAD("Content-Length: 46\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n" SMUGGLED},
    {"both; the length ends first",
     HEAD("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") "29\r\n" SMUGGLED
                                                                 "\r\n0\r\n\r\n"},
    {"chunked, gzip: not the last",
     HEAD("Content-Length: 46\r\nTransfer-Encoding: chunked, gzip\r\n") "0\r\n\r\n" SMUGGLED},
    {"xchunked: no such coding",
     HEAD("Content-Length: 46\r\nTransfer-Encoding: xchunked\r\n") "0\r\n\r\n" SMUGGLED},
    {"a chunk of size 0x0",
     HEAD("Content-Length: 48\r\nTransfer-Encoding: chunked\r\n") "0x0\r\n\r\n" SMUGGLED},
    {"both, in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 46\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n0\r\n\r\n" SMUGGLED}};

#define ATTACKS (sizeof attacks / sizeof *attacks)

// Prints the text line by line; before each line, the number of the request that it belongs to
// for this reader. Lines of a second request, which is the smuggled one, are red.
static void show_bytes(const char *text, enum naive_rule rule, const char *reader)
{
    size_t starts[NAIVE_REQUESTS];
    int count = naive_read(text, rule, starts), next = 0;
    size_t at = 0;
    story_say("%s%s%s", paint(BOLD), reader, paint(PLAIN));
    while (text[at]) {
        size_t length = strcspn(text + at, "\r");
        if (next < count && starts[next] == at)
            next++;
        if (next > 1)
            fputs(paint(RED), stdout);
        printf("    %d  %.*s%s%s\\r\\n%s\n", next, (int)length, text + at, paint(PLAIN),
               paint(DIM), paint(PLAIN));
        at += length + 2;
    }
}

// Sends the bytes to our server. True if it answers 400, once, and closes the connection.
static bool is_refused(const char *text, int *status)
{
    struct fetch f;
    ask_open(&f);
    fetch_or_die(&f, fetch_send(&f, "%s", text));
    *status = 0;
    if (fetch_answer(&f) == FETCH_OK)
        *status = f.head.status;
    bool ended = *status && !f.head.keep_alive && ask_ends(&f);
    fetch_close(&f);
    return *status == 400 && ended;
}

static const struct claim differ = {
    "2.5", "guide §3.1", "smuggling: Content-Length against Transfer-Encoding", HOLDS, NULL};

void scene_smuggle(void)
{
    static const char *const plural[] = {"s", ""};
    size_t different = 0, refused = 0;
    story_say("The same bytes for two careless readers. How many requests are there?");
    story_say("");
    show_bytes(attacks[0].text, BY_LENGTH, "believes Content-Length, and knows no chunks:");
    story_say("");
    show_bytes(attacks[0].text, BY_CHUNKS, "believes Transfer-Encoding:");
    story_head("what the head says|by length|by chunks|ours");
    for (const struct attack *a = attacks; a < attacks + ATTACKS; a++) {
        size_t starts[NAIVE_REQUESTS];
        int status, by_length = naive_read(a->text, BY_LENGTH, starts);
        int by_chunks = naive_read(a->text, BY_CHUNKS, starts);
        if (by_length != by_chunks)
            different++;
        if (is_refused(a->text, &status))
            refused++;
        story_row("%s|%d request%s|%d request%s|%d", a->name, by_length, plural[by_length == 1],
                  by_chunks, plural[by_chunks == 1], status);
    }
    claim_report(&differ, holds_if(different == ATTACKS && refused == ATTACKS),
                 "%zu of %zu texts read differently; ours answers 400 and closes: %zu",
                 different, ATTACKS, refused);
}
