// upgrade.c: scene upgrade: a WebSocket through a reverse proxy, with and without what it
// needs.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "world.h"

#define IDLE_MS "400"
#define LATE_MS 300 // a ping that takes so long may come after the idle limit
#define PING_MS 100
#define PINGS   12 // together three times the idle limit
#define TRIES   20
#define SOCKETS 10
#define PORTS   65536

static const struct claim needs = {
    "8.31", "guide §9.4",
    "a WebSocket through a proxy needs the Upgrade and Connection headers, HTTP/1.1 to the "
    "backend, and a longer time-out or heartbeats",
    HOLDS, NULL};
static const struct claim only_layer4 = {
    "8.51", "guide §9.4",
    "layer 4's drawback: each WebSocket requires a separate TCP connection to the backend",
    NOT_HERE,
    "Layer 7 needs one as well: after 101 the connection is the WebSocket's alone (RFC 9110 "
    "§7.8). To share one takes HTTP/2 (RFC 8441)"};
static const struct claim inspects = {
    "8.52", "guide §9.4",
    "choose layer 7 when you need to inspect, log or modify WebSocket traffic", NOT_HERE,
    "A proxy that handles the handshake only passes bytes after the 101, as nginx and HAProxy "
    "do: it routes by the handshake, and knows no frame. To read messages it has to speak RFC "
    "6455 itself"};

static const uint8_t hello[] = {0x81, 0x82, 1, 2, 3, 4, 'h' ^ 1, 'i' ^ 2};
static const uint8_t ping[] = {0x89, 0x80, 1, 2, 3, 4};

// Asks for a WebSocket. Returns the status of the answer.
static int handshake(struct fetch *f, const struct world *world)
{
    world_open(f, PROXY_ADDRESS, world->proxy_port);
    fetch_or_die(f, fetch_ask(f, "GET", "/ws",
                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                              NULL));
    return f->head.status;
}

// Sends a frame, and reads the two bytes (and what they announce) of the answer.
static bool exchange(struct fetch *f, const uint8_t *frame, size_t length, uint8_t first)
{
    uint8_t answer[2 + 125];
    return write_all(f->fd, frame, length) && read_exactly(f->fd, answer, 2) &&
           answer[0] == first && read_exactly(f->fd, answer + 2, answer[1]);
}

// The handshake, and an echo if it succeeds.
static int try(const char *title, const char *const options[], bool *echoed)
{
    static struct fetch f;
    struct world world;
    world_begin(&world, options);
    int status = handshake(&f, &world);
    *echoed = status == 101 && exchange(&f, hello, sizeof hello, 0x81);
    fetch_close(&f);
    world_end(&world);
    story_row("%s|%d|%s", title, status, *echoed ? "comes back" : "-");
    return status;
}

// Opens a WebSocket behind a short idle limit, and says nothing. True if it lives on.
static bool lives_silently(const struct world *world)
{
    static struct fetch f;
    uint8_t byte;
    bool open = handshake(&f, world) == 101;
    bool alive = read_exactly(f.fd, &byte, 1) || errno; // it returns when the proxy closes
    fetch_close(&f);
    return open && alive;
}

// The same with pings. A machine that is busy for as long as the idle limit lets a ping come
// too late: then the WebSocket is opened anew.
static bool lives_with_pings(const struct world *world)
{
    static struct fetch f;
    bool open, alive = false, late = true;
    for (int tries = 0; late && !alive && tries < TRIES; tries++) {
        open = handshake(&f, world) == 101;
        alive = open;
        late = false;
        for (int i = 0; alive && i < PINGS; i++) {
            int64_t began_ns = now_ns();
            sleep_ms(PING_MS);
            alive = exchange(&f, ping, sizeof ping, 0x8a);
            late = late || ms_since(began_ns) > LATE_MS;
        }
        fetch_close(&f);
    }
    return alive;
}

// Opens WebSockets through one proxy, and sends what is no frame: unmasked, with an opcode that
// does not exist. Returns how many connections the origin has, by the ports that it sees.
static int connections(bool *passes)
{
    static const char *const options[] = {"reverse", NULL};
    static struct fetch sockets[SOCKETS];
    static const uint8_t wrong[] = {0x8f, 0x01, 'x', 0, 0, 0, 0};
    struct world world;
    uint8_t byte;
    int open = 0;
    world_begin(&world, options);
    for (int i = 0; i < SOCKETS; i++)
        open += handshake(&sockets[i], &world) == 101;
    char path[40], line[256];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/net/tcp", (int)world.origin);
    FILE *file = fopen(path, "re");
    unsigned local, remote, state;
    // The kernel gives the list page by page: where other connections come and go, it may name
    // one twice.
    static bool counted[PORTS];
    memset(counted, 0, sizeof counted);
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, " %*d: 0300007F:%x %*x:%x %x", &local, &remote, &state) == 3 &&
            state == 1 && (int)local == world.origin_port && remote < PORTS &&
            !counted[remote]) {
            counted[remote] = true;
            count++;
        }
    if (file)
        fclose(file);
    // The origin closes on it, because it has got it: the proxy did not look.
    *passes =
        write_all(sockets[0].fd, wrong, sizeof wrong) && !read_exactly(sockets[0].fd, &byte, 1);
    bool others = exchange(&sockets[1], hello, sizeof hello, 0x81);
    *passes = *passes && others;
    for (int i = 0; i < SOCKETS; i++)
        fetch_close(&sockets[i]);
    world_end(&world);
    if (open < SOCKETS)
        return -1;
    return count;
}

void scene_upgrade(void)
{
    static const char *const all[] = {"reverse", NULL};
    static const char *const no_headers[] = {"reverse", "--no-upgrade", NULL};
    static const char *const old[] = {"reverse", "--upstream-http10", NULL};
    static const char *const short_limit[] = {"reverse", "--tunnel-idle-ms", IDLE_MS, NULL};
    struct world world;
    bool echoed[3], passes;
    story_head("a handshake through the proxy|status|a message");
    int with = try("with Upgrade and Connection", all, &echoed[0]);
    int without = try("without them", no_headers, &echoed[1]);
    int http10 = try("in HTTP/1.0 to the origin", old, &echoed[2]);
    world_begin(&world, short_limit);
    bool silent = lives_silently(&world), pinged = lives_with_pings(&world);
    world_end(&world);
    story_row("then " IDLE_MS " ms of silence|%s|-", silent ? "open" : "closed");
    story_row("then 1,200 ms with pings|%s|pongs", pinged ? "open" : "closed");
    printf("\n");
    int count = connections(&passes);
    claim_report(&needs,
                 holds_if(with == 101 && echoed[0] && without == 200 && http10 == 200 &&
                          !silent && pinged),
                 "101 with the two headers, %d without, %d over HTTP/1.0: the origin sees an "
                 "ordinary GET. Silence is cut after " IDLE_MS " ms, pings keep it open",
                 without, http10);
    enum verdict verdict = UNCLEAR;
    if (count == SOCKETS)
        verdict = NOT_HERE;
    claim_report(&only_layer4, verdict, "%d WebSockets, %d connections to the origin", SOCKETS,
                 count);
    verdict = UNCLEAR;
    if (passes)
        verdict = NOT_HERE;
    claim_report(&inspects, verdict,
                 "a frame that RFC 6455 forbids goes through; it is the origin that closes");
}
