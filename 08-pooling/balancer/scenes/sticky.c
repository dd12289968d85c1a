// sticky.c: the same client reaches the same backend: by its address, or by a cookie.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "lab.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CLIENTS  60
#define BACKENDS 3

static struct fetch f;

// One request from the address 127.0.CLIENT.2, with this cookie. Returns the backend.
static int ask_from(int port, int client, const char *cookie)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)client * 256)},
                       server = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memset(&f, 0, sizeof f);
    f.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f.fd < 0 || bind(f.fd, (struct sockaddr *)&own, sizeof own) ||
        connect(f.fd, (struct sockaddr *)&server, sizeof server))
        die("cannot connect from client %d's address", client);
    fetch_or_die(&f, fetch_ask(&f, "GET", "/", cookie, NULL));
    int who = lab_who(&f);
    fetch_close(&f);
    return who;
}

// The cookie of the answer that has just come, as a field.
static void take_cookie(char field[100])
{
    struct http_text cookie = http_field(&f.head, "set-cookie");
    const char *end = cookie.at ? memchr(cookie.at, ';', cookie.length) : NULL;
    if (end)
        snprintf(field, 100, "Cookie: %.*s\r\n", (int)(end - cookie.at), cookie.at);
}

struct result {
    int clients[BACKENDS]; // that begin at this backend
    int moved;             // that do not stay at theirs
};

static void show(const char *how, const struct result *r)
{
    story_row("%s|%d|%d|%d|%d", how, r->clients[0], r->clients[1], r->clients[2], r->moved);
}

// Each client asks twice, the second time from `step` addresses further.
static struct result by_address(const struct lab *lab, bool one_nat, int step)
{
    struct result r = {.moved = 0};
    for (int i = 0; i < CLIENTS; i++) {
        int from = one_nat ? 0 : i;
        int first = ask_from(lab->port, from, "");
        r.clients[first]++;
        r.moved += ask_from(lab->port, from + step, "") != first;
    }
    return r;
}

static char cookies[CLIENTS][100];
static int homes[CLIENTS];

// All clients come from one address, and each keeps its cookie. `other_port`: of the balancer
// that they ask the second time.
static struct result by_cookie(const struct lab *lab, int other_port)
{
    struct result r = {.moved = 0};
    for (int i = 0; i < CLIENTS; i++) {
        homes[i] = ask_from(lab->port, 0, "");
        take_cookie(cookies[i]);
        r.clients[homes[i]]++;
        r.moved += ask_from(other_port, 0, cookies[i]) != homes[i];
    }
    return r;
}

// After a backend has died: who has another one now?
static struct result come_back(const struct lab *lab)
{
    struct result r = {.moved = 0};
    for (int i = 0; i < CLIENTS; i++) {
        int who = ask_from(lab->port, 0, cookies[i]);
        r.clients[who]++;
        r.moved += who != homes[i];
    }
    return r;
}

static const struct claim address = {
    "8.19", "load balancing",
    "IP hash: the same server for an address; users behind a NAT share one", HOLDS, NULL};
static const struct claim roaming = {"8.40", "load balancing",
                                     "IP hash: not for mobile clients that switch networks",
                                     HOLDS, NULL};
static const struct claim cookie = {"8.23", "load balancing",
                                    "sticky sessions: by a cookie a client stays at its server",
                                    HOLDS, NULL};
static const struct claim shared = {
    "8.38", "load balancing",
    "several stateful balancers must share which client belongs to which session", NOT_HERE,
    "not if the cookie itself says which server it is: each balancer reads it, none remembers "
    "anything. What must be shared is the session's data, between the servers"};

void scene_sticky(void)
{
    struct lab lab = {.count = 0}, other;
    for (int i = 0; i < BACKENDS; i++)
        lab_backend(&lab, "");
    lab_balancer(&lab, "--check-ms 0 --eject-after 1 --sticky", NULL);
    other = lab;
    lab_balancer(&other, "--check-ms 0 --eject-after 1 --sticky", NULL);
    story_say("%d clients ask, and ask again. How many begin at a, b and c, and how many have "
              "another backend the second time?",
              CLIENTS);
    struct result by_turns = by_address(&lab, false, 0);
    lab_change(&lab, "algorithm=address-hash");
    struct result hashed = by_address(&lab, false, 0);
    struct result nat = by_address(&lab, true, 0);
    struct result roam = by_address(&lab, false, 100);
    lab_change(&lab, "algorithm=round-robin");
    struct result with_cookie = by_cookie(&lab, lab.port);
    struct result two = by_cookie(&lab, other.port);
    lab_kill(&lab, 1);
    struct result died = come_back(&lab);
    spawn_stop(other.balancer);
    lab_end(&lab);
    story_head("clients|a|b|c|moved");
    show("round-robin, no cookie", &by_turns);
    show("address-hash, an address each", &hashed);
    show("address-hash, all behind one NAT", &nat);
    show("address-hash, they change networks", &roam);
    show("cookie, all behind one NAT", &with_cookie);
    show("cookie, two balancers in turn", &two);
    show("cookie, and b has died", &died);
    bool one_server =
        nat.clients[0] == CLIENTS || nat.clients[1] == CLIENTS || nat.clients[2] == CLIENTS;
    claim_report(&address, holds_if(hashed.moved == 0 && one_server && by_turns.moved > 0),
                 "%d of %d move; behind one NAT: %d, %d, %d", hashed.moved, CLIENTS,
                 nat.clients[0], nat.clients[1], nat.clients[2]);
    claim_report(&roaming, holds_if(roam.moved * 3 > CLIENTS),
                 "%d of %d have another server after they have changed their address",
                 roam.moved, CLIENTS);
    claim_report(
        &cookie,
        holds_if(with_cookie.moved == 0 && with_cookie.clients[0] == CLIENTS / 3 &&
                 died.moved == two.clients[1] && died.clients[1] == 0),
        "%d of %d move, from one address; when b dies the %d clients of b do, and their "
        "sessions are lost with it",
        with_cookie.moved, CLIENTS, died.moved);
    claim_report(&shared, two.moved == 0 ? NOT_HERE : UNCLEAR,
                 "%d of %d move, though the other balancer has never seen them", two.moved,
                 CLIENTS);
}
