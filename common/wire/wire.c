// wire.c: a network that you can bend and see, between a server and a client, or among many.
//
//     wire/wire --rtt 50 --loss 2 --trace -- ./server -- ./play
//
// Two network namespaces, one TUN device in each, and this program between their two file
// descriptors: wire reads each packet that one side sends, and after the delay writes it to the
// other side.
//
//     client ─ 10.0.0.1 [tun] ══ wire ══ [tun] 10.0.0.2 ─ server
//
// With --node there are as many networks as you name; --nat and --balancer put boxes between:
//
//     wire/wire --node alice --node bob -- bob: ./server -- alice: ./play
//
// Without an option that describes the link, the pair runs on loopback, and wire only starts,
// awaits and stops it. What to read: shovel() below is the loop; middle.c takes each packet
// from its node to another one, link.c makes the delay and the losses on the way, network.c the
// networks; nat.c and balancer.c are the boxes; programs.c runs the programs.
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "arguments.h"
#include "capture.h"
#include "control.h"
#include "device.h"
#include "middle.h"
#include "net.h"
#include "packet_log.h"
#include "programs.h"
#include "text.h"
#include "environment.h"

#define CLIENT_ADDRESS 0x0a000001 // 10.0.0.1
#define SERVER_ADDRESS 0x0a000002
#define SERVER_TEXT    "10.0.0.2"

static struct arguments arguments;
static int signal_fd, control_fd;

static struct timespec time_until(int64_t moment_ns)
{
    int64_t wait_ns = moment_ns - now_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    return (struct timespec){wait_ns / 1000000000, wait_ns % 1000000000};
}

bool shovel(int also, int64_t until_ns)
{
    struct pollfd polls[3 + NODES_MAX] = {
        {also, POLLIN, 0}, {signal_fd, POLLIN, 0}, {control_fd, POLLIN, 0}};
    for (int i = 0; i < node_count; i++) {
        int64_t arrival_ns = middle_arrival_ns(&nodes[i]);
        polls[3 + i] = (struct pollfd){middle_source(&nodes[i]), POLLIN, 0};
        if (arrival_ns < until_ns)
            until_ns = arrival_ns;
    }
    struct timespec timeout = time_until(until_ns);
    if (ppoll(polls, 3 + (nfds_t)node_count, &timeout, NULL) < 0)
        return false;
    for (int i = 0; i < node_count; i++) {
        middle_take(&nodes[i], polls[3 + i].revents);
        middle_deliver(&nodes[i]);
    }
    if (polls[1].revents)
        programs_note_signals();
    if (polls[2].revents)
        control_answer();
    return polls[0].revents;
}

// ---- the run -------------------------------------------------------------------------------

static void count_packets(const char *direction, const char *name, const struct link *link)
{
    fprintf(stderr, "wire: %s %s %llu packets, %llu bytes, %llu lost, %llu queue full\n",
            direction, name, (unsigned long long)link->packets,
            (unsigned long long)link->all_bytes, (unsigned long long)link->lost,
            (unsigned long long)link->dropped);
}

static void count_all(void)
{
    if (node_count == 0)
        return;
    if (middle_is_cable) {
        count_packets("to the", "server", &nodes[0].up);
        count_packets("to the", "client", &nodes[1].up);
        return;
    }
    for (int i = 0; i < node_count; i++) {
        count_packets("from", nodes[i].name, &nodes[i].up);
        if (nodes[i].down.ring)
            count_packets("to", nodes[i].name, &nodes[i].down);
    }
}

static void name_ends(void)
{
    struct packet_log *log = packet_log();
    for (int i = 0; i < node_count; i++)
        snprintf(log->names[i], END_NAME, "%s", nodes[i].name);
    for (int i = 0; i < box_count; i++)
        snprintf(log->names[box_end(&boxes[i])], END_NAME, "%s", boxes[i].name);
}

// A server and a client, and a cable between them.
static void build_cable(void)
{
    struct node *client = node_new("client"), *server = node_new("server");
    middle_is_cable = true;
    client->shape = server->shape = arguments.shape;
    client->udp_blocked = arguments.udp_blocked;
    client->addresses[client->address_count++] = CLIENT_ADDRESS;
    server->addresses[server->address_count++] = SERVER_ADDRESS;
    programs[0].node = server;
    programs[1].node = client;
    network_begin();
    network_build(&server->network, arguments.shape.mtu);
    if (!device_add_address(&server->network, SERVER_ADDRESS, 24))
        network_refuse_rights("netlink(RTM_NEWADDR)");
    network_build(&client->network, arguments.shape.mtu);
    if (!device_add_address(&client->network, CLIENT_ADDRESS, 24))
        network_refuse_rights("netlink(RTM_NEWADDR)");
    link_open(&client->up, &arguments.shape, 1);
    link_open(&server->up, &arguments.shape, 0);
    name_ends();
    packet_log_pair("client", "server");
    environment_peer(SERVER_TEXT, NULL);
    environment_link(&arguments.shape);
}

// The nodes of the command line: a star around the boxes.
static void build_star(void)
{
    network_begin();
    for (int i = 0; i < node_count; i++) {
        struct node *node = &nodes[i];
        const struct link_shape *shape = &node->shape;
        network_build(&node->network, shape->mtu);
        device_default_route(&node->network);
        for (int k = 0; k < node->address_count; k++)
            if (!device_add_address(&node->network, node->addresses[k], 32))
                network_refuse_rights("netlink(RTM_NEWADDR)");
        link_open(&node->up, shape, (unsigned)i * 2);
        if (shape->rtt_ms > 0 || shape->loss_percent > 0 || shape->rate_kbit > 0 ||
            shape->corrupt_percent > 0 || shape->reorder_percent > 0)
            link_open(&node->down, shape, (unsigned)i * 2 + 1);
    }
}

// The nodes' names in the log, the environment and the file; which pair is drawn, and how far
// apart the client and the last server are.
static void introduce_nodes(void)
{
    const struct node *client = programs[program_count - 1].node;
    const struct node *server = programs[program_count - 2].node;
    struct link_shape both = client->shape;
    char left[END_NAME], right[END_NAME];
    name_ends();
    capture_name_ends();
    environment_hosts();
    if (arguments.draw)
        sscanf(arguments.draw, "%15[^,],%15s", left, right);
    else
        packet_log_pair(client->name, client->behind ? client->behind->name : server->name);
    if (arguments.draw)
        packet_log_pair(left, right);
    both.rtt_ms += server->shape.rtt_ms;
    both.loss_percent =
        100 - (100 - both.loss_percent) * (100 - server->shape.loss_percent) / 100;
    if (both.rate_kbit == 0 ||
        (server->shape.rate_kbit > 0 && server->shape.rate_kbit < both.rate_kbit))
        both.rate_kbit = server->shape.rate_kbit;
    environment_link(&both);
}

int main(int argc, char **argv)
{
    int first = arguments_parse(argc, argv, &arguments);
    programs_find(argv + first);
    packet_log_create();
    text_begin();
    prctl(PR_SET_TIMERSLACK, 1); // ns: wake when a packet is due, not up to 50 us later
    signal_fd = programs_watch();
    control_fd = control_begin();
    capture_begin(arguments.trace, arguments.pcap_path); // before the namespaces: as the user
    if (node_count > 0) {
        build_star();
        introduce_nodes();
    } else if (arguments.shaped) {
        build_cable();
    } else {
        environment_peer("127.0.0.1", "0");
    }
    int status = programs_run();
    if (arguments.verbose)
        count_all();
    capture_finish();
    return status;
}
