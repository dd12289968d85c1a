// spread.c: how evenly connections are spread over the workers, and whether a client comes to
// the same one again.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define WORKERS     4
#define LEAST_SHARE 20.0 // percent of the connections, of 25: what we call even
#define MOST_SHARE  30.0
#define CLIENTS     64    // of scene sticky
#define FIRST_PORT  15000 // below those that the kernel gives to clients
#define PORTS       12000 // among which they begin
#define STRANGER    (WORKERS + 1)

// ---- spread --------------------------------------------------------------------------------

static int connections;

void spread_over(int count)
{
    connections = count;
}

static const struct claim even_claim = {
    "7.2", "guide §8.2", "the kernel spreads connections evenly over the shards", HOLDS, NULL};

// One connection after the other. The least and the greatest share, in percent, and how many
// connections were not answered.
static int spread(const char *title, const char *options, double *least, double *most)
{
    struct seen seen[WORKERS_MAX];
    struct peer peer = peer_begin(options);
    int unanswered = 0;
    for (int i = 0; i < connections; i++)
        unanswered += ask(&peer).worker == 0;
    read_figures(&peer, seen);
    peer_end(&peer);
    *least = 100;
    *most = 0;
    story_say("");
    story_say("%s   (%s)", title, options);
    for (int i = 0; i < WORKERS; i++) {
        char label[40];
        double share = 100.0 * (double)seen[i].answered / connections;
        snprintf(label, sizeof label, "  worker %d", i + 1);
        story_bar(label, share, 100, "%.1f %%", share);
        *least = share < *least ? share : *least;
        *most = share > *most ? share : *most;
    }
    return unanswered;
}

void scene_spread(void)
{
    double least, most, unused[2];
    story_say("%d connections, one after the other, each way:", connections);
    int lost =
        spread("a queue for each", "--workers 4 --mode sharded --wait epoll", &least, &most);
    spread("a queue for all, and all sleep in accept()",
           "--workers 4 --mode shared --wait accept", &unused[0], &unused[1]);
    spread("a queue for all, watched with epoll", "--workers 4 --mode shared --wait epoll",
           &unused[0], &unused[1]);
    spread("a queue for all, watched with EPOLLEXCLUSIVE",
           "--workers 4 --mode shared --wait epoll-exclusive", &unused[0], &unused[1]);
    claim_report(
        &even_claim, lost == 0 && least > LEAST_SHARE && most < MOST_SHARE ? HOLDS : UNCLEAR,
        "the smallest share is %.1f %%, the largest %.1f %%: of connections, not of work",
        least, most);
}

// ---- sticky --------------------------------------------------------------------------------

static const struct claim hash_claim = {
    "7.11", "guide §8.2", "a hash of the two addresses and ports decides", HOLDS, NULL};

// Asks from this port. Returns who answers: 0 nobody, or the port is not free; the workers of
// `own` by their numbers; STRANGER anybody else.
static int ask_from(int from_port, const struct peer *peer, const struct seen *own)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)},
                               .sin_port = htons((in_port_t)from_port)};
    struct sockaddr_storage to;
    socklen_t length = net_address(peer->host, peer->port, SOCK_STREAM, &to);
    int fd = socket_to_connect(peer), on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        die("cannot set SO_REUSEADDR: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        connect(fd, (struct sockaddr *)&to, length) || !say_on(fd, GET_ROOT)) {
        close(fd);
        return 0;
    }
    struct answer answer = hear_on(fd);
    if (!answer.worker)
        return 0;
    return own[answer.worker - 1].pid == answer.pid ? answer.worker : STRANGER;
}

// All clients ask, each from a port of its own.
static void ask_all(const struct peer *peer, const struct seen *own, int first_port,
                    int who[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++)
        who[i] = ask_from(first_port + i, peer, own);
}

// One line: who has answered each client. Returns how many are answered by somebody else than
// `before`; counts in *compared those who have both answers.
static int show(const char *label, const int who[CLIENTS], const int before[CLIENTS],
                int *compared)
{
    char line[CLIENTS + 1] = "";
    int moved = 0;
    *compared = 0;
    for (int i = 0; i < CLIENTS; i++) {
        bool both = who[i] && before[i];
        *compared += both;
        moved += both && who[i] != before[i];
        line[i] = (char)(!who[i]                                        ? '?'
                         : both && who[i] == before[i] && who != before ? '.'
                                                                        : '0' + who[i]);
    }
    story_say("%-26s %s", label, line);
    return moved;
}

void scene_sticky(void)
{
    int first[CLIENTS], again[CLIENTS], joined[CLIENTS], after[CLIENTS];
    int compared, compared_joined, compared_after;
    struct seen own[WORKERS_MAX];
    char options[80];
    struct peer peer = peer_begin("--workers 4 --mode sharded"), guest;
    int first_port = FIRST_PORT + getpid() % PORTS;
    read_figures(&peer, own);
    ask_all(&peer, own, first_port, first);
    ask_all(&peer, own, first_port, again);
    snprintf(options, sizeof options, "--workers 1 --mode sharded --join --port %d", peer.port);
    guest = peer_begin(options);
    ask_all(&peer, own, first_port, joined);
    peer_end(&guest);
    ask_all(&peer, own, first_port, after);
    peer_end(&peer);

    story_say("%d clients, each with a port of its own, and the worker that answers it; a dot: "
              "as at first.\n",
              CLIENTS);
    show("four workers", first, first, &compared);
    int moved_again = show("the same ports again", again, first, &compared);
    int moved = show("a fifth worker joins", joined, first, &compared_joined);
    int moved_after = show("it leaves", after, first, &compared_after);
    bool known =
        compared > CLIENTS / 2 && compared_joined > CLIENTS / 2 && compared_after > CLIENTS / 2;
    claim_report(
        &hash_claim,
        known && moved_again == 0 && moved > 0 && moved_after == 0 ? HOLDS : UNCLEAR,
        "the same port comes to the same worker, %d of %d; but when a fifth joins, %d of "
        "%d change theirs",
        compared - moved_again, compared, moved, compared_joined);
}
