// stage.h: what several scenes do: fetch several resources over UDP or over TCP.
#ifndef STAGE_H
#define STAGE_H

#include "download.h"
#include "endpoint.h"

#define STAGE_WINDOW 524288 // bytes of a stream
#define PATIENCE_MS  20000  // for one step of a scene

// A client with one TCP connection for all its downloads.
struct tcp_client {
    int fd;
    struct download *list;
    int count;
    uint8_t bytes[65536]; // of pieces that are not whole yet
    size_t length;
};

// Where the server is.
void stage_server(const char *host, int port);

// Dies if there is none: the first thing that a scene does.
void stage_check(void);
const char *stage_host(void);
int stage_port(void);

// Begins downloads over a connection to that server.
void stage_open(struct endpoint *endpoint, struct download *list, const char *const paths[],
                int count);

// Goes on until all downloads are over, `bytes` have come, or the connection is over; at most
// `ms` milliseconds. Returns how many bytes have come.
uint64_t stage_run(struct endpoint *endpoint, const struct download *list, int count,
                   uint64_t bytes, int ms);

// The same over TCP. Ends also when the connection is over.
void tcp_open(struct tcp_client *tcp, const char *host, int port, struct download *list,
              const char *const paths[], int count);
uint64_t tcp_run(struct tcp_client *tcp, uint64_t bytes, int ms);
void tcp_close(struct tcp_client *tcp);

#endif
