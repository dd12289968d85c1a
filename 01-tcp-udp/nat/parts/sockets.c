// sockets.c: see sockets.h.
#include "sockets.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"

#define LISTEN_BACKLOG 512
#define PORT_TRIES     20 // to find a second port number that both addresses have free

// The address that comes after `host`: another one of the same machine. 127.0.0.2 always is.
static void next_address(struct sockaddr_storage *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    if (address->ss_family == AF_INET)
        in->sin_addr.s_addr = htonl(ntohl(in->sin_addr.s_addr) + 1);
}

// The other three sockets of RFC 5780. Without a second address there are none.
static void open_others(struct server_sockets *all, const char *other_host, int other_port)
{
    struct sockaddr_storage *address = all->address, second = address[0];
    next_address(&second);
    if (*other_host)
        net_address(other_host, 0, SOCK_DGRAM, &second);
    for (int tries = 0; tries < PORT_TRIES && all->count == 1; tries++) {
        address[OTHER_PORT] = address[0];
        address_set_port(&address[OTHER_PORT], (uint16_t)other_port);
        all->udp[OTHER_PORT] = datagram_bind(&address[OTHER_PORT]);
        if (all->udp[OTHER_PORT] < 0)
            break;
        address[OTHER_PORT] = address_of_socket(all->udp[OTHER_PORT]);
        for (int i = OTHER_HOST; i < SOCKETS; i++) {
            address[i] = second;
            address_set_port(&address[i], address_port(&address[i & OTHER_PORT]));
            all->udp[i] = datagram_bind(&address[i]);
        }
        if (all->udp[2] >= 0 && all->udp[3] >= 0)
            all->count = SOCKETS;
        for (int i = 1; i < SOCKETS && all->count == 1; i++)
            if (all->udp[i] >= 0)
                close(all->udp[i]);
    }
    if (*other_host && all->count == 1)
        die("cannot have a second address %s: %s", other_host, strerror(errno));
}

void sockets_open(struct server_sockets *all, const char *host, int port,
                  const char *other_host, int other_port)
{
    *all = (struct server_sockets){.count = 1};
    all->udp[0] = datagram_listen(host, port, LISTEN_BACKLOG, &all->listener);
    all->address[0] = address_of_socket(all->udp[0]);
    open_others(all, other_host, other_port);
}

int open_socket_towards(const struct sockaddr_storage *peer)
{
    int probe = socket(peer->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // connect() of a UDP socket sends nothing: it chooses the route, and so our address.
    if (probe < 0 || connect(probe, (const struct sockaddr *)peer, address_size(peer)))
        die("there is no way to the server: %s", strerror(errno));
    struct sockaddr_storage local = address_of_socket(probe);
    close(probe);
    address_set_port(&local, 0);
    int fd = datagram_bind(&local);
    if (fd < 0)
        die("cannot bind a socket: %s", strerror(errno));
    if (peer->ss_family == AF_INET)
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &(int){1}, sizeof(int));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &(int){1}, sizeof(int));
    return fd;
}

int local_sockets(const struct sockaddr_storage *server, int fds[], int max)
{
    struct ifaddrs *list;
    int count = 0;
    bool loopback = address_is_loopback(server);
    if (getifaddrs(&list))
        die("cannot list the addresses of this machine: %s", strerror(errno));
    for (const struct ifaddrs *one = list; one && count < max; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET ||
            !(one->ifa_flags & IFF_UP) || !!(one->ifa_flags & IFF_LOOPBACK) != loopback)
            continue;
        struct sockaddr_storage address = {0};
        memcpy(&address, one->ifa_addr, sizeof(struct sockaddr_in));
        int fd = datagram_bind(&address);
        if (fd >= 0)
            fds[count++] = fd;
    }
    freeifaddrs(list);
    return count;
}
