// tcp_state.h: the kernel's state of a connection. It is there also after close(), when the
// program has no descriptor left.
#ifndef TCP_STATE_H
#define TCP_STATE_H

// The state (RFC 9293 section 3.3.2) of this host's TCP connection between the two ports,
// "ESTABLISHED" or "TIME_WAIT" for example, as /proc/net/tcp and tcp6 list it (the kernel's
// networking/proc_net_tcp.rst); "gone" if there is none any more; "unknown" without /proc.
const char *tcp_state(int local_port, int remote_port);

// How many seconds it still has to wait in TIME_WAIT, from the same lists; 0: it is in another
// state.
double tcp_time_wait_s(int local_port, int remote_port);

#endif
