// local_sockets.c: see local_sockets.h.
#include "local_sockets.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"

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
