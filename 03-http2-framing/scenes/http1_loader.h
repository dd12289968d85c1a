// http1_loader.h: images over HTTP/1.1 as browsers load them: over some connections, each with
// one request at a time. What HTTP/2 is compared with.
#ifndef HTTP1_LOADER_H
#define HTTP1_LOADER_H

#include <stdint.h>

#define HTTP1_CONNECTIONS 6 // connections to one server: what browsers allow

struct http1_loader {
    int connections, images, size; // what to load
    // Called after each read, with the bytes of this connection so far; may be NULL.
    void (*read)(int port, uint64_t position, int64_t read_ns);

    int answered;                 // with status 200 and the right length
    int waited;                   // requests that had to wait for an earlier answer
    double took_ms;               // after the handshakes
    int ports[HTTP1_CONNECTIONS]; // of the connections, at the client's end
};

// Loads; fills in what is below the empty line. Dies if a server does not answer.
void http1_load(struct http1_loader *loader);

// The port of a connection, at the client's end.
int http1_port(int fd);

#endif
