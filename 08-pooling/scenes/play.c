// client.c: what connections cost, and what a pool of them is good for.
//
// Run:    ./client             against ./server in another terminal, or, over a distance:
//         make run             or one scene: make run SCENE=reuse ARGS="--rtt 100"
// Watch:  how many round trips a query takes; who waits for what; who notices when a connection
//         is dead, or gone.
//
// The pool itself is pool.h and pool.c; sessions.c puts database sessions into it. The longer
// scenes are in the files that scenes.h names.
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "options.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define ROUNDS      8 // queries of each kind in scene reuse
#define PACKETS_MAX 1000
#define QUERY_MS    10000 // that a query may take
#define VALUE_BYTES 200
#define LEAKS       4
#define PATIENCE_MS 300 // of a borrower in scene leak
#define LEAK_MS     100 // after which a lease is called a leak
#define USERS       100
#define TEXT_BYTES  1000

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
static bool is_far(const struct claim *claim)
{
    if (!packet_log()->tunnel)
        claim_skip(claim);
    else if (packet_log()->rtt_ms < 5)
        claim_report(claim, SKIPPED, "on this link waiting costs little: RTT %g ms",
                     packet_log()->rtt_ms);
    return packet_log()->tunnel && packet_log()->rtt_ms >= 5;
}

// ---- reuse ---------------------------------------------------------------------------------

static const struct claim halves = {"8.1", "guide §7", "reuse cuts the latency by half or more",
                                    HOLDS, NULL};

static const struct claim three = {
    "8.5", "guide §16.2", "a connection costs three round trips of TCP", NOT_HERE,
    "Three segments, and one round trip: the third goes along with the first data (RFC 9293 "
    "§3.5). The others are the session's own: here a login."};

static void ask_or_die(struct db *db, const char *text)
{
    if (!db_query(db, text, QUERY_MS))
        die("%s: %s", text, db->error.text);
}

// A query on a connection of its own, in milliseconds.
static double ask_afresh(void)
{
    int64_t start_ns = now_ns();
    struct db *db = open_or_die(the_server());
    ask_or_die(db, "get user 7");
    db_close(db);
    return ms_since(start_ns);
}

static double ask_pool(struct pool *pool)
{
    char value[VALUE_BYTES];
    int64_t start_ns = now_ns();
    if (!pool_query(pool, POOL_HERE, "get user 7", value, sizeof value))
        die("%s", value);
    return ms_since(start_ns);
}

// Of the packets since `mark`: answers that came before the client could send its first bytes,
// and answers to bytes.
static void count_round_trips(uint32_t mark, int *tcp, int *session)
{
    static struct packet packets[PACKETS_MAX];
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    bool spoken = false;
    *tcp = *session = 0;
    for (const struct packet *p = packets; p < packets + count; p++) {
        spoken = spoken || (p->to_server && p->payload);
        *tcp += !p->to_server && !spoken;
        *session += !p->to_server && p->payload;
    }
}

// The same of TCP without wire: segments that have come when connect() is done.
static int count_segments(void)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int fd = net_connect_or_die(host, port);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        die("cannot read TCP_INFO: %s", strerror(errno));
    close(fd);
    return (int)info.tcpi_segs_in;
}

static void report_round_trips(int tcp, int session)
{
    if (!packet_log()->tunnel)
        tcp = count_segments();
    enum verdict verdict = tcp == 1 && session <= 1 ? NOT_HERE : tcp == 3 ? HOLDS : UNCLEAR;
    if (!packet_log()->tunnel)
        claim_report(&three, verdict, "%d segment has come when connect() is done", tcp);
    else if (packet_log()->loss > 0)
        claim_report(&three, SKIPPED, "on this link packets are lost, and sent again");
    else
        claim_report(&three, verdict,
                     "%d round trip before the first byte may go, and %d for the login", tcp,
                     session);
}

static void scene_reuse(void)
{
    int tcp, session;
    struct pool_config config = session_pool(the_server());
    config.validate = NULL; // that is scene stale's subject
    struct pool *pool = new_pool(config);
    story_timeline();
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    story_event("connect, log in, ask");
    struct db *db = open_or_die(the_server());
    count_round_trips(mark, &tcp, &session);
    story_event("a session, after %.1f ms", ms_since(start_ns));
    ask_or_die(db, "get user 7");
    story_event("user 7 is %s, after %.1f ms", db_value(db, 0, 1), ms_since(start_ns));
    story_quiet(true);
    db_close(db);
    ask_pool(pool); // the first one opens
    story_quiet(false);
    story_event("pool_acquire(), ask, pool_release()");
    story_event("done, after %.1f ms", ask_pool(pool));
    story_quiet(true);
    double fresh = ask_afresh(), pooled = ask_pool(pool), time;
    for (int i = 1; i < ROUNDS; i++) {
        fresh = (time = ask_afresh()) < fresh ? time : fresh;
        pooled = (time = ask_pool(pool)) < pooled ? time : pooled;
    }
    end_pool(pool);
    story_say("The best of %d:", ROUNDS);
    story_say("");
    story_bar("a connection per query", fresh, fresh, "%.1f ms", fresh);
    story_bar("from the pool", pooled, fresh, "%.1f ms", pooled);
    if (is_far(&halves))
        claim_report(&halves, fresh >= 2 * pooled ? HOLDS : UNCLEAR,
                     "%.1f ms on a new connection, %.1f ms on one from the pool, at RTT %g ms",
                     fresh, pooled, packet_log()->rtt_ms);
    report_round_trips(tcp, session);
}

// ---- leak ----------------------------------------------------------------------------------

static const struct claim drains = {"8.7", "guide §7",
                                    "a leak drains the pool; a timeout says so", HOLDS, NULL};

static void leak_found(void *context, const char *who, double held_ms)
{
    (void)context;
    story_event("the pool: %s has had a connection for %.0f ms", who, held_ms);
}

// A function as one finds it: all is well, as long as nothing goes wrong.
static bool write_report(struct pool *pool, const char *user, struct lease *lease)
{
    if (!pool_acquire(pool, "monthly report", lease))
        return false;
    struct db *db = lease->thing;
    char text[VALUE_BYTES];
    snprintf(text, sizeof text, "get user %s", user);
    if (!db_query(db, text, QUERY_MS))
        return false; // and here it goes
    pool_release(lease, !db->broken);
    return true;
}

static void scene_leak(void)
{
    struct lease leases[LEAKS + 1];
    struct pool_stats stats;
    struct pool_config config = session_pool(the_server());
    config.max = LEAKS;
    config.acquire_ms = PATIENCE_MS;
    config.leak_ms = LEAK_MS;
    config.leaked = leak_found;
    struct pool *pool = new_pool(config);
    story_timeline();
    for (int i = 0; i < LEAKS; i++) {
        if (!write_report(pool, "7", &leases[i]))
            die("%s", leases[i].error);
        if (write_report(pool, "seven", &leases[i]))
            die("the server does not tell numbers from words");
        story_event("user 7: written.  user seven: an error, and no pool_release()");
    }
    int64_t start_ns = now_ns();
    story_event("user 7 again");
    bool written = write_report(pool, "7", &leases[LEAKS]);
    double waited_ms = ms_since(start_ns);
    story_event("%s, after %.0f ms", written ? "written" : "an error", waited_ms);
    story_quiet(true);
    pool_stats(pool, &stats);
    story_say("The error: %.85s", leases[LEAKS].error);
    if (strlen(leases[LEAKS].error) > 85)
        story_say("           %s", leases[LEAKS].error + 85);
    int missing = pool_close(pool, LEAK_MS);
    story_say("pool_close() waits %d ms, and then says how many are missing: %d", LEAK_MS,
              missing);
    for (int i = 0; i < LEAKS; i++)
        pool_release(&leases[i], true); // this program is not to leak
    end_pool(pool);
    bool said = strstr(leases[LEAKS].error, "monthly report for ") != NULL;
    claim_report(&drains,
                 !written && leases[LEAKS].result == POOL_TIMEOUT && said &&
                         waited_ms >= PATIENCE_MS && (int)stats.leaks == LEAKS &&
                         missing == LEAKS
                     ? HOLDS
                     : UNCLEAR,
                 "%d of %d leaked; the next one had an error after %.0f ms that says who has "
                 "them, and for how long",
                 (int)stats.leaks, LEAKS, waited_ms);
}

// ---- nplus1 --------------------------------------------------------------------------------

static const struct claim n_plus_one = {
    "8.8", "guide §16.3", "N+1 queries: 101 of them, where 2 are enough", HOLDS, NULL};

struct way {
    int queries, posts;
    double ms;
};

// The ids of all users, as text.
static int list_users(struct db *db, char ids[USERS][12])
{
    ask_or_die(db, "list users");
    int count = db->rows < USERS ? db->rows : USERS;
    for (int i = 0; i < count; i++)
        snprintf(ids[i], sizeof ids[i], "%s", db_value(db, i, 0));
    return count;
}

static int one_by_one(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES];
    int posts = 0;
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "posts of user %s", ids[i]);
        ask_or_die(db, text);
        posts += db->rows;
    }
    return posts;
}

// The same queries, but none of them waits for the answer to the one before.
static int pipelined(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES];
    uint32_t id;
    int posts = 0;
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "posts of user %s", ids[i]);
        if (!db_send(db, text, QUERY_MS))
            die("%s: %s", text, db->error.text);
    }
    for (int i = 0; i < count; i++) {
        if (!db_receive(db, &id, QUERY_MS))
            die("no answer: %s", db->error.text);
        posts += db->rows;
    }
    return posts;
}

static int all_at_once(struct db *db, char ids[USERS][12], int count)
{
    char text[TEXT_BYTES] = "posts of users ";
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "", ids[i]);
    ask_or_die(db, text);
    return db->rows;
}

static struct way all_posts(struct db *db, int (*posts_of)(struct db *, char[USERS][12], int))
{
    char ids[USERS][12];
    uint64_t before = db->queries;
    int64_t start_ns = now_ns();
    struct way way = {.posts = posts_of(db, ids, list_users(db, ids))};
    way.ms = ms_since(start_ns);
    way.queries = (int)(db->queries - before);
    return way;
}

static void scene_nplus1(void)
{
    static const char *const names[] = {"one query for each user", "the same, pipelined",
                                        "one for all of them"};
    static int (*const ways[])(struct db *, char[USERS][12], int) = {one_by_one, pipelined,
                                                                     all_at_once};
    struct way done[3];
    struct db *db = open_or_die(the_server());
    story_say("All users, and the posts of each of them, on one connection.");
    for (int i = 0; i < 3; i++)
        done[i] = all_posts(db, ways[i]);
    db_close(db);
    story_head("|queries|posts|time");
    for (int i = 0; i < 3; i++)
        story_row("%s|%d|%d|%.1f ms", names[i], done[i].queries, done[i].posts, done[i].ms);
    story_say("");
    for (int i = 0; i < 3; i++)
        story_bar(names[i], done[i].ms, done[0].ms, "%.0f ms", done[i].ms);
    bool same = done[0].posts > 0 && done[0].posts == done[2].posts;
    if (packet_log()->loss > 0 || packet_log()->rate > 0)
        claim_report(&n_plus_one, SKIPPED, "on this link %s decide, too",
                     packet_log()->loss > 0 ? "lost packets" : "bytes");
    else if (is_far(&n_plus_one))
        claim_report(&n_plus_one,
                     same && done[0].queries == 101 && done[2].queries == 2 &&
                             done[0].ms > 10 * done[2].ms
                         ? HOLDS
                         : UNCLEAR,
                     "%d queries in %.0f ms, %d in %.0f, for the same %d posts; what costs is "
                     "the waiting: pipelined the %d take %.0f ms",
                     done[0].queries, done[0].ms, done[2].queries, done[2].ms, done[2].posts,
                     done[1].queries, done[1].ms);
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
        {"leak", "somebody does not return what he has borrowed", scene_leak},
        {"nplus1", "a hundred questions, or one", scene_nplus1},
        {"burst", "many borrowers, few connections", scene_burst},
        {"lifetimes", "what a pool does when nobody asks", scene_lifetimes},
        {0}};
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"threads", OPTION_INT, &threads, 1, 1000, "that want connections in scene sizing"},
        {"burst", OPTION_INT, &burst, 20, 1000, "threads at once in scene burst"},
        {0}};
    int first = options_parse(
        argc, argv,
        &(struct command){"[SCENE]",
                          "Lesson 08: connection pools. Without SCENE all of them: reuse,\n"
                          "sharing, sizing, ports, stale, leak, nplus1, burst, lifetimes.",
                          options});
    sizing_with(threads);
    burst_of(burst);
    story_begin();
    return story_tell(scenes, argv[first]);
}
