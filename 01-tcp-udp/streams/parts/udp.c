// udp.c: see udp.h.
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"
#include "timers.h"

#define BUFFER_BYTES (1 << 20) // of the kernel, in each direction, if it gives as much

// DF, and whatever the kernel believes to know about the path: QUIC looks itself how large a
// packet may be (RFC 9000 §14).
void udp_prepare(int fd, int family)
{
    int probe = IP_PMTUDISC_PROBE, bytes = BUFFER_BYTES;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
    else
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int udp_connect(const struct sockaddr_storage *peer, const char *local)
{
    struct sockaddr_storage address = {.ss_family = peer->ss_family}; // any
    if (local)
        net_address(local, 0, SOCK_DGRAM, &address);
    int fd = datagram_bind(&address);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)peer, address_size(peer)))
        return net_give_up(fd);
    udp_prepare(fd, peer->ss_family);
    return fd;
}

void udp_send(int fd, const uint8_t *bytes, size_t length, const struct sockaddr_storage *to)
{
    socklen_t to_length = 0;
    if (to)
        to_length = address_size(to);
    sendto(fd, bytes, length, 0, (const struct sockaddr *)to, to_length);
}

int udp_wait(struct pollfd *polls, int count, int64_t due)
{
    struct timespec left = {0}, *until = &left;
    int64_t wait_ns = due - now_ns();
    if (wait_ns > 0)
        left = (struct timespec){wait_ns / 1000000000, wait_ns % 1000000000};
    if (due == NEVER)
        until = NULL;
    int ready = ppoll(polls, (nfds_t)count, until, NULL);
    if (ready < 0 && errno == EINTR)
        return 0;
    return ready;
}
