// network.c: see network.h.
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "net.h"

#define DOCKER "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun"

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
                                          {"tcp_rfc1337", "1"}, // a reset ends no TIME_WAIT
                                          {"ip_forward", "0"},
                                          {"conf/all/rp_filter", "0"},
                                          {"conf/wire/rp_filter", "0"}};

static bool by_root; // wire was started by root

void network_refuse(const char *step, const char *remedy)
{
    fprintf(stderr, "wire: cannot build the network: %s: %s\n      %s\n", step, strerror(errno),
            remedy);
    exit(EXIT_REFUSED);
}

void network_refuse_rights(const char *step)
{
    if (by_root) // a container has taken rights away: "run as root" would be no help
        network_refuse(step, "root has no CAP_NET_ADMIN here. In a container:\n      " DOCKER);
    // Ubuntu lets everybody make a user namespace since 23.10, and then takes its rights away.
    network_refuse(
        step,
        "this needs the rights of root in the new namespace. On Ubuntu 24.04:\n"
        "      sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root");
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        network_refuse_rights(path);
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

// Moves this process into a new network. Root may do so at once. Another user, and a root
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
        network_refuse("unshare(CLONE_NEWUSER | CLONE_NEWNET)",
                       "root lacks CAP_SYS_ADMIN or CAP_NET_ADMIN here. In a container:\n"
                       "      " DOCKER);
    if (refused)
        network_refuse("unshare(CLONE_NEWUSER | CLONE_NEWNET)",
                       "try: sudo sysctl user.max_user_namespaces=10000, and where it exists\n"
                       "      sudo sysctl kernel.unprivileged_userns_clone=1. In a container:\n"
                       "      " DOCKER "\n"
                       "      In a chroot only root can. Or run as root.");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    write_file("/proc/self/gid_map", group_map);
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

void network_build(struct network *network, int mtu)
{
    struct ifreq tun = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = DEVICE};
    enter_new_network();
    network->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (network->tun < 0 && errno == EACCES)
        network_refuse("open(/dev/net/tun)", "to allow your user: sudo chmod 666 /dev/net/tun");
    if (network->tun < 0)
        network_refuse("open(/dev/net/tun)",
                       "sudo modprobe tun. In a container:\n      " DOCKER);
    if (ioctl(network->tun, TUNSETIFF, &tun)) {
        if (errno != EPERM)
            network_refuse("ioctl(TUNSETIFF)",
                           "/dev/net/tun is not the kernel's: sudo modprobe tun");
        network_refuse_rights("ioctl(TUNSETIFF)");
    }
    network->kernel = device_kernel();
    network->device = (int)if_nametoindex(DEVICE);
    device_up(network, "lo", 65536);
    device_up(network, DEVICE, mtu);
    device_set_plain_queue(network);
    set_all();
    network->space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network->space < 0)
        network_refuse("open(/proc/self/ns/net)", "mount -t proc proc /proc");
}

void network_enter(int space)
{
    if (space >= 0 && setns(space, CLONE_NEWNET))
        die("cannot enter a network: %s", strerror(errno));
}
