// sockets.c: see sockets.h.
#include "sockets.h"

#include <errno.h>
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
    struct sockaddr_storage *address = all->names.address, second = address[0];
    next_address(&second);
    if (*other_host)
        net_address(other_host, 0, SOCK_DGRAM, &second);
    for (int tries = 0; tries < PORT_TRIES && all->names.count == 1; tries++) {
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
    all->udp[0] = datagram_listen(host, port, LISTEN_BACKLOG, &all->listener);
    all->names.address[0] = address_of_socket(all->udp[0]);
    open_others(all, other_host, other_port);
}
