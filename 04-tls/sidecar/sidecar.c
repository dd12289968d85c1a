// sidecar.c: a proxy beside an application. The application speaks plain HTTP to it on
// localhost, and knows nothing of TLS, of other instances, of retries or metrics.
//
//     app ── HTTP ──▶ sidecar ══ mutual TLS ══▶ sidecar ── HTTP ──▶ app
//         localhost   outbound                  inbound   localhost
//
// Run:    ./app                in one terminal, in a second one
//         ./sidecar            (it is both sidecars: without a file of services it asks itself)
//         ./client             in a third one
// Watch:  what the app on the right has got: the name of the client, and the request's trace.
//
// Read downstream.c first: a request comes, and its answer goes. Then tries.c, upstream.c, and
// parts/identity.c. Here are the options, the ports, and the program's beginning and end.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "mesh_ca.h"
#include "net.h"
#include "sidecar.h"
#include "smaller.h"
#include "upstream.h"

#define BACKLOG       4096
#define FROM_APP_MAX  4000 // connections
#define FROM_PEER_MAX 4000
#define ADMIN_MAX     50
#define TICK_MS       50 // from one look at the app to the next one, while that matters
#define RENEWAL_S     60 // from one look at the own certificate to the next one

static int tick_fd;
static int64_t drain_end_ns;

// ---- certificates --------------------------------------------------------------------------

// A certificate is good for a day only, so a stolen one is soon worth nothing. It is replaced
// in its last hour.
static void renew_if_late(void)
{
    static int64_t next_ns;
    if (now_ns() < next_ns || identity_ends() > time(NULL) + MESH_CA_RENEW_S)
        return;
    next_ns = now_ns() + RENEWAL_S * INT64_C(1000000000);
    identity_load();
}

// ---- the app -------------------------------------------------------------------------------

// True if something listens at the app's address. It is on this machine: connect() returns at
// once.
static bool app_listens(void)
{
    struct timeval wait = {0, TICK_MS * 1000};
    const struct sockaddr_storage *address = &state.app.address;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return state.app_up; // no descriptor is free: nothing is known
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    bool listens = !connect(fd, (const struct sockaddr *)address, sizeof *address);
    close(fd);
    return listens;
}

// Ticks come often while the sidecar waits for its app, or for its own end.
static void set_ticks(void)
{
    struct itimerspec every = {{RENEWAL_S, 0}, {RENEWAL_S, 0}};
    if (!state.app_up || state.draining)
        every.it_interval = every.it_value = (struct timespec){0, TICK_MS * 1000000};
    if (timerfd_settime(tick_fd, 0, &every, NULL))
        die("cannot set a timer: %s", strerror(errno));
}

void state_app(bool up)
{
    if (state.app_up == up)
        return;
    state.app_up = up;
    if (up)
        log_line("the app at %s is there", state.app.name);
    else
        log_line("the app at %s takes no connections: waiting for it", state.app.name);
    set_ticks();
}

// Asked to stop: ends when no request is under way. With --stop-after-app the app is first: it
// may still have something to ask.
static void look_for_the_end(void)
{
    bool app_first = settings.stop_after_app && state.app_up;
    if (now_ns() >= drain_end_ns || (!app_first && state.under_way == 0))
        link_stop();
}

static void tick(int fd)
{
    uint64_t ticks;
    if (read(fd, &ticks, sizeof ticks) < 0)
        return;
    if (!state.app_up || settings.stop_after_app)
        state_app(app_listens());
    renew_if_late();
    if (state.draining)
        look_for_the_end();
}

// ---- signals -------------------------------------------------------------------------------

// SIGINT or SIGTERM; the second one ends the program at once.
static void asked_to_stop(int fd)
{
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof signal) < 0)
        return;
    if (state.draining)
        link_stop();
    drain_end_ns = now_ns() + settings.drain_ms * INT64_C(1000000);
    if (!state.draining)
        log_line("asked to stop: requests under way: %d", state.under_way);
    state.draining = true;
    set_ticks();
    look_for_the_end();
}

// SIGHUP: certificates and services are read again. Connections that wait for a request began
// with the old certificate; they are closed when their turn comes.
static void asked_to_reload(int fd)
{
    struct signalfd_siginfo signal;
    if (read(fd, &signal, sizeof signal) < 0)
        return;
    identity_load();
    services_read();
}

static int hangup_fd(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    int fd = -1;
    if (!sigprocmask(SIG_BLOCK, &hangup, NULL))
        fd = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
    return fd;
}

// ---- the program ---------------------------------------------------------------------------

static struct link_port from_app = {&downstream_kind, .links_max = FROM_APP_MAX},
                        from_peer = {&downstream_kind, .secure = &identity_inbound,
                                     .links_max = FROM_PEER_MAX,
                                     .make_room = downstream_make_room},
                        admin = {&admin_kind, .links_max = ADMIN_MAX};

// Opens the three ports. Where no file of services is given, the app itself is the only one.
static void listen_on_ports(void)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    from_app.fd = net_listen(settings.host, settings.port, BACKLOG);
    from_peer.fd = net_listen(settings.inbound_host, settings.inbound_port, BACKLOG);
    admin.fd = net_listen(settings.host, settings.admin_port, BACKLOG);
    memset(&own, 0, sizeof own);
    if (getsockname(from_peer.fd, (struct sockaddr *)&own, &length))
        die("cannot find the port for other sidecars: %s", strerror(errno));
    if (!settings.services)
        services_only(&own);
    link_listen(&from_app);
    link_listen(&from_peer);
    link_listen(&admin);
}

int main(int argc, char **argv)
{
    settings_parse(argc, argv);
    link_begin(larger(larger(sizeof(struct downstream), sizeof(struct upstream)), admin_bytes));
    link_watch(net_stop_fd(), asked_to_stop);
    link_watch(hangup_fd(), asked_to_reload);
    tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (tick_fd < 0)
        die("cannot make a timer: %s", strerror(errno));
    link_watch(tick_fd, tick);
    identity_begin();
    access_log_open(settings.access_log);
    services_begin();
    listen_on_ports();
    state.app_up = app_listens();
    set_ticks();
    struct net_port more[] = {{"inbound", from_peer.fd}, {"admin", admin.fd}};
    net_ready_ports(from_app.fd, more, 2);
    long links = link_run();
    log_end();
    printf("stopped: connections %ld, handshakes: inbound %ld, outbound %ld\n", links,
           identity_inbound.handshakes, identity_outbound.handshakes);
    identity_end();
    return 0;
}
