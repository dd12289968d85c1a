// play.c: the story of lesson 08: what connections cost, and what a pool of them is good for.
//
// Run:    make run             or one scene: make run SCENE=reuse ARGS="--rtt 100"
//         ./play leak          against ./server in another terminal
// Watch:  how many round trips a query takes; which thread waits for what; when a dead
//         connection is noticed.
//
// Each scene is in the file of its name. Read reuse.c and sizing.c first.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "options.h"
#include "packet_log.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

static const char *host = "127.0.0.1";
static int port = 8008;

// ---- what the scenes share -----------------------------------------------------------------

struct db_config *the_server(void)
{
    static struct db_config server;
    if (server.address_length == 0)
        server.address_length = net_address(host, port, SOCK_STREAM, &server.address);
    return &server;
}

int connect_to_server(void)
{
    return net_connect_or_die(host, port);
}

struct db *open_or_die(struct db_config *server)
{
    struct db_error error;
    struct db *db = db_open(server, QUERY_MS, &error);
    if (!db)
        die("%s (is the server running?)", error.text);
    return db;
}

struct db_config start_server(pid_t *pid, const char *const options[])
{
    const char *argv[20] = {"./server", "--quiet", "--port", "0"};
    struct db_config server = {.user = NULL};
    for (int i = 0; options[i]; i++)
        argv[i + 4] = options[i];
    int own_port = spawn_server(pid, argv);
    if (!own_port)
        die("cannot start ./server");
    server.address_length = net_address("127.0.0.1", own_port, SOCK_STREAM, &server.address);
    return server;
}

struct pool *new_pool(struct pool_config config)
{
    struct pool *pool = pool_create(&config);
    if (!pool)
        die("cannot make a pool: %s", strerror(errno));
    return pool;
}

void end_pool(struct pool *pool)
{
    int missing = pool_close(pool, QUERY_MS);
    if (missing)
        die("%d connections have not come back to their pool", missing);
}

// False, and it is said of this claim: there is no distance at which waiting could be seen.
bool is_far(const struct claim *claim)
{
    if (!packet_log()->tunnel)
        claim_skip(claim);
    else if (packet_log()->rtt_ms < 5)
        claim_report(claim, SKIPPED, "on this link waiting costs little: RTT %g ms",
                     packet_log()->rtt_ms);
    return packet_log()->tunnel && packet_log()->rtt_ms >= 5;
}

void ask_or_die(struct db *db, const char *text)
{
    if (!db_query(db, text, QUERY_MS))
        die("%s: %s", text, db->error.text);
}

// --------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static int threads = 64, burst = 200;
    static const struct scene scenes[] = {
        {"reuse", "a connection for each query, or one for all of them", scene_reuse},
        {"sharing", "two users, one connection", scene_sharing},
        {"sizing", "how many connections are enough", scene_sizing},
        {"ports", "a port for each connection", scene_ports},
        {"stale", "the server was started again", scene_stale},
        {"vanished", "a server that is gone without a word", scene_vanished},
        {"held", "a connection is held while another service is called", scene_held},
        {"leak", "a borrower does not return its connection", scene_leak},
        {"nplus1", "a hundred questions, or one", scene_nplus1},
        {"burst", "many borrowers, few connections", scene_burst},
        {"lifetimes", "what a pool does when no thread asks", scene_lifetimes},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "port of the server"},
        {"threads", OPTION_INT, &threads, 1, 1000,
         "threads that want connections in scene sizing"},
        {"burst", OPTION_INT, &burst, 20, 1000, "threads at once in scene burst"},
        {0}};
    const char *only =
        story_choose(argc, argv, "Lesson 08: connection pools.", scenes, options);
    sizing_with(threads);
    burst_of(burst);
    story_begin();
    return story_tell(scenes, only);
}
