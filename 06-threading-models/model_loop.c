// model_loop.c: one thread and one epoll set: Redis, Node.js. It waits for all connections at
// once and never for one of them: a request that has to wait gets a timer, and the loop goes
// on. A request that computes has nobody to go on meanwhile: then all wait.
#include "loop.h"
#include "model.h"
#include "session.h"

#define REFUSED_MAX 256 // connections over the limit, while they read their 503

static struct crew *all;
static void (*welcome)(struct conn *);

static void opened(struct conn *conn)
{
    if (crew_join(all))
        welcome(conn);
    else
        session_refuse(conn);
}

static void run(struct crew *crew, int listener, int stop_fd)
{
    struct loop_server server = session_server(crew->settings.conns + REFUSED_MAX);
    all = crew;
    welcome = server.opened;
    server.opened = opened;
    session_begin(&crew->workers[0]);
    loop_serve(listener, stop_fd, &server);
}

const struct model model_loop = {"loop", "one thread, an event loop", ONE, run};
