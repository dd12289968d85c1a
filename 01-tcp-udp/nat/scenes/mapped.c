// mapped.c: a host behind a NAT asks the server for its address. What does that cost the
// server?
#include <unistd.h>

#include "datagram.h"
#include "cast.h"
#include "claim.h"
#include "lend.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define HOSTS   3
#define PACKETS 64

static const struct claim stun = {"1.17", "guide §4.5",
                                  "a STUN server tells the public address, relays nothing, and "
                                  "is cheap to run",
                                  HOLDS, NULL};

struct traffic {
    unsigned in, out, other, bytes; // of the server's node: datagrams; `other`: not of an asker
};

// What went in and out of the server's node since `mark`.
static struct traffic count_traffic(uint32_t mark)
{
    struct packet packets[PACKETS];
    struct traffic traffic = {0};
    uint8_t server = packet_log_end("stun"), home = packet_log_end("home");
    uint32_t count = packet_log_read(mark, packets, PACKETS);
    for (uint32_t i = 0; i < count; i++) {
        const struct packet *p = &packets[i];
        if (p->to != server && p->from != server)
            continue;
        traffic.bytes += p->length;
        if (p->from == home)
            traffic.in++;
        else if (p->to == home)
            traffic.out++;
        else
            traffic.other++;
    }
    return traffic;
}

void scene_mapped(void)
{
    char inside[NET_NAME], outside[NET_NAME];
    struct sockaddr_storage local, mapped[HOSTS];
    int translated = 0, fds[HOSTS];
    cast_server();
    if (!packet_log()->tunnel) {
        claim_skip(&stun);
        return;
    }
    story_say("Alice is behind a router that she calls home. She asks the STUN server on the "
              "other side for her address. Her datagram makes two hops: to the NAT, and from "
              "there, with another source, to the server.");
    fds[0] = lend_socket("alice");
    uint32_t mark = packet_log_mark();
    packet_log_pair("alice", "home"); // the first hop
    story_timeline();
    mapped[0] = cast_mapped(fds[0]);
    packet_log_pair("home", "stun"); // and, when she asks again, the second one
    story_timeline();
    mapped[0] = cast_mapped(fds[0]);
    story_quiet(true);
    fds[1] = lend_socket("alice");
    fds[2] = lend_socket("carol");
    mapped[1] = cast_mapped(fds[1]);
    mapped[2] = cast_mapped(fds[2]);
    struct traffic traffic = count_traffic(mark);
    story_say("Three sockets behind the same NAT, and how the server sees them:");
    story_say("");
    for (int i = 0; i < HOSTS; i++) {
        local = address_of_socket(fds[i]);
        story_say("%-8s %-20s %s", i < 2 ? "alice" : "carol", net_name(&local, inside),
                  net_name(&mapped[i], outside));
        translated +=
            !address_is_host(&local, &mapped[i]) && address_is_host(&mapped[i], &mapped[0]);
        close(fds[i]);
    }
    bool different = !address_is(&mapped[0], &mapped[1]) && !address_is(&mapped[1], &mapped[2]);
    bool cheap = traffic.in == traffic.out && traffic.in >= HOSTS + 1 && traffic.other == 0;
    claim_report(&stun, holds_if(translated == HOSTS && different && cheap),
                 "%d questions, each from an address that its host does not know: %u datagrams "
                 "in, %u out, %u bytes a question in all, nothing to or from anybody else. The "
                 "server keeps nothing",
                 HOSTS + 1, traffic.in, traffic.out, traffic.bytes / (HOSTS + 1));
}
