// datagram.c: see datagram.h.
#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define PORT_TRIES 20 // to find a port number that is free for UDP and for TCP

struct sockaddr_storage address_make(bool is_ipv4, const void *bytes, uint16_t port)
{
    struct sockaddr_storage address = {0};
    if (is_ipv4) {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, bytes, sizeof in->sin_addr);
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, bytes, sizeof in6->sin6_addr);
    }
    return address;
}

bool address_read(const char *text, uint16_t port, struct sockaddr_storage *address)
{
    uint8_t bytes[16];
    bool is_ipv4 = inet_pton(AF_INET, text, bytes) == 1;
    if (!is_ipv4 && inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *address = address_make(is_ipv4, bytes, port);
    return true;
}

const void *address_bytes(const struct sockaddr_storage *address, size_t *length)
{
    *length = 0;
    if (address->ss_family == AF_INET) {
        *length = 4;
        return &((const struct sockaddr_in *)address)->sin_addr;
    }
    if (address->ss_family == AF_INET6)
        *length = 16;
    return &((const struct sockaddr_in6 *)address)->sin6_addr;
}

// The port is at the same place in sockaddr_in and sockaddr_in6.
uint16_t address_port(const struct sockaddr_storage *address)
{
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

void address_set_port(struct sockaddr_storage *address, uint16_t port)
{
    ((struct sockaddr_in *)address)->sin_port = htons(port);
}

socklen_t address_size(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return sizeof(struct sockaddr_in);
    return sizeof(struct sockaddr_in6);
}

char *address_text(const struct sockaddr_storage *address, char *text)
{
    size_t length;
    if (!inet_ntop(address->ss_family, address_bytes(address, &length), text, NET_NAME))
        strcpy(text, "?");
    return text;
}

bool address_is_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    size_t a_length, b_length;
    const void *a_bytes = address_bytes(a, &a_length), *b_bytes = address_bytes(b, &b_length);
    return a->ss_family == b->ss_family && a_length > 0 && !memcmp(a_bytes, b_bytes, a_length);
}

bool address_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    return address_is_host(a, b) && address_port(a) == address_port(b);
}

bool address_is_loopback(const struct sockaddr_storage *address)
{
    size_t length;
    const uint8_t *bytes = address_bytes(address, &length);
    if (length == 4)
        return bytes[0] == 127;
    return length == 16 && IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)bytes);
}

struct sockaddr_storage address_of_socket(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    return address;
}

int datagram_bind(const struct sockaddr_storage *address)
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

int datagram_listen(const char *host, int port, int backlog, int *listener)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        *listener = net_listen(host, port, backlog);
        struct sockaddr_storage address = address_of_socket(*listener);
        int fd = datagram_bind(&address);
        if (fd >= 0)
            return fd;
        if (port != 0)
            break;
        close(*listener);
    }
    net_die_listening(host, port);
}

ssize_t datagram_send(int fd, const void *bytes, size_t length,
                      const struct sockaddr_storage *to)
{
    return sendto(fd, bytes, length, MSG_DONTWAIT, (const struct sockaddr *)to,
                  address_size(to));
}

ssize_t datagram_receive(int fd, void *bytes, size_t room, struct sockaddr_storage *from)
{
    socklen_t length = sizeof *from;
    return recvfrom(fd, bytes, room, MSG_DONTWAIT, (struct sockaddr *)from, &length);
}
