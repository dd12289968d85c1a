// guard.c: see guard.h. The ranges are those of RFC 6890 and its registry at IANA.
#include "guard.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t first;
    int bits; // that an address has in common with it
};

static const struct range4 special4[] = {
    {0x00000000, 8},  // 0.0.0.0/8: this host; 0.0.0.0 connects to loopback
    {0x0a000000, 8},  // 10.0.0.0/8: private
    {0x64400000, 10}, // 100.64.0.0/10: behind a provider's NAT
    {0x7f000000, 8},  // 127.0.0.0/8: loopback
    {0xa9fe0000, 16}, // 169.254.0.0/16: link-local, and clouds' metadata
    {0xac100000, 12}, // 172.16.0.0/12: private
    {0xc0000000, 24}, // 192.0.0.0/24: protocols
    {0xc0a80000, 16}, // 192.168.0.0/16: private
    {0xc6120000, 15}, // 198.18.0.0/15: benchmarks
    {0xe0000000, 3},  // 224.0.0.0/3: multicast, reserved, broadcast
};

static bool allows4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
        if (!((address ^ special4[i].first) >> (32 - special4[i].bits)))
            return false;
    return true;
}

static uint32_t four_bytes(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool allows6(const uint8_t a[16])
{
    static const uint8_t zero[12], translated[12] = {0, 0x64, 0xff, 0x9b},
                                   mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (!memcmp(a, mapped, 12) || !memcmp(a, translated, 12)) // ::ffff:127.0.0.1, 64:ff9b::
        return allows4(four_bytes(a + 12));
    if (a[0] == 0x20 && a[1] == 0x02) // 2002:7f00:1::, 6to4
        return allows4(four_bytes(a + 2));
    if (!memcmp(a, zero, 12)) // ::, ::1, and addresses of IPv4 in a form that is no more in use
        return false;
    // Only 2000::/3 is given to hosts on the Internet: neither fe80:: (link-local), fc00::
    // (private), ff00:: (multicast) nor 64:ff9b:1:: (a network's own translation).
    if ((a[0] & 0xe0) != 0x20)
        return false;
    return !(a[0] == 0x20 && a[1] == 0x01 && a[2] < 2); // 2001::/23: Teredo and other protocols
}

static bool is_same(const struct sockaddr *a, const struct sockaddr_storage *b)
{
    if (!a || a->sa_family != b->ss_family)
        return false;
    if (a->sa_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return a->sa_family == AF_INET6 &&
           !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                   &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr));
}

static bool is_own(const struct sockaddr_storage *address)
{
    struct ifaddrs *all;
    bool own = false;
    if (getifaddrs(&all))
        return true; // not to know is not to allow
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        own = own || is_same(i->ifa_addr, address);
    freeifaddrs(all);
    return own;
}

bool guard_allows(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        return allows4(ntohl(four->sin_addr.s_addr)) && !is_own(address);
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        return allows6(six->sin6_addr.s6_addr) && !is_own(address);
    }
    return false;
}
