// ask.h: questions to lesson 01's server, over TCP and over UDP.
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_BYTES 8192 // what every `answer` and `line` below has room for
#define PATIENCE_MS  5000 // for what must come soon, on any link

// Says which server the following talk to. `host` must stay valid.
void ask_server(const char *host, int port);

// The server's host and port.
const char *ask_host(void);
int ask_port(void);

// A connected TCP socket to the server. Dies if it does not answer.
int ask_open_tcp(void);

// A UDP socket that talks to the server only. Dies if it cannot be made.
int ask_open_udp(void);

// Our own port of a socket.
int local_port(int fd);

// Sends `length` bytes, all of them. Dies if the connection is broken.
void send_all(int fd, const void *bytes, size_t length);

// Reads one line; its newline is not kept. False at the end of the stream.
bool read_line(int fd, char *line);

// Sends one line, reads the line that answers it. Dies if the connection breaks.
void ask_tcp(int fd, char *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Receives one datagram on a connected UDP socket. False if none has come by `until_ns`.
bool await_udp(int fd, char *answer, int64_t until_ns);

// Sends one datagram with an id and waits for the answer that carries it; after
// ask_timeout_ms() sends it again. Dies after TRIES_MAX tries.
#define TRIES_MAX 10
void ask_udp(int fd, char *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// How long a UDP question waits on this link until it is asked again.
int ask_timeout_ms(void);

#endif
