// tcp_state.h: what the kernel says about a connection, also after close(), when no descriptor
// is left to ask.
#ifndef TCP_STATE_H
#define TCP_STATE_H

// The state (RFC 9293 section 3.3.2) of this host's IPv4 TCP connection between the two ports,
// "ESTABLISHED" or "TIME_WAIT" for example, as /proc/net/tcp lists it (proc_net_tcp in the
// kernel's documentation); "gone" if there is none any more; "unknown" without /proc.
const char *tcp_state(int local_port, int remote_port);

#endif
