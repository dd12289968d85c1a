// route.c: which backend gets a request: by its path and its host, which only layer 7 sees; and
// bytes that are no HTTP, which only layer 4 passes.
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "claim.h"
#include "lab.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

static const struct {
    const char *path, *host;
    int expected; // backend
} requests[] = {{"/", "shop.example", 0},          {"/news?page=2", "shop.example", 0},
                {"/api/users", "shop.example", 1}, {"/api/orders", "shop.example", 1},
                {"/apis", "shop.example", 0},      {"/", "api.example", 2},
                {"/api/users", "api.example", 2}};
#define REQUESTS (int)(sizeof requests / sizeof *requests)

static const struct claim only_seven = {"8.14", "guide §9.1",
                                        "only layer 7 routes by URL and host", HOLDS, NULL};

static const struct claim kept_connection = {
    "8.33", "ch. 18.6", "a layer-4 balancer works for HTTP/1.1", NOT_HERE,
    "it balances connections, and HTTP/1.1 keeps one for many requests (RFC 9112 §9.3): with "
    "one connection all go to one backend, as with HTTP/2"};

static const struct claim any_protocol = {
    "8.42", "guide §9.1", "layer 4 is protocol agnostic: it works with any TCP service", HOLDS,
    NULL};

// Asks for this path of this host. Returns the backend.
static int ask(int port, const char *host, const char *path)
{
    static struct fetch f;
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    fetch_or_die(&f, fetch_open(&f, &address, 0));
    fetch_or_die(&f, fetch_send(&f, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host));
    fetch_or_die(&f, fetch_answer(&f));
    fetch_close(&f);
    return lab_who(&f);
}

// Asks for all of them. Returns how many have reached the backend that they were meant for.
static int ask_all(int port, char answers[REQUESTS])
{
    int right = 0;
    for (int i = 0; i < REQUESTS; i++) {
        int who = ask(port, requests[i].host, requests[i].path);
        answers[i] = (char)('a' + who);
        right += who == requests[i].expected;
    }
    return right;
}

// ---- bytes that are no HTTP ----------------------------------------------------------------

#define BYTES_END "\r\n\r\n" // what a reader of HTTP waits for
static char bytes[256 + sizeof BYTES_END - 1];

// A balancer of this layer in front of a server that is no web server.
static int balance_bytes(pid_t *pid, int layer, int server)
{
    char options[LAB_OPTIONS], name[NET_NAME];
    snprintf(options, sizeof options, "--check-ms 0 --layer %d --backend %s", layer,
             net_local_name(server, name));
    return lab_start_balancer(pid, options);
}

// True if bytes of all values arrive, and come back, through layer 4.
static bool layer4_carries(int server)
{
    pid_t pid;
    char there[sizeof bytes], back[sizeof bytes];
    int client = net_connect_or_die("127.0.0.1", balance_bytes(&pid, 4, server));
    int accepted = accept(server, NULL, NULL);
    if (accepted < 0)
        die("the balancer does not connect to the server");
    bool carried =
        write_all(client, bytes, sizeof bytes) && read_exactly(accepted, there, sizeof there) &&
        write_all(accepted, there, sizeof there) && read_exactly(client, back, sizeof back) &&
        !memcmp(there, bytes, sizeof bytes) && !memcmp(back, bytes, sizeof bytes);
    close(client);
    close(accepted);
    spawn_stop(pid);
    return carried;
}

// What layer 7 answers to the same bytes.
static int layer7_answers(int server)
{
    static struct fetch f;
    pid_t pid;
    struct sockaddr_storage address;
    net_address("127.0.0.1", balance_bytes(&pid, 7, server), SOCK_STREAM, &address);
    fetch_or_die(&f, fetch_open(&f, &address, 0));
    if (!write_all(f.fd, bytes, sizeof bytes))
        die("the balancer takes no bytes");
    fetch_or_die(&f, fetch_answer(&f));
    fetch_close(&f);
    spawn_stop(pid);
    return f.head.status;
}

static void try_bytes(void)
{
    struct timeval patience = {10, 0};
    int server = net_listen("127.0.0.1", 0, 8);
    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    memcpy(bytes + 256, BYTES_END, sizeof BYTES_END - 1);
    bool carried = layer4_carries(server);
    int status = layer7_answers(server);
    close(server);
    claim_report(&any_protocol, holds_if(carried && status == 400),
                 "%zu bytes of all values, as a database may send them: %s through layer 4; "
                 "layer 7 answers %d, because they are no HTTP",
                 sizeof bytes, carried ? "there and back" : "lost", status);
}

void scene_route(void)
{
    struct lab lab = {.count = 0};
    char options[LAB_OPTIONS], seven[REQUESTS], four[REQUESTS];
    pid_t pid;
    for (int i = 0; i < 3; i++)
        lab_backend(&lab, "");
    story_say("Backend a is for all, b for /api, c for the host api.example:");
    story_say("./balancer --backend a --for /api --backend b --for api.example/ --backend c");
    snprintf(options, sizeof options,
             "--backend 127.0.0.1:%d --for /api --backend 127.0.0.1:%d "
             "--for api.example/ --backend 127.0.0.1:%d",
             lab.ports[0], lab.ports[1], lab.ports[2]);
    int port = lab_start_balancer(&pid, options);
    int right = ask_all(port, seven);
    lab_balancer(&lab, "--layer 4", NULL);
    int by_chance = ask_all(lab.port, four);
    story_head("Host and path|layer 7|layer 4");
    for (int i = 0; i < REQUESTS; i++)
        story_row("%s%s|%c|%c", requests[i].host, requests[i].path, seven[i], four[i]);
    struct load load = {.port = lab.port, .clients = 1, .requests = 100};
    struct outcome kept = lab_load(&load);
    load.new_connections = true;
    struct outcome new = lab_load(&load);
    lab_end(&lab);
    spawn_stop(pid);
    story_head("100 requests|a|b|c");
    story_row("layer 4, one connection|%d|%d|%d", kept.answers[0], kept.answers[1],
              kept.answers[2]);
    story_row("layer 4, a connection for each|%d|%d|%d", new.answers[0], new.answers[1],
              new.answers[2]);
    claim_report(&only_seven, holds_if(right == REQUESTS && by_chance < REQUESTS),
                 "layer 7: %d of %d requests reach the backend that they are meant for; layer "
                 "4: %d, by chance",
                 right, REQUESTS, by_chance);
    int most = 0;
    for (int i = 0; i < 3; i++)
        if (kept.answers[i] > most)
            most = kept.answers[i];
    claim_report(&kept_connection, most == 100 && new.answers[0] < 50 ? NOT_HERE : UNCLEAR,
                 "100 requests on one connection: %d, %d, %d; on 100 connections: %d, %d, %d",
                 kept.answers[0], kept.answers[1], kept.answers[2], new.answers[0],
                 new.answers[1], new.answers[2]);
    try_bytes();
}
