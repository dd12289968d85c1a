// peer.c: two peers, each perhaps behind a router, find a path to each other and chat over it.
//
// Run:    ./server                           in one terminal, and in two other ones:
//         ./peer offer                       prints an offer: copy it
//         ./peer answer                      paste the offer here; copy the answer
//                                            paste the answer into the first one: type a line
// Watch:  with --verbose, the candidates, every check, and the path that is chosen. The server
//         is asked for addresses; what you type does not go through it (if no --relay is
//         needed).
//
// Read main() first. The path is found by an agent (ice.h); description.h is the text that you
// carry from one to the other.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ice.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "sockets.h"

#define GATHER_MS 10000
#define SETTLE_MS 200 // that a path which works waits for a better one
#define LOOK_MS   100 // how often a peer looks whether the other one's file is there
#define FOREVER   (24 * 3600 * 1000)
#define GOODBYE   "\x04" // the line of a peer that leaves

static const char *host = "127.0.0.1", *folder = "";
static int port = 8101, patience = 30;
static bool verbose, relay, only_relay;

static struct ice_agent agent;
static struct ice_agent *const agents[] = {&agent};
static bool left; // the other peer has said goodbye

static void tell(struct ice_agent *teller, const char *text)
{
    (void)teller;
    if (verbose)
        fprintf(stderr, "- %s\n", text);
}

static void show_line(struct ice_agent *from, const uint8_t *bytes, size_t length)
{
    (void)from;
    if (length == 1 && bytes[0] == GOODBYE[0]) {
        left = true;
        return;
    }
    fputs("< ", stdout);
    output_bytes(bytes, length);
    putchar('\n');
    output_flush();
}

static bool is_gathered(void)
{
    return agent.state != ICE_GATHERING;
}

static bool is_decided(void)
{
    return agent.state == ICE_CONNECTED || agent.state == ICE_FAILED;
}

static bool is_over(void)
{
    return left || agent.state == ICE_FAILED;
}

static bool never(void)
{
    return false;
}

// ---- the text travels ----------------------------------------------------------------------

static void give(const char *name)
{
    char text[DESCRIPTION_BYTES], path[500], part[510];
    struct description mine = ice_describe(&agent);
    size_t length = description_write(&mine, text);
    FILE *file = stdout;
    if (*folder) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        snprintf(part, sizeof part, "%s.part", path);
        file = fopen(part, "w");
        if (!file)
            die("cannot write %s: %s", part, strerror(errno));
    }
    fwrite(text, 1, length, file);
    if (!*folder)
        output_flush();
    else if (fclose(file) || rename(part, path)) // the other peer sees it whole, or not at all
        die("cannot write %s: %s", path, strerror(errno));
}

// Reads lines of standard input up to the last one of a description.
static void read_description(char *text)
{
    size_t length = 0;
    text[0] = '\0';
    while (!strstr(text, DESCRIPTION_END "\n") && !strstr(text, DESCRIPTION_END "\r\n")) {
        char byte;
        ice_run(agents, 1, never, FOREVER, STDIN_FILENO); // keeps the NAT's mapping meanwhile
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got <= 0)
            die("the other peer's description ends before '" DESCRIPTION_END "'");
        if (length + 1 < DESCRIPTION_BYTES)
            text[length++] = byte;
        else
            die("the other peer's description is too long");
        text[length] = '\0';
    }
}

static void read_file(const char *name, char *text)
{
    char path[500];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    while (!(file = fopen(path, "r")))
        ice_run(agents, 1, never, LOOK_MS, -1);
    text[fread(text, 1, DESCRIPTION_BYTES - 1, file)] = '\0';
    fclose(file);
}

static void take(const char *name, struct description *theirs)
{
    char text[DESCRIPTION_BYTES];
    if (!*folder && isatty(STDIN_FILENO))
        fprintf(stderr, "(paste the other peer's %s, and press enter behind it)\n", name);
    if (*folder)
        read_file(name, text);
    else
        read_description(text);
    const char *why = description_read(text, theirs);
    if (why)
        die("the other peer's description: %s", why);
    if (theirs->left_out)
        fprintf(stderr, "%d candidates are of no use here\n", theirs->left_out);
}

// ---- the chat ------------------------------------------------------------------------------

static void chat(void)
{
    char line[ICE_DATA_MAX + 2];
    size_t length = 0;
    bool more = true;
    while (more && !is_over()) {
        ice_run(agents, 1, is_over, FOREVER, STDIN_FILENO);
        if (is_over())
            break;
        more = read(STDIN_FILENO, line + length, 1) == 1;
        if (more && line[length] != '\n' && length < ICE_DATA_MAX) {
            length++;
        } else if (length > 0) {
            if (!ice_send(&agent, line, length))
                fprintf(stderr, "there is no path at the moment: the line is lost\n");
            length = 0;
        }
    }
    if (!more)
        ice_send(&agent, GOODBYE, 1);
    if (left)
        puts("the other peer has left");
}

static void find_path(void)
{
    char text[PAIR_TEXT];
    ice_run(agents, 1, is_decided, FOREVER, -1);
    const struct ice_pair *path = ice_path(&agent);
    if (!path)
        die("no path to the other peer in %d s%s", patience,
            relay ? "" : " (try --relay on both sides)");
    fprintf(stderr, "connected: %s\n", ice_pair_text(&agent, path, text));
}

int main(int argc, char **argv)
{
    struct sockaddr_storage server;
    struct description theirs;
    int fds[ICE_SOCKETS_MAX];
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "the STUN server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"folder", OPTION_TEXT, &folder,
         .help = "where the texts are left, as files offer and answer"},
        {"patience", OPTION_INT, &patience, 1, 3600, "seconds until the checks are given up"},
        {"relay", OPTION_FLAG, &relay, .help = "asks the server for a relayed address as well"},
        {"only-relay", OPTION_FLAG, &only_relay, .help = "and uses no other one"},
        {"verbose", OPTION_FLAG, &verbose, .help = "tells every candidate and every check"},
        {0}};
    output_begin();
    int first = options_parse(
        argc, argv,
        &(struct command){"offer|answer",
                          "Lesson 01, nat: finds another peer, and chats with it.", options});
    const char *role = first < argc ? argv[first] : "";
    bool offers = !strcmp(role, "offer");
    if (!offers && strcmp(role, "answer") != 0)
        options_reject("say offer or answer, not '%s'", role);
    net_address(host, port, SOCK_DGRAM, &server);
    agent.set.settle = SETTLE_MS;
    agent.set.patience = patience * 1000;
    agent.set.relay = relay || only_relay;
    agent.set.only_relay = only_relay;
    agent.told = tell;
    agent.received = show_line;
    ice_begin(&agent, offers, fds, local_sockets(&server, fds, ICE_SOCKETS_MAX), &server);
    ice_run(agents, 1, is_gathered, GATHER_MS, -1);
    if (offers) {
        give("offer");
        take("answer", &theirs);
    } else {
        take("offer", &theirs);
        give("answer");
    }
    ice_start(&agent, &theirs);
    find_path();
    chat();
    output_flush();
    return 0;
}
