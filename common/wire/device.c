// device.c: see device.h.
#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE_QUEUE 20000 // packets that the kernel keeps for us while we are busy

int device_kernel(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        network_refuse("netlink(NETLINK_ROUTE)", "this kernel has no rtnetlink");
    return fd;
}

// Sends one message to the kernel. Returns true if it has done so, else sets errno.
static bool ask(const struct network *network, const void *request, size_t length)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } reply = {0};
    if (send(network->kernel, request, length, 0) < 0 ||
        recv(network->kernel, &reply, sizeof reply, 0) < 0)
        network_refuse("netlink(NETLINK_ROUTE)", "this kernel has no rtnetlink");
    errno = -reply.error.error;
    return errno == 0;
}

// One message does it all; ioctl() lets only the machine's own root change the queue.
void device_up(const struct network *network, const char *name, int mtu)
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
        {{{RTA_LENGTH(4), IFLA_MTU}, (uint32_t)mtu},
         {{RTA_LENGTH(4), IFLA_TXQLEN}, DEVICE_QUEUE}}};
    if (!ask(network, &request, sizeof request))
        network_refuse_rights("netlink(RTM_NEWLINK)");
}

static bool change_address(const struct network *network, uint16_t type, uint16_t flags,
                           uint32_t address, int prefix)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg message;
        struct rtattr attribute;
        uint32_t address;
    } request = {{sizeof request, type, NLM_F_REQUEST | NLM_F_ACK | flags, 0, 0},
                 {.ifa_family = AF_INET,
                  .ifa_prefixlen = (uint8_t)prefix,
                  .ifa_index = (unsigned)network->device},
                 {RTA_LENGTH(4), IFA_LOCAL},
                 htonl(address)};
    return ask(network, &request, sizeof request);
}

bool device_add_address(const struct network *network, uint32_t address, int prefix)
{
    return change_address(network, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address, prefix);
}

bool device_remove_address(const struct network *network, uint32_t address)
{
    return change_address(network, RTM_DELADDR, 0, address, 0);
}

void device_default_route(const struct network *network)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg message;
        struct rtattr attribute;
        int device;
    } request = {{sizeof request, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 0, 0},
                 {.rtm_family = AF_INET,
                  .rtm_table = RT_TABLE_MAIN,
                  .rtm_protocol = RTPROT_BOOT,
                  .rtm_scope = RT_SCOPE_LINK,
                  .rtm_type = RTN_UNICAST},
                 {RTA_LENGTH(4), RTA_OIF},
                 network->device};
    if (!ask(network, &request, sizeof request))
        network_refuse_rights("netlink(RTM_NEWROUTE)");
}

void device_set_plain_queue(const struct network *network)
{
    struct {
        struct nlmsghdr header;
        struct tcmsg message;
        struct rtattr attribute;
        char kind[12];
    } request = {{sizeof request, RTM_NEWQDISC,
                  NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 0, 0},
                 {.tcm_ifindex = network->device, .tcm_parent = TC_H_ROOT},
                 {RTA_LENGTH(sizeof "pfifo_fast"), TCA_KIND},
                 "pfifo_fast"};
    ask(network, &request, sizeof request);
}
