// cast.c: see cast.h.
#include "cast.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "discover.h"
#include "lend.h"
#include "measure.h"
#include "net.h"
#include "sockets.h"

#define COUPLES_MAX 32
#define TRIPS_MAX   64
#define WAIT_MS     200 // until a question to the server is repeated
#define TRIES       5
#define WINDOW      10 // datagrams that couple_send() sends at once

static struct sockaddr_storage server;
static const char *server_host;
static char server_port[8];

void cast_begin(const char *host, int port)
{
    server_host = host;
    snprintf(server_port, sizeof server_port, "%d", port);
    net_address(host, port, SOCK_DGRAM, &server);
}

static void check_server(void)
{
    int fd = open_socket_towards(&server);
    struct discovery found = discover_mapped(fd, &server, WAIT_MS, TRIES);
    close(fd);
    if (!found.answered)
        die("no answer from %s:%s (is the server running?)", server_host, server_port);
}

const struct sockaddr_storage *cast_server(void)
{
    static bool is_checked;
    if (!is_checked)
        check_server();
    is_checked = true;
    return &server;
}

const char *cast_host(void)
{
    return server_host;
}

const char *cast_port(void)
{
    return server_port;
}

struct sockaddr_storage cast_mapped(int fd)
{
    struct discovery found = discover_mapped(fd, &server, WAIT_MS, TRIES);
    if (!found.answered)
        die("the server does not answer");
    return found.mapped;
}

// ---- couples -------------------------------------------------------------------------------

// What ice_run() works on.
static struct ice_agent *all[2 * COUPLES_MAX];
static int all_count;

static void take_couples(struct couple *const couples[], int count)
{
    all_count = 0;
    if (count > COUPLES_MAX)
        die("at most %d couples at once", COUPLES_MAX);
    for (int i = 0; i < count; i++) {
        all[all_count++] = &couples[i]->agents[0];
        all[all_count++] = &couples[i]->agents[1];
    }
}

static bool all_gathered(void)
{
    for (int i = 0; i < all_count; i++)
        if (all[i]->state == ICE_GATHERING)
            return false;
    return true;
}

static bool all_decided(void)
{
    for (int i = 0; i < all_count; i++)
        if (all[i]->state != ICE_CONNECTED && all[i]->state != ICE_FAILED)
            return false;
    return true;
}

static bool never(void)
{
    return false;
}

void couple_begin(struct couple *couple, const char *left, const char *right,
                  const struct sockaddr_storage *with_server)
{
    int fds[2] = {lend_socket(left), lend_socket(right)};
    couple->agents[1].set = couple->agents[0].set;
    couple->agents[0].name = left;
    couple->agents[1].name = right;
    ice_begin(&couple->agents[0], true, &fds[0], 1, with_server);
    ice_begin(&couple->agents[1], false, &fds[1], 1, with_server);
}

// One agent's description becomes a text, and the text becomes what the other agent knows.
static void carry(const struct ice_agent *from, struct description *description)
{
    char text[DESCRIPTION_BYTES];
    struct description mine = ice_describe(from);
    description_write(&mine, text);
    const char *why = description_read(text, description);
    if (why)
        die("a description cannot be read: %s", why);
}

void couples_meet(struct couple *const couples[], int count)
{
    take_couples(couples, count);
    if (!ice_run(all, all_count, all_gathered, PATIENCE_MS, -1))
        die("the agents do not get their candidates");
    for (int i = 0; i < count; i++) {
        struct description offer, answer;
        carry(&couples[i]->agents[0], &offer);
        carry(&couples[i]->agents[1], &answer);
        ice_start(&couples[i]->agents[1], &offer);
        ice_start(&couples[i]->agents[0], &answer);
    }
    ice_run(all, all_count, all_decided, 4 * PATIENCE_MS, -1);
}

bool couple_met(const struct couple *couple)
{
    return ice_path(&couple->agents[0]) && ice_path(&couple->agents[1]);
}

void couples_run(struct couple *const couples[], int count, int ms)
{
    take_couples(couples, count);
    ice_run(all, all_count, never, ms, -1);
}

void couple_run_one(struct couple *couple, int which, int ms)
{
    struct ice_agent *const one[] = {&couple->agents[which]};
    ice_run(one, 1, never, ms, -1);
}

static bool all_connected(void)
{
    for (int i = 0; i < all_count; i++)
        if (all[i]->state != ICE_CONNECTED)
            return false;
    return true;
}

bool couple_wait_met(struct couple *couple)
{
    struct couple *const one[] = {couple};
    take_couples(one, 1);
    return ice_run(all, all_count, all_connected, 2 * PATIENCE_MS, -1);
}

void couple_end(struct couple *couple)
{
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < couple->agents[i].socket_count; k++)
            close(couple->agents[i].fds[k]);
}

// ---- what is sent over the path ------------------------------------------------------------

static int came_back, arrived, expected;

static void echo(struct ice_agent *agent, const uint8_t *bytes, size_t length)
{
    ice_send(agent, bytes, length);
}

static void note_echo(struct ice_agent *agent, const uint8_t *bytes, size_t length)
{
    (void)agent;
    (void)bytes;
    (void)length;
    came_back++;
}

static void note_arrival(struct ice_agent *agent, const uint8_t *bytes, size_t length)
{
    (void)agent;
    (void)bytes;
    (void)length;
    arrived++;
}

static bool is_back(void)
{
    return came_back > 0;
}

static bool have_arrived(void)
{
    return arrived >= expected;
}

double couple_round_trip(struct couple *couple, int count)
{
    double times[TRIPS_MAX];
    struct couple *const one[] = {couple};
    take_couples(one, 1);
    couple->agents[0].received = note_echo;
    couple->agents[1].received = echo;
    for (int i = 0; i < count && i < TRIPS_MAX; i++) {
        came_back = 0;
        int64_t began = now_ns();
        if (!ice_send(&couple->agents[0], "ping", 4) ||
            !ice_run(all, all_count, is_back, PATIENCE_MS, -1))
            die("a datagram does not come back");
        times[i] = ms_since(began);
    }
    return least_of(times, (size_t)(count < TRIPS_MAX ? count : TRIPS_MAX));
}

int couple_send(struct couple *couple, int count, size_t length)
{
    static char bytes[ICE_DATA_MAX];
    struct couple *const one[] = {couple};
    take_couples(one, 1);
    memset(bytes, 'x', sizeof bytes);
    couple->agents[1].received = note_arrival;
    arrived = 0;
    for (int i = 1; i <= count && ice_send(&couple->agents[0], bytes, length); i++) {
        expected = i;
        if ((i % WINDOW == 0 || i == count) && // few at once: no buffer overflows
            !ice_run(all, all_count, have_arrived, PATIENCE_MS, -1))
            break;
    }
    return arrived;
}
