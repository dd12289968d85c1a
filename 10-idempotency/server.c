// server.c: a payments API in which every request may come twice: because a client was
// impatient, because an answer was lost, because a proxy tried again.
//
// Run:    ./server             then, in another terminal: ./client, or
//         the first curl command of README.md, twice; and then
//         curl localhost:8010/balance
//         strings charges.journal
// Watch:  that the second answer is the first one again, and that the balance does not move;
//         then kill -9 the server, start it again, and send the same request a third time.
//
// Read the routes below first; then answer_charge() in charges.c, which is the lesson, and
// journal_commit() in journal.c, after which a charge has happened. check_then_mark.c does it
// as the notes do.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "charge_list.h"
#include "charges.h"
#include "crashpoint.h"
#include "stats.h"
#include "loop.h"
#include "net.h"
#include "options.h"
#include "check_then_mark.h"
#include "connection.h"
#include "log.h"

#define CONNECTIONS_MAX 10000
#define BACKLOG         4096
#define JOURNAL_NAME    "charges.journal"

// answer_charge() and answer_naive_charge() are in charges.c. answer_charge_list() and
// answer_one_charge() only show charges: parts/charge_list.c. Accounts: parts/accounts.c. The
// last three: parts/stats.c.
static const struct route routes[] = {
    {"POST", "/charges", answer_charge},
    {"GET", "/charges", answer_charge_list},
    {"GET", "/charges/", answer_one_charge},
    {"POST", "/naive/charges", answer_naive_charge},
    {"POST", "/notes-pattern/charges", answer_check_then_mark},
    {"GET", "/accounts/", answer_account},
    {"PUT", "/accounts/", answer_put_account},
    {"DELETE", "/accounts/", answer_delete_account},
    {"GET", "/balance", answer_balance},
    {"GET", "/stats", answer_stats},
    {"PUT", "/outage", answer_outage},
    {0}};

static struct api api = {
    .settings = {.idle_ms = 15000, .process_ms = 20, .lookup_ms = 20},
    .routes = routes,
    .store = {.settled = connection_settled}, // the store tells the connection that waits
};

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn);
static void closed(struct conn *conn);
static bool commit(void);

static const struct loop_server server = {
    .conn_bytes = sizeof(struct connection),
    .conns_max = CONNECTIONS_MAX,
    .opened = opened, // a client has connected
    // Bytes have come. Returns how many of them are used; 0: more have to come.
    .received = connection_received,
    .timeout = connection_timeout, // the deadline of a connection has passed
    .woken = connection_woken,     // conn_wake() was called: the connection's wait is over
    .stop = connection_stop,       // the server is to stop; once for each connection
    .closed = closed,              // a connection is gone
    .round = commit, // all that has come is served, and the loop is about to sleep
};

static void opened(struct conn *conn)
{
    connection_opened(connection_of(conn), &api);
}

static void closed(struct conn *conn)
{
    check_then_mark_abandon(connection_of(conn));
    charge_abandon(connection_of(conn));
    http_server_done(&connection_of(conn)->http);
}

// All records that were added in this round of the loop go to the disk together; then every
// connection that waits for one of them is woken, and answers its client. True: they are not
// there yet, since more records may come at once (commit_delay.h), so the loop must not sleep.
static bool commit(void)
{
    return !store_commit(&api.store);
}

// ---- the program ---------------------------------------------------------------------------

// The journal without --journal: in the folder of this program, wherever it was started from.
static const char *default_journal(void)
{
    static char path[PATH_MAX + sizeof JOURNAL_NAME];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length < 0) // there is no /proc: then in the current folder
        length = 0;
    strcpy(path + length, JOURNAL_NAME);
    return path;
}

static void begin(const char *journal, double key_ttl, int waste_kb, const char *crash)
{
    if (strcmp(crash, "never") && !crash_arm(crash))
        options_reject("--crash-at takes one of %s, and perhaps :N, not '%s'", CRASH_POINTS,
                       crash);
    signal(SIGXFSZ, SIG_IGN); // at the limit of a file's size pwrite() fails with EFBIG
    api.store.key_ttl_ms = (int64_t)(key_ttl * 1000);
    api.store.waste_max = (uint64_t)waste_kb << 10;
    if (!journal)
        journal = default_journal();
    if (!store_begin(&api.store, journal))
        die("%s", api.store.journal.error);
    api.store.journal.crossed = crash_at;
    if (api.store.journal.recovered)
        printf("%s: records %llu\n", journal, (unsigned long long)api.store.journal.recovered);
    if (api.store.journal.cut)
        printf("%s: cut off a torn group of %llu bytes\n", journal,
               (unsigned long long)api.store.journal.cut);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *journal, *crash = "never";
    static int port = 8010, waste_kb = 1024;
    static double key_ttl = 86400;
    static bool quiet;
    struct settings *set = &api.settings;
    const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"journal", OPTION_TEXT, &journal,
         .help = "file of the charges; or " JOURNAL_NAME " beside ./server"},
        {"process-ms", OPTION_INT, &set->process_ms, 0, 60000,
         "ms that the bank takes for a charge"},
        {"lookup-ms", OPTION_INT, &set->lookup_ms, 0, 60000,
         "ms from check to mark in the notes' pattern"},
        {"key-ttl", OPTION_NUMBER, &key_ttl, 0.001, 31536000,
         "seconds until a key is forgotten"},
        {"waste-kb", OPTION_INT, &waste_kb, 0, 1 << 20,
         "KB of lines that the journal may keep without need"},
        {"crash-at", OPTION_TEXT, &crash,
         .help = "SIGKILL at POINT, POINT:N at its N-th time: crashpoint.h"},
        {"drop", OPTION_INT, &set->drop, 0, 1000000, "so many answers to charges are lost"},
        {"capacity", OPTION_INT, &set->capacity, 0, 1000000,
         "POSTs a second, above it 503; 0: no limit"},
        {"idle-ms", OPTION_INT, &set->idle_ms, 1, 3600000,
         "ms until a silent client is closed"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 10: charges that can be repeated.", options});
    log_begin(quiet);
    int listener = net_listen(host, port, BACKLOG);
    begin(journal, key_ttl, waste_kb, crash);
    long connections = loop_run(listener, &server);
    while (commit()) // clients that were cut off at the end may have asked for charges
        ;
    log_end();
    printf("stopped: connections %ld, charges %u\n", connections, api.store.charge_count);
    store_end(&api.store);
    return 0;
}
