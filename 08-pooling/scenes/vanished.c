// vanished.c: scene vanished: the server's machine is gone, or the way to it: no FIN, no RST,
// nothing comes any more. When does the client notice that?
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"
#include "tell.h"

#define PING_MS     500   // that a ping may take
#define KEEP_S      1     // of silence before the kernel's first probe, and behind it
#define PATIENCE_MS 20000 // within this time the kernel gives up

static const struct claim ask_it = {
    "8.56", "guide §7",
    "validate a connection before its use, by a query: else it may be stale", HOLDS, NULL};

// Lets the kernel send a probe when the connection has been silent for a second; if the peer
// has not answered the probe after another second, the connection is at its end (tcp(7)).
static void keep_alive(int fd)
{
    int on = 1, seconds = KEEP_S, probes = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds) ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds) ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes))
        die("cannot set the keep-alive options: %s", strerror(errno));
}

// Waits until the kernel ends a connection. Returns the error that it gives; 0: it does not.
static int await_end(int fd)
{
    struct pollfd socket = {.fd = fd}; // POLLERR comes unasked
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&socket, 1, PATIENCE_MS) == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static const char *in_words(bool well)
{
    if (well)
        return "looks well";
    return "is at its end";
}

void scene_vanished(void)
{
    if (!packet_log()->tunnel) {
        claim_skip(&ask_it);
        return;
    }
    struct db_config probed = *the_server();
    probed.prepare = keep_alive;
    struct db *plain = open_or_die(the_server()), *asked = open_or_die(the_server()),
              *kept = open_or_die(&probed);
    story_say("Three connections: one is looked at, one is asked, one has SO_KEEPALIVE.");
    sleep_ms(2 * packet_log()->rtt_ms); // the last ACKs are to arrive before the mute
    story_timeline();
    const char *refused = wire_tell("mute server");
    if (refused)
        die("wire cannot mute the server: %s", refused);
    int64_t start_ns = now_ns();
    story_event("from now on the server is mute");
    bool looked_well = db_is_quiet(plain) && db_is_quiet(asked) && db_is_quiet(kept);
    story_event("a look at each socket: it %s", in_words(looked_well));
    bool answers = session_answers(asked, PING_MS);
    double asked_ms = ms_since(start_ns);
    story_event("a ping, %d ms: %s", PING_MS, answers ? "an answer" : asked->error.text);
    int error = await_end(kept->fd);
    double kept_ms = ms_since(start_ns);
    story_event("the one with SO_KEEPALIVE: %s", strerror(error));
    bool still_well = db_is_quiet(plain);
    story_event("a look at the first one: it %s", in_words(still_well));
    wire_tell("unmute server");
    story_quiet(true);
    bool timed_out = !strcmp(asked->error.code, CODE_TIMEOUT);
    db_close(plain);
    db_close(asked);
    db_close(kept);
    claim_report(
        &ask_it,
        holds_if(looked_well && still_well && !answers && timed_out && error == ETIMEDOUT),
        "a server that has vanished: the socket looks well for ever; a ping tells "
        "after its %.0f ms, SO_KEEPALIVE after %.1f s, at the default settings after "
        "more than two hours (tcp(7))",
        asked_ms, kept_ms / 1000);
}
