// network.h: networks of our own, for wire: a namespace each, and one device in it.
#ifndef NETWORK_H
#define NETWORK_H

#define EXIT_REFUSED 3 // this machine does not let us build a network

// Once, before the first network is built: notes in the environment what the machine's own
// settings are where those of the networks may be others: see host_setting().
void network_begin(void);

// Puts this process into a new network, whose only way out is a TUN device with `address` (of a
// network of 256 addresses) and `mtu` (the kernel's networking/tuntap.rst). Returns the
// device's other end, non-blocking: what the network sends is read from it, one IP packet each
// time, and what is written to it arrives there. `network` gets a descriptor for
// network_enter(). Where the machine refuses, says which step, why, and what would allow it;
// exits EXIT_REFUSED.
int network_build(const char *address, int mtu, int *network);

// Moves this process, and what it starts from now on, into a network (-1: stays where it is).
void network_enter(int network);

#endif
