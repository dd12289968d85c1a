// wire.c: a network that you can bend and see, between one server and one client.
//
//     wire/wire --rtt 50 --loss 2 --trace -- ./server -- ./play
//
// Two network namespaces, one TUN device in each, and this program between their two file
// descriptors: whatever one side sends, wire reads; after the delay it writes it to the other.
//
//     client ─ 10.0.0.1 [tun] ══ wire ══ [tun] 10.0.0.2 ─ server
//
// Without an option that describes the link, the pair runs on loopback, and wire only starts,
// awaits and stops it. What to read: link.c makes the delay and the losses, network.c the two
// networks, shovel() below is the loop around them.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "packet_log.h"
#include "link.h"
#include "net.h"
#include "network.h"
#include "options.h"
#include "packet.h"
#include "spawn.h"
#include "text.h"
#include "timeline.h"

#define MTU_DEFAULT      1500
#define CLIENT_ADDRESS   "10.0.0.1"
#define SERVER_ADDRESS   "10.0.0.2"
#define BATCH            64 // packets taken from one side before the other has its turn
#define READY_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS  5000

// The command line.
static struct link_shape shape = {
    .rtt_ms = -1, .loss_percent = -1, .queue_packets = 100, .seed = 1}; // -1: not given
static bool trace, verbose;
static const char *pcap_path;

static const struct option_spec options[] = {
    {"rtt", OPTION_NUMBER, &shape.rtt_ms, 0, 60000,
     "round-trip time in ms, half of it each way"},
    {"loss", OPTION_NUMBER, &shape.loss_percent, 0, 100, "percent of the packets that vanish"},
    {"rate", OPTION_NUMBER, &shape.rate_kbit, 1, 1e7, "kbit/s each way, counting IP packets"},
    {"queue", OPTION_INT, &shape.queue_packets, 1, 10000, "packets that --rate lets wait"},
    {"mtu", OPTION_INT, &shape.mtu, 68, 65535, "largest IP packet in bytes; 1500 if not given"},
    {"seed", OPTION_INT, &shape.seed, 0, 2147483647, "same seed, same losses"},
    {"trace", OPTION_FLAG, &trace, .help = "draw every packet on the story's timeline"},
    {"pcap", OPTION_TEXT, &pcap_path, .help = "file to write the packets to, for Wireshark"},
    {"verbose", OPTION_FLAG, &verbose, .help = "count the packets at the end"},
    {0}};

// A program that wire runs.
struct program {
    const char *name;
    pid_t pid;
    bool ended;
    int status; // as from waitpid(2)
};

static struct link links[2] = {{.from_fd = -1}, {.from_fd = -1}}; // to the server, the client
static struct conversations talk;
static bool drawn; // of the packets at least one
static FILE *pcap;
static int64_t pcap_epoch_ns; // what to add to now_ns() for the time of day
static struct program server = {.name = "server"}, client = {.name = "client"};
static struct program *const programs[2] = {&server, &client};
static int signal_fd;   // SIGCHLD, and the signals that ask wire to stop
static int stop_signal; // the one that did

// ---- packets -------------------------------------------------------------------------------

// A file for Wireshark: one header, then one before each packet
// (draft-ietf-opsawg-pcap; link type 101 is a bare IP packet).
static void pcap_open(void)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t reserved[2], snaplen, linktype;
    } header = {0xa1b23c4d /* nanoseconds */, 2, 4, {0, 0}, 65535, 101};
    struct timespec today;
    clock_gettime(CLOCK_REALTIME, &today);
    pcap_epoch_ns = today.tv_sec * INT64_C(1000000000) + today.tv_nsec - now_ns();
    pcap = fopen(pcap_path, "wbe");
    if (!pcap || fwrite(&header, sizeof header, 1, pcap) != 1)
        die("cannot write %s: %s", pcap_path, strerror(errno));
}

static void pcap_write(const uint8_t *bytes, const struct packet *packet)
{
    int64_t at_ns = packet->at_ns + pcap_epoch_ns;
    uint32_t header[4] = {(uint32_t)(at_ns / 1000000000), (uint32_t)(at_ns % 1000000000),
                          packet->length, packet->length};
    if (fwrite(header, sizeof header, 1, pcap) != 1 ||
        fwrite(bytes, packet->length, 1, pcap) != 1)
        die("cannot write %s: %s", pcap_path, strerror(errno));
}

static void draw(const struct packet *packet)
{
    static const char *const ends[] = {[LOST] = "lost", [QUEUE_FULL] = "queue full"};
    char label[PACKET_LABEL];
    packet_label(&talk, packet, label); // drawn or not: the next labels refer to it
    if (packet_log()->quiet)
        return;
    timeline_arrow(packet->at_ns, packet->to_server, label, ends[packet->fate]);
    drawn = true;
}

// Takes what a link's sender has sent, if it has, and hands over what is due.
static void move_packets(struct link *link, bool readable)
{
    struct packet packet;
    const uint8_t *bytes;
    for (int n = 0; readable && n < BATCH && link_take(link, &packet, &bytes); n++) {
        packet_log_add(&packet);
        if (pcap)
            pcap_write(bytes, &packet);
        if (trace)
            draw(&packet);
    }
    link_deliver(link);
}

// ---- the two programs ----------------------------------------------------------------------

// Starts a program that dies with wire, whatever wire dies of. `ready_fd`, or -1, is handed
// over.
static void start(struct program *program, char **command, int ready_fd)
{
    pid_t wire = getpid();
    program->pid = fork();
    if (program->pid < 0)
        die("cannot start %s: %s", command[0], strerror(errno));
    if (program->pid)
        return;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // A process group of its own: ctrl-C is for wire, which stops the two in the right order.
    // But at a terminal the client stays in the foreground, where it may read what is typed.
    if (program == &server || !isatty(STDIN_FILENO))
        setpgid(0, 0);
    if (program == &server)
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != wire)
        _exit(1);
    if (ready_fd >= 0)
        spawn_hand_over(ready_fd);
    execvp(command[0], command);
    fprintf(stderr, "wire: cannot run %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static void note_signals(void)
{
    struct signalfd_siginfo info;
    int status;
    while (read(signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            stop_signal = (int)info.ssi_signo;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < 2; i++)
            if (programs[i]->pid == pid) { // else a child that wire was born with
                programs[i]->ended = true;
                programs[i]->status = status;
            }
    }
}

// One round of the loop: sleeps until something happens, at most until `until_ns`, and handles
// it. True if the descriptor `also` (-1: none) has become readable.
static bool shovel(int also, int64_t until_ns)
{
    struct pollfd polls[] = {{also, POLLIN, 0}, {signal_fd, POLLIN, 0}, {0}, {0}};
    for (int i = 0; i < 2; i++) {
        int64_t arrival_ns = link_arrival_ns(&links[i]);
        polls[2 + i].fd = link_full(&links[i]) ? -1 : links[i].from_fd;
        polls[2 + i].events = POLLIN;
        if (arrival_ns < until_ns)
            until_ns = arrival_ns;
    }
    int64_t wait_ns = until_ns - now_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    struct timespec timeout = {wait_ns / 1000000000, wait_ns % 1000000000};
    if (ppoll(polls, 4, &timeout, NULL) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        move_packets(&links[i], polls[2 + i].revents);
        if (polls[2 + i].revents & ~POLLIN)
            links[i].from_fd = -1; // somebody has removed the device
    }
    if (polls[1].revents)
        note_signals();
    return polls[0].revents;
}

static int64_t in_ms(int64_t ms)
{
    return now_ns() + ms * 1000000;
}

// Ends a program: politely, and after STOP_TIMEOUT_MS not so. Packets move on meanwhile, so
// that it can say goodbye to its peers. Children that it leaves behind are ended with it.
static void stop(struct program *program)
{
    if (!program->pid)
        return;
    int64_t deadline = in_ms(STOP_TIMEOUT_MS);
    if (!program->ended)
        kill(program->pid, SIGTERM);
    while (!program->ended && now_ns() < deadline)
        shovel(-1, deadline);
    if (!program->ended)
        fprintf(stderr, "wire: the %s ignored SIGTERM for %d s: killed\n", program->name,
                STOP_TIMEOUT_MS / 1000);
    if (!program->ended)
        kill(program->pid, SIGKILL);
    kill(-program->pid, SIGKILL); // its process group
    while (!program->ended)
        shovel(-1, in_ms(STOP_TIMEOUT_MS));
}

// "exit status 1", or "signal 11 (Segmentation fault)", in a buffer of this function.
static const char *status_text(int status)
{
    static char text[64];
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
    return text;
}

static void setenv_number(const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", value);
    setenv(name, text, 1);
}

// Reads what the server has written to $READY_FD: "PORT\n", and a line "NAME PORT\n" for each
// further port. Returns the port; 0 after a message.
static int read_port(int ready_fd, const char *name)
{
    char text[512] = "", *end = text;
    ssize_t length = read(ready_fd, text, sizeof text - 1);
    long port = length > 0 ? strtol(text, &end, 10) : 0;
    if (port >= 1 && port <= 65535 && *end == '\n')
        return (int)port;
    for (int64_t soon = in_ms(1000); length <= 0 && !server.ended && now_ns() < soon;)
        shovel(-1, soon); // it has closed the pipe, so it is probably about to end
    if (length > 0)
        fprintf(stderr,
                "wire: %s wrote '%.*s' to $READY_FD, where its port and a newline belong\n",
                name, (int)strcspn(text, "\n"), text);
    else if (server.ended)
        fprintf(stderr, "wire: %s ended before it was ready: %s\n", name,
                status_text(server.status));
    else
        fprintf(stderr, "wire: %s closed $READY_FD without writing its port there\n", name);
    return 0;
}

// Starts the server and waits until it is ready; returns its port, or 0 after a message: it
// ended first, or is not ready in time, or wire was asked to stop.
static int start_server(char **command)
{
    int ready[2], port = 0;
    if (pipe2(ready, O_CLOEXEC) || fcntl(ready[0], F_SETFL, O_NONBLOCK))
        die("cannot make a pipe: %s", strerror(errno));
    unsetenv("READY_FD"); // of whoever has started wire
    start(&server, command, ready[1]);
    close(ready[1]);
    int64_t deadline = in_ms(READY_TIMEOUT_MS);
    bool spoke = false;
    while (!spoke && !server.ended && !stop_signal && now_ns() < deadline)
        spoke = shovel(ready[0], deadline);
    if (spoke || server.ended)
        port = read_port(ready[0], command[0]);
    else if (!stop_signal)
        fprintf(stderr,
                "wire: %s was not ready within %d s (it writes its port to $READY_FD)\n",
                command[0], READY_TIMEOUT_MS / 1000);
    close(ready[0]);
    return port;
}

// ---- the run -------------------------------------------------------------------------------

static void count_packets(void)
{
    for (int i = 0; i < 2; i++)
        fprintf(stderr,
                "wire: to the %s %llu packets, %llu bytes, %llu lost, %llu queue full\n",
                i ? "client" : "server", (unsigned long long)links[i].packets,
                (unsigned long long)links[i].all_bytes, (unsigned long long)links[i].lost,
                (unsigned long long)links[i].dropped);
}

static void watch_signals(void)
{
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGHUP);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd < 0)
        die("cannot make a signalfd: %s", strerror(errno));
}

// Finds "-- SERVER ... -- CLIENT ..." in what follows the options; ends each with NULL.
static void split_commands(char **arguments, char ***server_command, char ***client_command)
{
    char **second = arguments;
    while (*second && strcmp(*second, "--"))
        second++;
    if (!*arguments || second == arguments || !*second || !second[1]) {
        fprintf(stderr, "wire: usage: wire [options] -- ./server [...] -- ./client [...]\n");
        exit(2);
    }
    *second = NULL;
    *server_command = arguments;
    *client_command = second + 1;
}

// Builds both networks, and tells the two programs about them.
static void build_wire(int *server_network, int *client_network)
{
    if (shape.mtu == 0)
        shape.mtu = MTU_DEFAULT;
    if (shape.rtt_ms < 0) // not given
        shape.rtt_ms = 0;
    if (shape.loss_percent < 0)
        shape.loss_percent = 0;
    network_begin();
    int server_fd = network_build(SERVER_ADDRESS, shape.mtu, server_network);
    int client_fd = network_build(CLIENT_ADDRESS, shape.mtu, client_network);
    link_open(&links[0], &shape, true, client_fd, server_fd);
    link_open(&links[1], &shape, false, server_fd, client_fd);
    packet_log()->tunnel = true;
    packet_log()->rtt_ms = shape.rtt_ms;
    packet_log()->loss = shape.loss_percent;
    packet_log()->rate = shape.rate_kbit;
    packet_log()->mtu = shape.mtu;
    setenv_number("WIRE_RTT", shape.rtt_ms);
    setenv_number("WIRE_LOSS", shape.loss_percent);
    setenv_number("WIRE_RATE", shape.rate_kbit);
    setenv("HOST", SERVER_ADDRESS, 1);
    unsetenv("PORT"); // the lesson's own
}

// Plays the client against the server that is ready on `port`; returns the exit status of all.
static int play(char **client_command, int port)
{
    setenv_number("PORT", port);
    start(&client, client_command, -1);
    while (!client.ended && !stop_signal)
        shovel(-1, INT64_MAX);
    bool finished = client.ended;
    stop(&client);
    stop(&server);
    if (!finished)
        return 128 + stop_signal;
    if (WIFSIGNALED(client.status))
        fprintf(stderr, "wire: the client was ended by %s\n", status_text(client.status));
    if (server.status)
        fprintf(stderr, "wire: the server ended with %s\n", status_text(server.status));
    if (WIFSIGNALED(client.status))
        return 128 + WTERMSIG(client.status);
    if (client.status)
        return WEXITSTATUS(client.status);
    return server.status != 0;
}

int main(int argc, char **argv)
{
    char **server_command, **client_command;
    int first = options_parse(
        argc, argv,
        &(struct command){
            "-- ./server [...] -- ./client [...]",
            "Runs a server and a client with a network between them that you\n"
            "describe. Without --rtt, --loss, --rate, --mtu, --trace or --pcap\n"
            "they talk over loopback. Exit status: the client's; 1 if the server\n"
            "failed; 2 for a bad option; 3 if this machine does not allow it.",
            options});
    split_commands(argv + first, &server_command, &client_command);
    bool tunnel = shape.rtt_ms >= 0 || shape.loss_percent >= 0 || shape.rate_kbit > 0 ||
                  shape.mtu || trace || pcap_path;
    int server_network = -1, client_network = -1;

    packet_log_create();
    text_begin();
    prctl(PR_SET_TIMERSLACK, 1); // ns: wake when a packet is due, not up to 50 us later
    watch_signals();
    setenv("HOST", "127.0.0.1", 1);
    setenv("PORT", "0", 1);
    if (pcap_path)
        pcap_open(); // before the namespaces: as the user who asked for it
    if (tunnel)
        build_wire(&server_network, &client_network);

    network_enter(server_network);
    int port = start_server(server_command);
    network_enter(client_network);
    int status = 1; // the server is not there
    if (port)
        status = play(client_command, port);
    else if (stop_signal)
        status = 128 + stop_signal;
    stop(&server);
    if (trace && !drawn)
        printf("wire: nothing to draw packets on, this scene has no timeline; --pcap keeps "
               "them\n");
    if (verbose)
        count_packets();
    if (pcap && fclose(pcap))
        die("cannot write %s: %s", pcap_path, strerror(errno));
    return status;
}
