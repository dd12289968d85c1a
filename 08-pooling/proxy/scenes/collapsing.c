// collapsing.c: scene cache: many clients ask for the same at once, while the origin takes 300
// ms for an answer.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "host.h"
#include "measure.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

#define CLIENTS 1000
#define TARGET  "/home?cc=max-age=60&ms=300"

static const struct claim one_fetch = {
    "8.28", "guide §9.3",
    "if 1000 users request the same homepage, the proxy fetches it once and serves it from "
    "cache to the other 999",
    HOLDS, NULL};

static int fds[CLIENTS];

// Reads an answer to its end. True if it is a 200.
static bool read_answer(int fd)
{
    char bytes[1000];
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length < sizeof bytes; length += (size_t)got) {
        got = read(fd, bytes + length, sizeof bytes - length);
        if (got < 0)
            return false;
    }
    return length > 12 && !memcmp(bytes, "HTTP/1.1 200", 12);
}

// All clients ask at once. Returns how many requests have come to the origin.
static long ask_at_once(const char *const options[], const char *target, int *answered)
{
    struct world world;
    char request[200];
    struct sockaddr_storage address;
    world_begin(&world, options);
    net_address(PROXY_ADDRESS, world.proxy_port, SOCK_STREAM, &address);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
    *answered = 0;
    for (int i = 0; i < CLIENTS; i++)
        if ((fds[i] = fetch_connect(&address, 0)) < 0)
            die("client %d cannot connect: %s", i, strerror(errno));
    for (int i = 0; i < CLIENTS; i++)
        write_all(fds[i], request, (size_t)length);
    for (int i = 0; i < CLIENTS; i++)
        *answered += read_answer(fds[i]);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    long requests = world_count(&world);
    world_end(&world);
    return requests;
}

void scene_cache(void)
{
    static const char *const collapsing[] = {"reverse", NULL};
    static const char *const each[] = {"reverse", "--no-collapse", NULL};
    int answered[3];
    if (!host_files(CLIENTS + 50)) {
        claim_report(&one_fetch, SKIPPED, "ulimit -Hn allows too few descriptors");
        return;
    }
    story_say("%d clients ask for the same at once; the origin needs 300 ms for an answer.",
              CLIENTS);
    long one = ask_at_once(collapsing, TARGET, &answered[0]);
    long many = ask_at_once(each, TARGET, &answered[1]);
    long private = ask_at_once(collapsing, "/home?cc=private&ms=300", &answered[2]);
    story_head("|answered|at the origin");
    story_row("misses are collapsed|%d|%ld", answered[0], one);
    story_row("they are not|%d|%ld", answered[1], many);
    story_row("the answer may not be stored|%d|%ld", answered[2], private);
    printf("\n");
    story_say("Without collapsing, a store does not help the clients that come before the "
              "first answer is in it: each of them is a miss.");
    bool all = answered[0] == CLIENTS && answered[1] == CLIENTS && answered[2] == CLIENTS;
    claim_report(&one_fetch,
                 holds_if(all && one == 1 && many > CLIENTS / 2 && private == CLIENTS),
                 "%ld fetch, if concurrent misses are collapsed; else %ld", one, many);
}
