// own_network.h: a network for one thread of a scene (network_namespaces(7)): with the kernel's
// settings of its own, counters of its own, and a device whose packets the scene writes itself.
#ifndef OWN_NETWORK_H
#define OWN_NETWORK_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_UNKNOWN (-1) // this kernel does not have the setting

// Gives a new network to the thread that calls this, and sets its loopback up. Returns NULL; or
// the step that has failed, with errno set.
const char *own_network_enter(void);

// Calls run(&networks[i]) for each, all at once and each in a thread of its own, which is to
// call own_network_enter() first. Returns when all have returned.
#define OWN_NETWORKS_MAX 8
void own_networks_run(void *(*run)(void *network), void *networks, size_t size, int count);

// A number in a file below /proc/sys/net: "ipv4/tcp_syncookies".
int setting_read(const char *name);
bool setting_write(const char *name, int value);

// The kernel's count NAME (of the line TcpExt in /proc/net/netstat) in the network of this
// task: a process or a thread. -1: it has none of that name.
long counter_of(int task, const char *name);

// All that the kernel says of a TCP socket. Its tcpi_state and the states in /proc/net/tcp are
// those of the kernel's include/net/tcp_states.h.
enum { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2, STATE_SYN_RECV = 3 };
struct tcp_info info_of(int fd);

// Makes a device (tuntap.rst, in the kernel's documentation) with the address 10.9.0.1: a
// packet that is written to the descriptor arrives there, and what the kernel sends to 10.9.0.2
// to 10.9.0.254 can be read. -1, with errno set: it was not possible.
#define TUN_ADDRESS 0x0A090001 // of the kernel's end
int tun_open(void);

struct segment {
    uint32_t address; // of the other end, in host byte order
    uint16_t port;    // its port
    uint16_t own_port;
    uint8_t flags; // TH_SYN, ...
    uint32_t seq, ack;
};

// A TCP segment without bytes, from the other end.
bool tun_write(int tun, const struct segment *segment);

// Reads the next TCP segment that the kernel sends to the other end. False: there is none.
bool tun_read(int tun, struct segment *segment);

#endif
