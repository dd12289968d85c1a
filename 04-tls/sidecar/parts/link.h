// link.h: one TCP connection of the sidecar, plain or with TLS, on the loop of
// ../../common/loop.h. The loop knows one listener; this file adds the others, connections that
// the sidecar opens itself, and descriptors that report something else (a signal, a file).
//
// A connection's functions are called by the loop, one connection at a time. To make another
// connection move, they change its struct and call link_wake(): then its produce() is called.
#ifndef LINK_H
#define LINK_H

#include <sys/socket.h>

#include "buffer.h"
#include "tls_filter.h"

#define LINKS_MAX      10000 // connections of all kinds together
#define LINKS_TO_OPEN  1024  // that may be opened in one round of the loop
#define LINK_PEER      128   // bytes of the other end's identity
#define LINK_WHY_BYTES 160

struct link;

// What the sidecar does with the connections of one kind.
struct link_kind {
    // It is connected, or accepted; with TLS, the handshake is still to come. The last two are
    // those of link_connect().
    void (*opened)(struct link *, void *target, void *who);
    void (*established)(struct link *); // the handshake is done. NULL: nothing to do
    // Bytes are here, those that were not used before are the first. Returns how many are used.
    size_t (*take)(struct link *, const char *bytes, size_t length);
    // All output is sent: writes more. True: there is still more.
    bool (*produce)(struct link *);
    void (*ended)(struct link *);   // a close_notify has come: no more bytes will
    void (*timeout)(struct link *); // conn_deadline()
    void (*stop)(struct link *);    // the program is to stop
    void (*closed)(struct link *);
};

struct link {
    struct tls_filter tls;     // begins with a struct conn
    struct link_port *port;    // where it comes from
    struct tls_server *secure; // the port's
    char peer[LINK_PEER];      // the identity in the other end's certificate; "": none
    const char *expected;      // the identity that it has to have; NULL: any of the mesh
    bool resumed, told_ended;
};

// Where connections of one kind come from: a listening port; or, without a descriptor and a
// limit, the sidecar itself, which opens them.
struct link_port {
    const struct link_kind *kind;
    struct tls_server *secure; // NULL: plain
    int fd;                    // that listens
    int links_max, links;
    bool full;                // it accepts no more
    void (*make_room)(void);  // called when it is full
    void (*happened)(int fd); // link_watch(); then there is nothing to accept
};

static inline struct conn *conn_of(struct link *l)
{
    return &l->tls.conn;
}

// Call it first, with the size of the largest struct that begins with a struct link.
void link_begin(size_t bytes);

// Sets up TLS for the links of a kind; the caller sets the context and the times.
void link_use_tls(struct tls_server *server);

// Adds a port; a descriptor for which happened() is called when it can be read.
void link_listen(struct link_port *port);
void link_watch(int fd, void (*happened)(int fd));

// Opens a connection; opened() of it is called later in this round, with `target` and `who`.
// False, and errno, if that is not possible.
bool link_connect(struct link_port *port, const struct sockaddr_storage *address, void *target,
                  void *who);

// `who` does not want the connection any more that is still to be opened for it.
void link_forget(const void *who);

// Serves all connections until link_stop(). Returns how many there were.
long link_run(void);
void link_stop(void);

// Writes what is left in the buffer, as far as there is room. True: there was room for some of
// it, and more is left.
bool link_send(struct link *l, struct buffer *buffer);

// Paused: take() is not called, and nothing is read. A connection that resumes another one
// wakes it, too.
void link_pause(struct link *l);
void link_resume(struct link *l);
void link_wake(struct link *l);

// Closes it when its output is sent; with TLS, `whole` sends a close_notify, which says that
// nothing was cut off.
void link_close(struct link *l, bool whole);

// Why the connection was lost, in words, for its closed().
const char *link_why(struct link *l, char text[LINK_WHY_BYTES]);

#endif
