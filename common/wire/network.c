// network.c: see network.h.
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net.h"

#define DEVICE_QUEUE 20000 // packets that the kernel keeps for us while we are busy

// Ubuntu lets everybody make a user namespace since 23.10, and then takes its rights away.
#define UNCONFINED                                                                             \
    "this needs the rights of root in the new namespace. On Ubuntu 24.04:\n"                   \
    "      sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root"

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
        refuse(path, UNCONFINED);
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
        refuse("netlink(RTM_NEWLINK)", UNCONFINED);
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
        (void)!write(fd, value, strlen(value));
        close(fd);
    }
}

int network_build(const char *address, int mtu, int *network)
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

void network_enter(int network)
{
    if (network >= 0 && setns(network, CLONE_NEWNET))
        die("cannot enter a network: %s", strerror(errno));
}
