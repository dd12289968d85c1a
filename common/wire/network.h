// network.h: networks of our own, for wire: a namespace each, and one device in it.
#ifndef NETWORK_H
#define NETWORK_H

#define EXIT_REFUSED 3      // this machine does not let us build a network
#define DEVICE       "wire" // the device's name in each of them

struct network {
    int tun;    // the device's other end: one IP packet for each read() and write()
    int space;  // the namespace, for network_enter()
    int kernel; // a socket to the kernel in there, for device.h
    int device; // the device's number in there
};

// Once, before the first network is built: notes in the environment what the machine's own
// settings are where those of the networks may be others: see host_setting().
void network_begin(void);

// Puts this process into a new network, whose only way out is a TUN device with this MTU (the
// kernel's networking/tuntap.rst); it has no address yet. `tun` is non-blocking. Where the
// machine refuses, says which step, why, and what would allow it; exits EXIT_REFUSED.
void network_build(struct network *network, int mtu);

// Moves this process, and what it starts from now on, into a network's namespace (-1: stays
// where it is).
void network_enter(int space);

// This machine refuses a step of building the wire: says which, why, and what would allow it.
_Noreturn void network_refuse(const char *step, const char *remedy);

// The same where it is rights that are missing: what would give them.
_Noreturn void network_refuse_rights(const char *step);

#endif
