// host.h: what is another way on another machine, because of its kernel's version or because of
// what its owner has set: for scenes whose figures depend on it.
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

// The kernel's version, 612 for Linux 6.12.
int host_kernel(void);

// The first `count` numbers of the machine's /proc/sys/net/ipv4/NAME. (One of wire's networks
// has values of its own; there, this returns those of the machine that wire was started on, for
// the names that wire sets.) Returns false, and zeros, if there are none.
bool host_setting(const char *name, long values[], int count);

// Lets this process and its children have `needed` descriptors each. Returns false if the limit
// (ulimit -Hn) is lower; then it stays as it was.
bool host_files(int needed);

#endif
