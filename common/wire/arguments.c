// arguments.c: see arguments.h. The options behind a --node, --nat or --balancer, up to the
// next of these three, are about that node or box: a section.
#include "arguments.h"

#include <stdio.h>
#include <string.h>

#include "node.h"
#include "options.h"
#include "packet_log.h"
#include "setup.h"

#define MTU_DEFAULT 1500
#define NOT_GIVEN   (-1)

static struct section section; // the section that is being read
static struct arguments *all;
static struct section sections[NODES_MAX + BOXES_MAX]; // the sections before it
static int section_count;

static struct section fresh(void)
{
    return (struct section){.shape = {.rtt_ms = NOT_GIVEN,
                                      .loss_percent = NOT_GIVEN,
                                      .queue_packets = 100,
                                      .seed = 1},
                            .mute_after_ms = NOT_GIVEN,
                            .udp_timeout = UDP_TIMEOUT,
                            .tcp_timeout = TCP_TIMEOUT};
}

static bool is_general(void)
{
    return !section.node && !section.box;
}

// The section that was read so far ends; the next one begins with the general shape.
static void end_section(void)
{
    const char *about = "all";
    bool link_only =
        section.address || section.behind || section.drop || section.mute_after_ms >= 0;
    bool nat = section.box && section.box->kind == &nat_kind;
    if (section.node)
        about = section.node->name;
    if (section.box)
        about = section.box->name;
    if (link_only && !section.node && !(section.box && section.address))
        options_reject(
            "--address, --behind, --drop and --mute-after are for a --node, not for %s", about);
    if (!nat && (section.kind || section.mapping || section.filtering || section.hairpin ||
                 section.forward))
        options_reject("--kind, --mapping, --filtering, --hairpin and --forward are for a "
                       "--nat, not for %s",
                       about);
    if (section.to && (!section.box || nat))
        options_reject("--to is for a --balancer, not for %s", about);
    if (is_general()) {
        all->shape = section.shape;
        all->udp_blocked = section.udp_blocked;
    } else {
        if (section.shape.mtu != all->shape.mtu || section.shape.seed != all->shape.seed)
            options_reject("--mtu and --seed are for all, not for %s", about);
        sections[section_count++] = section;
    }
    section = fresh();
    section.shape = all->shape;
    section.udp_blocked = all->udp_blocked;
}

static void begin(const char *name)
{
    end_section();
    if (!*name || strlen(name) >= END_NAME || strpbrk(name, ":, ") || node_named(name) ||
        box_named(name))
        options_reject(
            "'%s' is no name: it is taken, or longer than %d characters, or has one of "
            "':', ',' and blank",
            name, END_NAME - 1);
}

static void node_begins(const char *name)
{
    begin(name);
    section.node = node_new(name);
    if (!section.node)
        options_reject("at most %d nodes", NODES_MAX);
}

static void box_begins(const char *name, const struct box_kind *kind)
{
    begin(name);
    section.box = box_new(name, kind);
    if (!section.box)
        options_reject("at most %d boxes", BOXES_MAX);
}

static void nat_begins(const char *name)
{
    box_begins(name, &nat_kind);
}

static void balancer_begins(const char *name)
{
    box_begins(name, &balancer_kind);
}

// ---- the options ---------------------------------------------------------------------------

static bool trace, verbose;
static const char *pcap_path, *draw;

static const struct option_spec options[] = {
    {"rtt", OPTION_NUMBER, &section.shape.rtt_ms, 0, 60000,
     "round-trip time in ms, half of it each way"},
    {"loss", OPTION_NUMBER, &section.shape.loss_percent, 0, 100,
     "percent of the packets that vanish"},
    {"corrupt", OPTION_NUMBER, &section.shape.corrupt_percent, 0, 100,
     "percent in which a bit flips on the way"},
    {"reorder", OPTION_NUMBER, &section.shape.reorder_percent, 0, 100,
     "percent that the next packet overtakes, if it is sent before they arrive"},
    {"rate", OPTION_NUMBER, &section.shape.rate_kbit, 1, 1e7,
     "kbit/s each way, counting IP packets"},
    {"queue", OPTION_INT, &section.shape.queue_packets, 1, 10000,
     "packets that --rate lets wait"},
    {"mtu", OPTION_INT, &section.shape.mtu, 68, 65535,
     "largest IP packet in bytes; 1500 if not given"},
    {"seed", OPTION_INT, &section.shape.seed, 0, 2147483647,
     "same seed, same losses, damages and delays"},
    {"udp-blocked", OPTION_FLAG, &section.udp_blocked, .help = "lets no UDP through"},
    {"trace", OPTION_FLAG, &trace, .help = "draw every packet on the story's timeline"},
    {"pcap", OPTION_TEXT, &pcap_path, .help = "file to write the packets to, for Wireshark"},
    {"verbose", OPTION_FLAG, &verbose, .help = "count the packets at the end"},
    {"draw", OPTION_TEXT, &draw, .help = "LEFT,RIGHT: the two ends that --trace draws"},
    {"node", OPTION_CALL, &(option_call){node_begins},
     .help = "a host; behind it --rtt, --loss, --rate, --queue, --udp-blocked of its link"},
    {"address", OPTION_TEXT, &section.address, .help = "ADDRESS,...: of the node, or of a box"},
    {"behind", OPTION_TEXT, &section.behind, .help = "the NAT that the node is behind"},
    {"drop", OPTION_TEXT, &section.drop,
     .help = "tcp:PORT:N or udp:PORT:N: the node's Nth packet with bytes in it is lost"},
    {"mute-after", OPTION_NUMBER, &section.mute_after_ms, 0, 1e6,
     "ms until the node is cut off: no FIN, no RST"},
    {"nat", OPTION_CALL, &(option_call){nat_begins}, .help = "a NAT; behind it:"},
    {"kind", OPTION_TEXT, &section.kind,
     .help = "full-cone, address-restricted, port-restricted or symmetric"},
    {"mapping", OPTION_TEXT, &section.mapping,
     .help = "endpoint, address or address-port (RFC 4787 section 4.1)"},
    {"filtering", OPTION_TEXT, &section.filtering, .help = "the same (RFC 4787 section 5)"},
    {"hairpin", OPTION_FLAG, &section.hairpin, .help = "lets two behind it meet outside"},
    {"udp-timeout", OPTION_NUMBER, &section.udp_timeout, 0.001, 1e6, "of a mapping, seconds"},
    {"tcp-timeout", OPTION_NUMBER, &section.tcp_timeout, 0.001, 1e6,
     "of a connection, seconds"},
    {"forward", OPTION_TEXT, &section.forward, .help = "PORT=NODE:PORT,...: ports let in"},
    {"balancer", OPTION_CALL, &(option_call){balancer_begins},
     .help = "spreads the flows to its --address"},
    {"to", OPTION_TEXT, &section.to, .help = "NODE:PORT,...: over these backends"},
    {0}};

// Puts the defaults where nothing was given.
static void settle(struct link_shape *shape)
{
    if (shape->mtu == 0)
        shape->mtu = MTU_DEFAULT;
    if (shape->rtt_ms < 0)
        shape->rtt_ms = 0;
    if (shape->loss_percent < 0)
        shape->loss_percent = 0;
}

static void check_draw(void)
{
    char left[END_NAME], right[END_NAME];
    if (draw && sscanf(draw, "%15[^,],%15s", left, right) == 2 &&
        (node_named(left) || box_named(left)) && (node_named(right) || box_named(right)))
        return;
    if (draw)
        options_reject("--draw takes LEFT,RIGHT, two nodes or boxes, not '%s'", draw);
}

int arguments_parse(int argc, char **argv, struct arguments *arguments)
{
    all = arguments;
    section = fresh();
    int first = options_parse(
        argc, argv,
        &(struct command){
            "-- ./server [...] -- ./client [...]",
            "Runs a server and a client with a network between them that you\n"
            "describe. Without --rtt, --loss, --corrupt, --reorder, --rate, --mtu,\n"
            "--trace or --pcap they talk over loopback. Exit status: the client's;\n"
            "1 if the server failed; 2 for a bad option; 3 if this machine does\n"
            "not allow it.\n\n"
            "More hosts: --node a --rtt 5 --node b -- a: ./server -- b: ./client\n"
            "Options before the first --node are for all of them; those behind\n"
            "one, for its link to the middle. A --nat or --balancer is there.",
            options});
    end_section();
    const struct link_shape *shape = &all->shape;
    all->shaped = shape->rtt_ms >= 0 || shape->loss_percent >= 0 || shape->rate_kbit > 0 ||
                  shape->corrupt_percent > 0 || shape->reorder_percent > 0 || shape->mtu ||
                  trace || pcap_path || all->udp_blocked || node_count > 0;
    all->trace = trace;
    all->verbose = verbose;
    all->pcap_path = pcap_path;
    all->draw = draw;
    check_draw();
    settle(&all->shape);
    for (int i = 0; i < section_count; i++)
        settle(&sections[i].shape);
    setup_all(sections, section_count);
    return first;
}
