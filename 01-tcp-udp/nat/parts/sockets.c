// sockets.c: see sockets.h.
#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "net.h"

#define LISTEN_BACKLOG 512
#define PORT_TRIES     20 // to find port numbers that are free for TCP and for UDP

// A UDP socket; -1: the address is not to be had (errno).
static int bind_udp(const struct sockaddr_storage *address)
{
    int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)address, address_size(address)) == 0)
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

// A listening TCP socket and a UDP socket with the same port number.
static void open_first(struct server_sockets *all, const char *host, int port)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        all->listener = net_listen(host, port, LISTEN_BACKLOG);
        all->names.address[0] = address_of_socket(all->listener);
        all->udp[0] = bind_udp(&all->names.address[0]);
        if (all->udp[0] >= 0)
            return;
        if (port != 0)
            break;
        close(all->listener);
    }
    net_die_listening(host, port);
}

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
    struct sockaddr_storage first = all->names.address[0], second = first;
    next_address(&second);
    if (*other_host)
        net_address(other_host, 0, SOCK_DGRAM, &second);
    for (int tries = 0; tries < PORT_TRIES && all->names.count == 1; tries++) {
        all->names.address[OTHER_PORT] =
            address_make(first.ss_family == AF_INET, address_bytes(&first, &(size_t){0}),
                         (uint16_t)other_port);
        all->udp[OTHER_PORT] = bind_udp(&all->names.address[OTHER_PORT]);
        if (all->udp[OTHER_PORT] < 0)
            break;
        all->names.address[OTHER_PORT] = address_of_socket(all->udp[OTHER_PORT]);
        for (int i = OTHER_HOST; i < SOCKETS; i++) {
            all->names.address[i] =
                address_make(second.ss_family == AF_INET, address_bytes(&second, &(size_t){0}),
                             address_port(&all->names.address[i & OTHER_PORT]));
            all->udp[i] = bind_udp(&all->names.address[i]);
        }
        if (all->udp[2] >= 0 && all->udp[3] >= 0)
            all->names.count = SOCKETS;
        for (int i = 1; i < SOCKETS && all->names.count == 1; i++)
            if (all->udp[i] >= 0)
                close(all->udp[i]);
    }
    if (*other_host && all->names.count == 1)
        die("cannot have a second address %s: %s", other_host, strerror(errno));
}

void sockets_open(struct server_sockets *all, const char *host, int port,
                  const char *other_host, int other_port)
{
    *all = (struct server_sockets){.names.count = 1};
    open_first(all, host, port);
    open_others(all, other_host, other_port);
}
