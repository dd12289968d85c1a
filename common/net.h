// net.h: the few socket calls that every lesson needs and none of the later ones teaches.
//
// A lesson whose topic *is* one of these calls writes it out itself (01 all of them, 07
// SO_REUSEPORT, 09 TCP_NODELAY); the others borrow them here.
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// Prints "PROGRAM: message" on stderr and exits 1. For start-up and for clients only: a server
// logs one connection's error and closes that connection.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Nanoseconds of CLOCK_MONOTONIC: the same clock in every process of this machine.
int64_t now_ns(void);

// Sleeps for at least `ms` milliseconds, whatever signals arrive.
void sleep_ms(double ms);

// A listening TCP socket on host:port (port 0: the kernel chooses; backlog as in listen(2)).
// Dies with the reason, and with a hint if the port is taken.
int net_listen(const char *host, int port, int backlog);

// Ends the start-up of a server in the way net_listen() failed: says what could not be
// listened on and why (errno), adds the hint about --port 0 where it helps, and exits 1.
_Noreturn void net_die_listening(const char *host, int port);

// A connected TCP socket. Returns -1 with errno set if the server does not answer; dies if
// there is no such host.
int net_connect(const char *host, int port);

// The same, but dies with "cannot connect to HOST:PORT: reason (is the server running?)".
int net_connect_or_die(const char *host, int port);

// What is written to a TCP socket leaves at once, however small it is, and does not wait until
// the peer has acknowledged what was sent before (TCP_NODELAY: lesson 09). The connections that
// a listener accepts inherit it.
void net_send_at_once(int fd);

// For a function that has failed: closes fd, unless it is -1, and leaves errno as it is.
// Returns -1.
int net_give_up(int fd);

// Resolves host:port (numeric or a name) to a socket address for sockets of `type`, IPv4 where
// the host has one; dies if it cannot. Returns the address's length.
socklen_t net_address(const char *host, int port, int type, struct sockaddr_storage *address);

// Writes "127.0.0.1:8001" or "[::1]:8001" into text (at least NET_NAME bytes); returns text. An
// IPv4 peer of an IPv6 socket has its IPv4 address.
#define NET_NAME 64
char *net_name(const struct sockaddr_storage *address, char *text);

// The name of this end, and of the other end, of a socket; "?" where there is none.
char *net_local_name(int fd, char *text);
char *net_peer_name(int fd, char *text);

// A further port of a server.
struct net_port {
    const char *name; // one word
    int fd;           // of the socket that listens
};

// Says that the server on `fd` is ready: prints "listening on HOST:PORT", and writes "PORT\n"
// to the descriptor in $READY_FD if there is one, which is how wire and the tests know. (A
// plain sh can only redirect to 3 to 9.)
void net_ready(int fd);

// The same for a server with `count` ports more: it prints "NAME on HOST:PORT" for each, and
// writes "NAME PORT\n" behind its own.
void net_ready_ports(int fd, const struct net_port more[], int count);

// Blocks SIGINT and SIGTERM, ignores SIGPIPE and SIGXFSZ; returns a descriptor that becomes
// readable when the program is asked to stop (signalfd(2)): one more thing to poll, no handler,
// no race.
int net_stop_fd(void);

void net_set_nonblocking(int fd);

// Reads exactly `length` bytes, across short reads and EINTR. False on error (errno set) and
// when the peer ends the stream first (errno 0).
bool read_exactly(int fd, void *buffer, size_t length);

// Writes all `length` bytes, across short writes and EINTR. False on error (errno set).
bool write_all(int fd, const void *buffer, size_t length);

#endif
