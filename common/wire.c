// wire.c: a network that you can bend and see, between one server and one client.
//
//     ./wire --rtt 50 --loss 2 --trace -- ./server -- ./client
//
// Two network namespaces, one TUN device in each, and this program between their two file
// descriptors: whatever one side sends, wire reads; after the delay it writes it to the other.
//
//     client ─ 10.0.0.1 [tun] ══ wire ══ [tun] 10.0.0.2 ─ server
//
// Without an option that describes the link, the pair runs on loopback, and wire only starts,
// awaits and stops it. What to read: link_take() decides a packet's fate, link_deliver() lets
// it arrive, shovel() is the loop around them.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "net.h"
#include "options.h"
#include "packet.h"
#include "story.h"

#define MTU_DEFAULT      1500
#define CLIENT_ADDRESS   "10.0.0.1"
#define SERVER_ADDRESS   "10.0.0.2"
#define IN_FLIGHT_MAX    16384 // packets between the two sides, each way; then wire stops reading
#define BATCH            64    // packets taken from one side before the other has its turn
#define DEVICE_QUEUE     20000 // packets that the kernel keeps for us while we are busy
#define READY_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS  5000
#define EXIT_REFUSED     3 // this machine does not let us build the wire

// The command line.
static double rtt_ms = -1, loss_percent = -1, rate_kbit = -1;
static int queue_packets = 100, mtu = 0, seed = 1;
static bool trace, verbose;
static const char *pcap_path;

static const struct option_spec options[] = {
    {"rtt", OPTION_NUMBER, &rtt_ms, 0, 60000, "round-trip time in ms, half of it each way"},
    {"loss", OPTION_NUMBER, &loss_percent, 0, 100, "percent of the packets that vanish"},
    {"rate", OPTION_NUMBER, &rate_kbit, 1, 1e7, "kbit/s each way, counting IP packets"},
    {"queue", OPTION_INT, &queue_packets, 1, 30000, "packets that --rate lets wait"},
    {"mtu", OPTION_INT, &mtu, 68, 65535, "largest IP packet in bytes; 1500 if not given"},
    {"seed", OPTION_INT, &seed, 0, 2147483647, "same seed, same losses"},
    {"trace", OPTION_FLAG, &trace, .help = "draw every packet on the story's timeline"},
    {"pcap", OPTION_TEXT, &pcap_path, .help = "file to write the packets to, for Wireshark"},
    {"verbose", OPTION_FLAG, &verbose, .help = "describe the link, and count at the end"},
    {0}};

struct in_flight {
    int64_t departs_ns; // when its last bit leaves the bottleneck
    int64_t arrives_ns;
    uint16_t length;
    bool lost;
};

// One direction. The packets in flight are a ring: they arrive in the order they were sent.
struct link {
    bool to_server;
    int from_fd, to_fd;
    uint64_t random;
    int64_t last_departure_ns;
    uint32_t first, departing, next; // ring positions: arrives next, departs next, free
    struct in_flight *ring;
    uint8_t *bytes; // mtu bytes for each ring position
    uint64_t packets, lost, dropped, total_bytes;
};

// A program that wire runs.
struct program {
    const char *name;
    pid_t pid;
    bool ended;
    int status; // as from waitpid(2)
};

static struct link links[2] = {{.from_fd = -1},
                               {.from_fd = -1}}; // to the server, to the client
static struct conversations talk;
static FILE *pcap;
static int64_t pcap_epoch_ns; // what to add to now_ns() for the time of day
static struct program server = {.name = "server"}, client = {.name = "client"};
static int signal_fd;   // SIGCHLD, and the signals that ask wire to stop
static int stop_signal; // the one that did

// ---- building the wire ---------------------------------------------------------------------

// This machine refuses a step of building the wire: says which, why, and what would allow it.
static _Noreturn void refuse(const char *step, const char *remedy)
{
    fprintf(stderr, "wire: cannot build the network: %s: %s\n      %s\n", step, strerror(errno),
            remedy);
    exit(EXIT_REFUSED);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        refuse(path, "run wire as root, or where unprivileged user namespaces are allowed");
    close(fd);
}

// Moves this process into a network of its own. Root may just do it; anybody else becomes root
// of a new user namespace first (user_namespaces(7)).
static void enter_new_network(void)
{
    if (unshare(CLONE_NEWNET) == 0)
        return;
    char map[32], group_map[32];
    snprintf(map, sizeof map, "0 %u 1", geteuid());
    snprintf(group_map, sizeof group_map, "0 %u 1", getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
        refuse("unshare(CLONE_NEWUSER | CLONE_NEWNET)",
               "try: sudo sysctl user.max_user_namespaces=10000, and where it exists\n"
               "      sudo sysctl kernel.unprivileged_userns_clone=1. In a container:\n"
               "      docker run --privileged. In a chroot only root can. Or run as root.");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    write_file("/proc/self/gid_map", group_map);
}

// Brings a device up, with an MTU and room for DEVICE_QUEUE packets: one message to the kernel
// (rtnetlink(7)). ioctl() would do, but it lets only the machine's own root change the queue.
static void device_up(const char *name, uint32_t device_mtu)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg device;
        struct {
            struct rtattr header;
            uint32_t value;
        } attributes[2];
    } request = {
        {sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 0, 0},
        {.ifi_index = (int)if_nametoindex(name), .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
        {{{RTA_LENGTH(4), IFLA_MTU}, device_mtu},
         {{RTA_LENGTH(4), IFLA_TXQLEN}, DEVICE_QUEUE}}};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } reply = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, &request, sizeof request, 0) < 0 ||
        recv(fd, &reply, sizeof reply, 0) < 0)
        refuse("netlink(RTM_NEWLINK)", "run wire as root");
    close(fd);
    errno = -reply.error.error;
    if (errno)
        refuse(
            "netlink(RTM_NEWLINK)",
            "this needs CAP_NET_ADMIN in the new namespace. On Ubuntu 24.04:\n"
            "      sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root");
}

static void set_address(const char *name, unsigned long request, const char *address)
{
    struct ifreq interface = {0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &in.sin_addr);
    snprintf(interface.ifr_name, IFNAMSIZ, "%s", name);
    memcpy(&interface.ifr_addr, &in, sizeof in);
    if (fd < 0 || ioctl(fd, request, &interface))
        refuse("ioctl(SIOCSIFADDR)", "this needs CAP_NET_ADMIN: run wire as root");
    close(fd);
}

// The same TCP on every machine: an old, well-understood congestion control, and no memory of
// earlier connections. Where /proc/sys cannot be written, it stays as it is.
static void set_sysctl(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, value, strlen(value)) < 0 && verbose)
            fprintf(stderr, "wire: cannot write %s to %s: %s\n", value, path, strerror(errno));
        close(fd);
    }
}

// Puts this process into a new network with one TUN device (the kernel's
// Documentation/networking/tuntap.rst) and returns the device's other end: what the network
// sends is read from it, what is written to it arrives there. `network` gets a descriptor of
// the network, for enter_network().
static int build_side(const char *address, int *network)
{
    struct ifreq tun = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "wire"};
    enter_new_network();
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        refuse("open(/dev/net/tun)",
               errno == EACCES ? "to allow your user: sudo chmod 666 /dev/net/tun"
                               : "sudo modprobe tun; in a container: docker run --privileged");
    if (ioctl(fd, TUNSETIFF, &tun))
        refuse("ioctl(TUNSETIFF)", "this needs CAP_NET_ADMIN: run wire as root");
    device_up("lo", 65536);
    device_up("wire", (uint32_t)mtu);
    set_address("wire", SIOCSIFADDR, address);
    set_address("wire", SIOCSIFNETMASK, "255.255.255.0");
    set_sysctl("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
    set_sysctl("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
    *network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*network < 0)
        refuse("open(/proc/self/ns/net)", "mount -t proc proc /proc");
    return fd;
}

// Moves this process, and what it starts from now on, into a network (-1: where it is).
static void enter_network(int network)
{
    if (network >= 0 && setns(network, CLONE_NEWNET))
        die("cannot enter a network: %s", strerror(errno));
}

static void link_open(struct link *link, bool to_server, int from_fd, int to_fd)
{
    *link = (struct link){.to_server = to_server, .from_fd = from_fd, .to_fd = to_fd};
    link->random = (uint64_t)seed * 2 + to_server;
    link->ring = calloc(IN_FLIGHT_MAX, sizeof *link->ring);
    link->bytes = malloc((size_t)IN_FLIGHT_MAX * (size_t)mtu); // touched only as far as used
    if (!link->ring || !link->bytes)
        die("no memory for packets in flight");
}

// ---- packets -------------------------------------------------------------------------------

// SplitMix64 (Steele, Lea, Flood 2014): a number in [0, 1), from a state that any seed will do.
static double random_fraction(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

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

// Decides what becomes of a packet: it waits for its turn at the bottleneck, may be lost on the
// way, and arrives after the delay; if the queue is full, it does not even start.
static enum fate link_send(struct link *link, const struct packet *packet)
{
    bool lost = random_fraction(&link->random) * 100 < loss_percent;
    int64_t now = packet->at_ns, takes_ns = 0;
    if ((int32_t)(link->departing - link->first) < 0)
        link->departing = link->first;
    while (link->departing != link->next &&
           link->ring[link->departing % IN_FLIGHT_MAX].departs_ns <= now)
        link->departing++;
    if (rate_kbit > 0) {
        takes_ns = (int64_t)(packet->length * 8e6 / rate_kbit);
        if (link->next - link->departing >= (uint32_t)queue_packets)
            return QUEUE_FULL;
    }
    if (link->last_departure_ns < now)
        link->last_departure_ns = now; // the bottleneck was idle
    link->last_departure_ns += takes_ns;
    link->ring[link->next++ % IN_FLIGHT_MAX] = (struct in_flight){
        .departs_ns = link->last_departure_ns,
        .arrives_ns = link->last_departure_ns + (int64_t)(rtt_ms * 1e6 / 2),
        .length = packet->length,
        .lost = lost,
    };
    return lost ? LOST : PASSED;
}

static void draw(const struct packet *packet)
{
    static const char *const ends[] = {[LOST] = "lost", [QUEUE_FULL] = "queue full"};
    char label[PACKET_LABEL];
    packet_label(&talk, packet, label);
    if (!board()->quiet)
        story_arrow(packet->at_ns, packet->to_server, label, ends[packet->fate]);
}

// Takes the next packet from its sender. False if there is none, or no room for one.
static bool link_take(struct link *link)
{
    if (link->next - link->first == IN_FLIGHT_MAX)
        return false;
    uint8_t *bytes = link->bytes + (size_t)(link->next % IN_FLIGHT_MAX) * (size_t)mtu;
    ssize_t length = read(link->from_fd, bytes, (size_t)mtu);
    if (length <= 0)
        return false;
    struct packet packet = {.at_ns = now_ns(), .to_server = link->to_server};
    if (!packet_decode(bytes, (size_t)length, &packet))
        return true; // IPv6 greets its neighbours: not on this wire
    packet.fate = (uint8_t)link_send(link, &packet);
    link->packets++;
    link->total_bytes += packet.length;
    link->lost += packet.fate == LOST;
    link->dropped += packet.fate == QUEUE_FULL;
    board_add(&packet);
    if (pcap)
        pcap_write(bytes, &packet);
    if (trace)
        draw(&packet);
    return true;
}

// Hands over what has arrived by now.
static void link_deliver(struct link *link)
{
    for (; link->first != link->next; link->first++) {
        const struct in_flight *flight = &link->ring[link->first % IN_FLIGHT_MAX];
        if (flight->arrives_ns > now_ns())
            return;
        const uint8_t *bytes =
            link->bytes + (size_t)(link->first % IN_FLIGHT_MAX) * (size_t)mtu;
        if (!flight->lost && write(link->to_fd, bytes, flight->length) < 0 && verbose)
            fprintf(stderr, "wire: the network refused a packet: %s\n", strerror(errno));
    }
}

// ---- the two programs ----------------------------------------------------------------------

// Starts a program that dies with wire, whatever wire dies of. `ready_fd`, or -1, stays open.
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
    setpgid(0, 0); // ctrl-C is for wire, which stops the two in the right order
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != wire)
        _exit(1);
    if (ready_fd >= 0)
        fcntl(ready_fd, F_SETFD, 0);
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
        struct program *program = pid == server.pid ? &server : &client;
        program->ended = true;
        program->status = status;
    }
}

// One round of the loop: sleeps until something happens, at most until `until_ns`, and handles
// it. True if the descriptor `also` (-1: none) has become readable.
static bool shovel(int also, int64_t until_ns)
{
    struct pollfd polls[] = {{also, POLLIN, 0}, {signal_fd, POLLIN, 0}, {0}, {0}};
    for (int i = 0; i < 2; i++) {
        const struct link *link = &links[i];
        bool full = link->next - link->first == IN_FLIGHT_MAX;
        polls[2 + i] = (struct pollfd){full ? -1 : link->from_fd, POLLIN, 0};
        if (link->first != link->next &&
            link->ring[link->first % IN_FLIGHT_MAX].arrives_ns < until_ns)
            until_ns = link->ring[link->first % IN_FLIGHT_MAX].arrives_ns;
    }
    int64_t wait_ns = until_ns - now_ns();
    wait_ns = wait_ns > 0 ? wait_ns : 0;
    struct timespec timeout = {wait_ns / 1000000000, wait_ns % 1000000000};
    if (ppoll(polls, 4, &timeout, NULL) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        for (int n = 0; polls[2 + i].revents && n < BATCH && link_take(&links[i]); n++)
            ;
        link_deliver(&links[i]);
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
// that it can say goodbye to its peers.
static void stop(struct program *program)
{
    if (!program->pid || program->ended)
        return;
    kill(program->pid, SIGTERM);
    int64_t deadline = in_ms(STOP_TIMEOUT_MS);
    while (!program->ended && now_ns() < deadline)
        shovel(-1, deadline);
    if (!program->ended)
        fprintf(stderr, "wire: the %s ignored SIGTERM for %d s: killed\n", program->name,
                STOP_TIMEOUT_MS / 1000);
    kill(-program->pid, SIGKILL); // and the children that it may have left
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

// Starts the server and waits until it has written its port to $READY_FD; returns the port, or
// 0 after a message: it ended first, or is not ready in time, or wire was asked to stop.
static int start_server(char **command)
{
    int ready[2];
    char port[16] = "";
    if (pipe2(ready, O_CLOEXEC))
        die("cannot make a pipe: %s", strerror(errno));
    setenv_number("READY_FD", ready[1]);
    start(&server, command, ready[1]);
    unsetenv("READY_FD");
    close(ready[1]);
    int64_t deadline = in_ms(READY_TIMEOUT_MS);
    while (!shovel(ready[0], deadline) && !server.ended && !stop_signal && now_ns() < deadline)
        ;
    bool in_time = server.ended || now_ns() < deadline;
    if (!in_time)
        fprintf(stderr,
                "wire: %s was not ready within %d s (it writes its port to $READY_FD)\n",
                command[0], READY_TIMEOUT_MS / 1000);
    else if (!stop_signal && read(ready[0], port, sizeof port - 1) <= 0) {
        stop(&server); // it has closed the pipe, so it is about to end
        fprintf(stderr, "wire: %s ended before it was ready: %s\n", command[0],
                status_text(server.status));
    }
    close(ready[0]);
    return atoi(port);
}

// ---- the run -------------------------------------------------------------------------------

static void count_packets(void)
{
    for (int i = 0; i < 2; i++)
        fprintf(stderr,
                "wire: to the %s %llu packets, %llu bytes, %llu lost, %llu queue full\n",
                i ? "client" : "server", (unsigned long long)links[i].packets,
                (unsigned long long)links[i].total_bytes, (unsigned long long)links[i].lost,
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
    mtu = mtu ? mtu : MTU_DEFAULT;
    int server_fd = build_side(SERVER_ADDRESS, server_network);
    int client_fd = build_side(CLIENT_ADDRESS, client_network);
    rtt_ms = rtt_ms < 0 ? 0 : rtt_ms;
    loss_percent = loss_percent < 0 ? 0 : loss_percent;
    rate_kbit = rate_kbit < 0 ? 0 : rate_kbit;
    link_open(&links[0], true, client_fd, server_fd);
    link_open(&links[1], false, server_fd, client_fd);
    board()->tunnel = true;
    board()->rtt_ms = rtt_ms;
    board()->loss = loss_percent;
    board()->rate = rate_kbit;
    board()->mtu = mtu;
    setenv_number("WIRE_RTT", rtt_ms);
    setenv_number("WIRE_LOSS", loss_percent);
    setenv_number("WIRE_RATE", rate_kbit);
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
    bool server_was_up = !server.ended;
    stop(&server);
    if (!finished)
        return 128 + stop_signal;
    if (WIFSIGNALED(client.status))
        fprintf(stderr, "wire: the client was ended by %s\n", status_text(client.status));
    if (server_was_up && server.status)
        fprintf(stderr, "wire: the server stopped with %s\n", status_text(server.status));
    if (client.status)
        return WIFSIGNALED(client.status) ? 128 + WTERMSIG(client.status)
                                          : WEXITSTATUS(client.status);
    return server_was_up && server.status ? 1 : 0;
}

int main(int argc, char **argv)
{
    char **server_command, **client_command;
    int first = options_parse(
        argc, argv,
        &(struct command){"-- ./server [...] -- ./client [...]",
                          "Runs a server and a client with a network between them that you\n"
                          "describe. Without --rtt, --loss, --rate, --mtu, --trace or --pcap\n"
                          "they talk over loopback.",
                          options});
    split_commands(argv + first, &server_command, &client_command);
    bool tunnel =
        rtt_ms >= 0 || loss_percent >= 0 || rate_kbit > 0 || mtu || trace || pcap_path;
    int server_network = -1, client_network = -1;

    story_begin(STORY_WIRE);
    prctl(PR_SET_TIMERSLACK, 1); // ns: wake when a packet is due, not up to 50 us later
    watch_signals();
    board_create();
    setenv("HOST", "127.0.0.1", 1);
    setenv("PORT", "0", 1);
    if (pcap_path)
        pcap_open(); // before the namespaces: as the user who asked for it
    if (tunnel)
        build_wire(&server_network, &client_network);

    enter_network(server_network);
    int port = start_server(server_command);
    enter_network(client_network);
    int status = port ? play(client_command, port) : stop_signal ? 128 + stop_signal : 1;
    stop(&server);
    if (verbose)
        count_packets();
    if (pcap && fclose(pcap))
        die("cannot write %s: %s", pcap_path, strerror(errno));
    return status;
}
