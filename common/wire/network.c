// network.c: see network.h.
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net.h"

#define DEVICE_QUEUE 20000 // packets that the kernel keeps for us while we are busy

#define DOCKER "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun ..."

// A line of /proc/sys/net/ipv4, and what wire writes there.
struct setting {
    const char *name, *value;
};

// The same TCP on every machine: an old, well-understood congestion control, no memory of
// earlier connections, and the kernel's documented values for what a new network copies from
// the machine's own (ip-sysctl, the kernel's documentation).
static const struct setting settings[] = {{"tcp_congestion_control", "reno"},
                                          {"tcp_no_metrics_save", "1"},
                                          {"tcp_rmem", "4096 131072 6291456"},
                                          {"tcp_wmem", "4096 16384 4194304"},
                                          {"tcp_ecn", "2"},
                                          {"ip_forward", "0"},
                                          {"conf/all/rp_filter", "0"},
                                          {"conf/wire/rp_filter", "0"}};

static bool by_root; // wire was started by root

// This machine refuses a step of building the wire: says which, why, and what would allow it.
static _Noreturn void refuse(const char *step, const char *remedy)
{
    fprintf(stderr, "wire: cannot build the network: %s: %s\n      %s\n", step, strerror(errno),
            remedy);
    exit(EXIT_REFUSED);
}

// The same where it is rights that are missing: what would give them.
static _Noreturn void refuse_rights(const char *step)
{
    if (by_root) // to whom nobody would say "run as root": a container has taken rights away
        refuse(step, "root has no CAP_NET_ADMIN here. In a container:\n      " DOCKER);
    // Ubuntu lets everybody make a user namespace since 23.10, and then takes its rights away.
    refuse(step,
           "this needs the rights of root in the new namespace. On Ubuntu 24.04:\n"
           "      sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root");
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        refuse_rights(path);
    close(fd);
}

// True if this process has CAP_NET_ADMIN, which building a network needs (capabilities(7)).
static bool may_build(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data))
        return false;
    return data[CAP_NET_ADMIN / 32].effective & 1u << CAP_NET_ADMIN % 32;
}

// Moves this process into a network of its own. Root may just do it; anybody else, and a root
// without the right to build networks, becomes root of a new user namespace first
// (user_namespaces(7)).
static void enter_new_network(void)
{
    if (may_build() && unshare(CLONE_NEWNET) == 0)
        return;
    char map[32], group_map[32];
    snprintf(map, sizeof map, "0 %u 1", geteuid());
    snprintf(group_map, sizeof group_map, "0 %u 1", getegid());
    bool refused = unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0;
    if (refused && by_root)
        refuse("unshare(CLONE_NEWUSER | CLONE_NEWNET)",
               "root lacks CAP_SYS_ADMIN or CAP_NET_ADMIN here. In a container:\n"
               "      " DOCKER);
    if (refused)
        refuse("unshare(CLONE_NEWUSER | CLONE_NEWNET)",
               "try: sudo sysctl user.max_user_namespaces=10000, and where it exists\n"
               "      sudo sysctl kernel.unprivileged_userns_clone=1. In a container:\n"
               "      " DOCKER "\n"
               "      In a chroot only root can. Or run as root.");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    write_file("/proc/self/gid_map", group_map);
}

// Sends one message to the kernel (rtnetlink(7)). Returns 0, or the error.
static int ask_kernel(const void *request, size_t length)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } reply = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, request, length, 0) < 0 || recv(fd, &reply, sizeof reply, 0) < 0)
        refuse("netlink(NETLINK_ROUTE)", "this kernel has no rtnetlink");
    close(fd);
    return -reply.error.error;
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
    errno = ask_kernel(&request, sizeof request);
    if (errno)
        refuse_rights("netlink(RTM_NEWLINK)");
}

// Gives a device the plain queue, first in, first out, whatever net.core.default_qdisc says:
// others pace, drop and sort. It is no error if the kernel does not let us.
static void set_plain_queue(const char *name)
{
    struct {
        struct nlmsghdr header;
        struct tcmsg message;
        struct rtattr attribute;
        char kind[12];
    } request = {{sizeof request, RTM_NEWQDISC,
                  NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 0, 0},
                 {.tcm_ifindex = (int)if_nametoindex(name), .tcm_parent = TC_H_ROOT},
                 {RTA_LENGTH(sizeof "pfifo_fast"), TCA_KIND},
                 "pfifo_fast"};
    ask_kernel(&request, sizeof request);
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
        refuse_rights("ioctl(SIOCSIFADDR)");
    close(fd);
}

// Writes all settings. Where /proc/sys cannot be written, it stays as it is.
static void set_all(void)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        char path[80];
        snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", settings[i].name);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)!write(fd, settings[i].value, strlen(settings[i].value));
            close(fd);
        }
    }
}

void network_begin(void)
{
    by_root = geteuid() == 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        char name[80], text[200] = "";
        snprintf(name, sizeof name, "/proc/sys/net/ipv4/%s", settings[i].name);
        FILE *file = fopen(name, "re");
        if (file && fgets(text, sizeof text, file)) {
            text[strcspn(text, "\n")] = '\0';
            snprintf(name, sizeof name, "HOST_%s", settings[i].name);
            setenv(name, text, 1);
        }
        if (file)
            fclose(file);
    }
}

int network_build(const char *address, int mtu, int *network)
{
    struct ifreq tun = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "wire"};
    enter_new_network();
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        refuse("open(/dev/net/tun)", errno == EACCES
                                         ? "to allow your user: sudo chmod 666 /dev/net/tun"
                                         : "sudo modprobe tun. In a container:\n      " DOCKER);
    if (ioctl(fd, TUNSETIFF, &tun)) {
        if (errno != EPERM)
            refuse("ioctl(TUNSETIFF)", "/dev/net/tun is not the kernel's: sudo modprobe tun");
        refuse_rights("ioctl(TUNSETIFF)");
    }
    device_up("lo", 65536);
    device_up("wire", (uint32_t)mtu);
    set_plain_queue("wire");
    set_address("wire", SIOCSIFADDR, address);
    set_address("wire", SIOCSIFNETMASK, "255.255.255.0");
    set_all();
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
