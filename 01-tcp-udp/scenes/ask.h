// ask.h: questions to lesson 01's server, over TCP and over UDP.
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_BYTES 8192 // the room that every `answer` and `line` below must have
#define PATIENCE_MS  5000 // an answer that takes longer has failed, on any link

// Sets the server that the following functions talk to. `host` must stay valid.
void ask_server(const char *host, int port);

// The server's host and port.
const char *ask_host(void);
int ask_port(void);

// A connected TCP socket to the server. Dies if it does not answer.
int ask_open_tcp(void);

// A UDP socket that talks to the server only. Dies if there is none.
int ask_open_udp(void);

// The client's port of a socket.
int local_port(int fd);

// Sends `length` bytes, all of them. Dies if the connection is broken.
void send_all(int fd, const void *bytes, size_t length);

// Reads one line; its newline is not kept. False at the end of the stream.
bool read_line(int fd, char *line);

// Sends one line, and reads the line that answers it. Dies if there is no answer.
void ask_tcp(int fd, char *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Receives one datagram on a connected UDP socket. False if none has come by `until_ns`.
bool await_udp(int fd, char *answer, int64_t until_ns);

// Sends one datagram with an id, and waits for the answer with the same id. After
// ask_timeout_ms() without that answer it sends the datagram again. Returns how often it has
// sent it; dies after TRIES_MAX tries.
#define TRIES_MAX 10
int ask_udp(int fd, char *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// How long the client waits for a UDP answer on this link before it asks again.
int ask_timeout_ms(void);

#endif
