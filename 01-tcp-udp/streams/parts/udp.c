// udp.c: see udp.h.
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "timers.h"

#define BUFFER_BYTES (1 << 20) // of the kernel, in each direction, if it gives as much

static socklen_t address_length(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return sizeof(struct sockaddr_in6);
    return sizeof(struct sockaddr_in);
}

// DF, and whatever the kernel believes to know about the path: QUIC looks itself how large a
// packet may be (RFC 9000 §14).
static void prepare(int fd, int family)
{
    int probe = IP_PMTUDISC_PROBE, bytes = BUFFER_BYTES;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
    else
        setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int close_badly(int fd)
{
    int saved_errno = errno;
    if (fd >= 0)
        close(fd);
    errno = saved_errno;
    return -1;
}

int udp_listen(const char *host, int port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length))
        return close_badly(fd);
    prepare(fd, address.ss_family);
    return fd;
}

int udp_connect(const struct sockaddr_storage *peer)
{
    int fd = socket(peer->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)peer, address_length(peer)))
        return close_badly(fd);
    prepare(fd, peer->ss_family);
    return fd;
}

void udp_send(int fd, const uint8_t *bytes, size_t length, const struct sockaddr_storage *to)
{
    socklen_t to_length = 0;
    if (to)
        to_length = address_length(to);
    while (sendto(fd, bytes, length, 0, (const struct sockaddr *)to, to_length) < 0 &&
           errno == EINTR)
        ;
}

ssize_t udp_receive(int fd, uint8_t *bytes, size_t room, struct sockaddr_storage *from)
{
    socklen_t length = sizeof *from;
    return recvfrom(fd, bytes, room, MSG_DONTWAIT, (struct sockaddr *)from, &length);
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
