// device.h: the device in a network, set up by messages to the kernel (rtnetlink(7)).
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "network.h"

// Opens a socket to the kernel in the network that this process is in now; it goes on to speak
// of that network when the process has left it.
int device_kernel(void);

// Brings a device up, with an MTU. Where the machine refuses, ends the program as
// network_build() does; so does device_default_route().
void device_up(const struct network *network, const char *name, int mtu);

// Gives DEVICE an address (in host byte order) of a network of 2^(32 - prefix) addresses.
// Returns false with errno set if it cannot have it.
bool device_add_address(const struct network *network, uint32_t address, int prefix);

// Takes an address away from DEVICE. Returns false with errno set if it does not have it.
bool device_remove_address(const struct network *network, uint32_t address);

// Sends all packets that are for no network of their own out through DEVICE.
void device_default_route(const struct network *network);

// Gives DEVICE the plain queue, first in, first out, whatever net.core.default_qdisc says:
// others pace, drop and sort. It is no error if the kernel does not let us.
void device_set_plain_queue(const struct network *network);

#endif
