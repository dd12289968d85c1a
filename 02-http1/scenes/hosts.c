// hosts.c: scene hosts: several sites on one address; the Host field says which one is meant.
#include "ask.h"
#include "claim.h"
#include "scenes.h"
#include "story.h"

static const struct claim mandatory = {"2.3", "guide §3.1", "the Host header is mandatory",
                                       HOLDS, NULL};

static const struct {
    const char *name, *request;
    const char *content; // of the answer that is expected; NULL: any
    int status;          // of that answer
} cases[] = {
    {"Host: cats.example", "GET / HTTP/1.1\r\nHost: cats.example\r\n\r\n", "meow\n", 200},
    {"Host: dogs.example", "GET / HTTP/1.1\r\nHost: dogs.example\r\n\r\n", "woof\n", 200},
    {"Host: CATS.example:8002", "GET / HTTP/1.1\r\nHost: CATS.example:8002\r\n\r\n", "meow\n",
     200},
    {"none, HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", NULL, 400},
    {"none, HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "hello, world\n", 200},
    {"two", "GET / HTTP/1.1\r\nHost: cats.example\r\nHost: dogs.example\r\n\r\n", NULL, 400},
    {"cats, but dogs in the target",
     "GET http://dogs.example/ HTTP/1.1\r\nHost: cats.example\r\n\r\n", "woof\n", 200}};

#define CASES (sizeof cases / sizeof *cases)

void scene_hosts(void)
{
    size_t right = 0;
    story_say("Two sites on one address and port. Only the Host field tells them apart.");
    story_head("Host|status|answer");
    for (size_t i = 0; i < CASES; i++) {
        struct fetch f;
        int shown = 0; // of the answer: its first line, if it is no error
        ask_open(&f);
        ask(&f, cases[i].request);
        fetch_close(&f);
        if (f.head.status == cases[i].status &&
            (!cases[i].content || http_is(f.content, cases[i].content)))
            right++;
        if (f.head.status == 200)
            shown = ask_first_line(&f);
        story_row("%s|%d|%.*s", cases[i].name, f.head.status, shown, f.content.at);
    }
    if (right == CASES)
        claim_report(&mandatory, HOLDS,
                     "%zu of %zu as expected: 400 without it and with two, in HTTP/1.1", right,
                     CASES);
    else
        claim_report(&mandatory, UNCLEAR, "%zu of %zu as expected", right, CASES);
}
