// sticky.c: scene sticky: whether a client comes to the same worker again.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define WORKERS      4
#define CLIENTS      50
#define FIRST_PORT   15000 // below those that the kernel gives to clients
#define PORTS        12000 // the first port is one of so many
#define OTHER_SERVER (WORKERS + 1)
#define HERE         INADDR_LOOPBACK       // an address of the clients
#define ELSEWHERE    (INADDR_LOOPBACK + 1) // another one: 127.0.0.2

static const struct claim hash_claim = {
    "7.11", "guide §8.2", "a hash of the two addresses and ports decides", HOLDS, NULL};

// Sends a request from this address and port. Returns the number of the worker that answers, if
// it is one of `own`; OTHER_SERVER: another worker answers; 0: there is no answer, or the port
// is not free.
static int ask_from(uint32_t address, int from_port, const struct peer *peer,
                    const struct seen *own)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr = {htonl(address)},
                               .sin_port = htons((in_port_t)from_port)};
    struct sockaddr_storage to;
    socklen_t length = net_address(peer->host, peer->port, SOCK_STREAM, &to);
    int fd = socket_to_connect(peer), on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        die("cannot set SO_REUSEADDR: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        connect(fd, (struct sockaddr *)&to, length) || !send_request(fd, GET_ROOT)) {
        close(fd);
        return 0;
    }
    struct answer answer = read_answer(fd);
    if (!answer.worker)
        return 0;
    if (own[answer.worker - 1].pid != answer.pid)
        return OTHER_SERVER;
    return answer.worker;
}

// All clients ask, from one address, each from a port of its own. Writes to worker[] the worker
// that answers each.
static void ask_all(const struct peer *peer, const struct seen *own, uint32_t address,
                    int first_port, int worker[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++)
        worker[i] = ask_from(address, first_port + i, peer, own);
}

// Shows one line: the worker that has answered each client. Returns how many clients got
// another worker than in before[]. Sets *compared to the number of clients that have both
// answers.
static int show(const char *label, const int worker[CLIENTS], const int before[CLIENTS],
                int *compared)
{
    char line[CLIENTS + 1] = "";
    int moved = 0;
    *compared = 0;
    for (int i = 0; i < CLIENTS; i++) {
        bool both = worker[i] && before[i];
        *compared += both;
        moved += both && worker[i] != before[i];
        line[i] = (char)('0' + worker[i]);
        if (!worker[i])
            line[i] = '?';
        else if (both && worker[i] == before[i] && worker != before)
            line[i] = '.';
    }
    story_say("%-22s %s", label, line);
    return moved;
}

void scene_sticky(void)
{
    int first[CLIENTS], again[CLIENTS], elsewhere[CLIENTS], joined[CLIENTS], after[CLIENTS];
    int compared, compared_elsewhere, compared_joined, compared_after;
    struct seen own[WORKERS_MAX];
    char options[80];
    struct peer peer = peer_begin("--workers 4 --mode sharded"), guest;
    int first_port = FIRST_PORT + getpid() % PORTS;
    read_stats(&peer, own);
    ask_all(&peer, own, HERE, first_port, first);
    ask_all(&peer, own, HERE, first_port, again);
    ask_all(&peer, own, ELSEWHERE, first_port, elsewhere);
    snprintf(options, sizeof options, "--workers 1 --mode sharded --join --port %d", peer.port);
    guest = peer_begin(options);
    ask_all(&peer, own, HERE, first_port, joined);
    peer_end(&guest);
    ask_all(&peer, own, HERE, first_port, after);
    peer_end(&peer);

    story_say("%d clients, each with a port of its own. A number: the worker that answers the "
              "client. A dot: the same worker as at first.\n",
              CLIENTS);
    show("four workers", first, first, &compared);
    int moved_again = show("the same ports again", again, first, &compared);
    int moved_elsewhere = show("from another address", elsewhere, first, &compared_elsewhere);
    int moved = show("a fifth worker joins", joined, first, &compared_joined);
    int moved_after = show("it leaves", after, first, &compared_after);
    bool known = compared > CLIENTS / 2 && compared_elsewhere > CLIENTS / 2 &&
                 compared_joined > CLIENTS / 2 && compared_after > CLIENTS / 2;
    bool same = moved_again == 0 && moved_after == 0;
    claim_report(&hash_claim, holds_if(known && same && moved_elsewhere > 0 && moved > 0),
                 "the same address and port come to the same worker, %d of %d; from another "
                 "address %d of "
                 "%d come to another one, and when a fifth joins, %d of %d",
                 compared - moved_again, compared, moved_elsewhere, compared_elsewhere, moved,
                 compared_joined);
}
