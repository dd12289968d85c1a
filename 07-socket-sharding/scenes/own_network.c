// own_network.c: see own_network.h.
#include "own_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net.h"
#include "network_order.h"

#define DEVICE      "segments"
#define LINE        8192 // of /proc/net/netstat
#define PACKET_MAX  1500
#define IP_BYTES    20 // of a header without options
#define TCP_BYTES   20
#define TTL         64
#define WINDOW      65535
#define NETMASK     0xFFFFFF00
#define NAME_PREFIX "/proc/sys/net/"

// ---- the network ---------------------------------------------------------------------------

// Sets a device up, and gives it an address unless that is 0.
static bool device_up(const char *name, uint32_t address)
{
    struct ifreq request = {.ifr_flags = 0};
    struct sockaddr_in internet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0;
    strcpy(request.ifr_name, name);
    if (up && address) {
        memcpy(&request.ifr_addr, &internet, sizeof internet);
        up = !ioctl(fd, SIOCSIFADDR, &request);
        internet.sin_addr.s_addr = htonl(NETMASK);
        memcpy(&request.ifr_netmask, &internet, sizeof internet);
        up = up && !ioctl(fd, SIOCSIFNETMASK, &request);
    }
    request.ifr_flags = IFF_UP;
    up = up && !ioctl(fd, SIOCSIFFLAGS, &request);
    net_give_up(fd);
    return up;
}

const char *own_network_enter(void)
{
    if (unshare(CLONE_NEWNET))
        return "unshare(CLONE_NEWNET)";
    if (!device_up("lo", 0))
        return "setting lo up";
    return NULL;
}

// ---- what the kernel has, and has counted --------------------------------------------------

void own_networks_run(void *(*run)(void *network), void *networks, size_t size, int count)
{
    pthread_t threads[OWN_NETWORKS_MAX];
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, (char *)networks + (size_t)i * size))
            die("cannot start a thread");
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

int setting_read(const char *name)
{
    char path[100];
    int value = SETTING_UNKNOWN;
    snprintf(path, sizeof path, NAME_PREFIX "%s", name);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%d", &value) != 1)
        value = SETTING_UNKNOWN;
    if (file)
        fclose(file);
    return value;
}

bool setting_write(const char *name, int value)
{
    char path[100];
    snprintf(path, sizeof path, NAME_PREFIX "%s", name);
    FILE *file = fopen(path, "we");
    bool written = file && fprintf(file, "%d\n", value) > 0;
    if (file && fclose(file))
        written = false;
    return written;
}

// Returns the number below the name `wanted`; -1: there is no such name.
static long value_of(const char *names, const char *values, const char *wanted)
{
    size_t length = strlen(wanted);
    while ((names = strchr(names, ' ')) && (values = strchr(values, ' '))) {
        names++;
        values++;
        if (!strncmp(names, wanted, length) && (names[length] == ' ' || names[length] == '\n'))
            return atol(values);
    }
    return -1;
}

// /proc/net/netstat has pairs of lines: one with names, and below it one with their values.
long counter_of(int task, const char *name)
{
    char names[LINE], values[LINE], path[64];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/net/netstat", task);
    FILE *file = fopen(path, "re");
    while (file && fgets(names, sizeof names, file) && fgets(values, sizeof values, file))
        if (!strncmp(names, "TcpExt:", 7))
            value = value_of(names, values, name);
    if (file)
        fclose(file);
    return value;
}

struct tcp_info info_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        die("cannot read TCP_INFO: %s", strerror(errno));
    return info;
}

// ---- segments made by hand -----------------------------------------------------------------

int tun_open(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = DEVICE};
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun >= 0 && !ioctl(tun, TUNSETIFF, &request) && device_up(DEVICE, TUN_ADDRESS))
        return tun;
    return net_give_up(tun);
}

// The sum of RFC 1071, of an even number of bytes.
static uint32_t sum16(const uint8_t *bytes, size_t count, uint32_t sum)
{
    for (size_t i = 0; i < count; i += 2)
        sum += get16(bytes + i);
    while (sum > 0xFFFF)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

// The headers of RFC 791 §3.1 and RFC 9293 §3.1.
bool tun_write(int tun, const struct segment *segment)
{
    uint8_t packet[IP_BYTES + TCP_BYTES] = {0}, *tcp = packet + IP_BYTES;
    packet[0] = 4 << 4 | IP_BYTES / 4;
    put16(packet + 2, sizeof packet);
    packet[8] = TTL;
    packet[9] = IPPROTO_TCP;
    put32(packet + 12, segment->address);
    put32(packet + 16, TUN_ADDRESS);
    put16(packet + 10, ~sum16(packet, IP_BYTES, 0));
    put16(tcp, segment->port);
    put16(tcp + 2, segment->own_port);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    tcp[12] = TCP_BYTES / 4 << 4;
    tcp[13] = segment->flags;
    put16(tcp + 14, WINDOW);
    // TCP's checksum covers the addresses, the protocol and the length as well.
    put16(tcp + 16, ~sum16(tcp, TCP_BYTES, sum16(packet + 12, 8, IPPROTO_TCP + TCP_BYTES)));
    return write(tun, packet, sizeof packet) == sizeof packet;
}

bool tun_read(int tun, struct segment *segment)
{
    uint8_t packet[PACKET_MAX];
    ssize_t length;
    while ((length = read(tun, packet, sizeof packet)) > 0) {
        const uint8_t *tcp = packet + 4 * (packet[0] & 15);
        if (packet[0] >> 4 != 4 || packet[9] != IPPROTO_TCP ||
            tcp + TCP_BYTES > packet + length)
            continue; // the kernel may send something else: IPv6 looks for its neighbours
        *segment = (struct segment){.address = get32(packet + 16),
                                    .port = (uint16_t)get16(tcp + 2),
                                    .own_port = (uint16_t)get16(tcp),
                                    .flags = tcp[13],
                                    .seq = get32(tcp + 4),
                                    .ack = get32(tcp + 8)};
        return true;
    }
    return false;
}
