// loop.h: one small epoll loop for servers with many connections: it accepts, reads, sends what
// the kernel takes, keeps what it does not take, and keeps the time.
//
//     struct session { struct conn conn; ... };  // a lesson's connection begins with ours
//
//     static const struct loop_server server = {sizeof(struct session), .received = ...};
//
//     long accepted = loop_run(net_listen(host, port, BACKLOG), &server);
//
// The rules that keep it small: there is one buffer for what is read and one for what is to be
// sent, shared by all connections; a connection owns memory only while something of it is
// unfinished. All that one read() brought is answered before one send() takes the answers away.
// A client that does not take its answers is not read from; if it takes them too slowly, it is
// dropped.
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timers.h"

#define LOOP_IN_BYTES  65536 // that may wait to be used: received() can want no more at once
#define LOOP_OUT_BYTES 65536 // of output at once; what the kernel does not take then waits
// While output waits for a client, the client has to take LOOP_SLOWEST_RATE bytes a second,
// measured over each LOOP_STALL_MS. A modem of 1985 (9,600 bit/s) takes twice as much; a client
// that takes nothing, or a byte now and then, is dropped.
#define LOOP_STALL_MS     15000
#define LOOP_SLOWEST_RATE 500
#define LOOP_LINGER_MS    2000 // how long we read on, and throw away, after our last byte
#define LOOP_STOP_MS      5000 // how long connections may go on when the program is to stop

struct conn {
    struct timer timer; // when the loop looks at the deadline: never later
    struct loop *loop;
    int fd;
    uint32_t events;             // that epoll is asked for
    int64_t deadline_ns;         // when timeout() is due
    char *in, *out;              // bytes not used yet, bytes not sent yet; NULL: none
    uint32_t in_length;          // of `in`
    uint32_t out_at, out_length; // what is left of `out` is between the two
    int64_t sent_ns;             // when the loop last sent, or had nothing left to send
    uint64_t sent_bytes;         // that the kernel has taken, since the connection began
    uint64_t taken_bytes;        // of these, what the client had taken when this period began
    int64_t period_end_ns;       // the end of this period of LOOP_STALL_MS, while output waits
    bool paused;                 // set it to have received() not called: the lesson is busy
    bool ended;                  // the client has said all that it will say
    bool closing;                // conn_close() was called
    bool wake;                   // conn_wake() was called
    bool lingering;              // all is sent: what still comes is thrown away
    bool broken;                 // a system call has failed: to be dropped
    bool told_to_stop;           // stop() was called
};

// What a lesson's server does. Each call is about one connection, and may change only that one.
// To make another one move, call conn_wake() of it. NULL: nothing to do.
struct loop_server {
    size_t conn_bytes; // of the lesson's own struct, which is zeroed before opened()
    int conns_max;     // further clients wait in the kernel's queue
    int stall_ms;      // in place of LOOP_STALL_MS; 0: LOOP_STALL_MS
    void (*opened)(struct conn *);
    // `length` bytes are here, those left over before among them. Returns how many it has used.
    // It is called again when more have come, when output that it made is gone, and after
    // timeout() and woken().
    size_t (*received)(struct conn *, const char *bytes, size_t length);
    bool (*produce)(struct conn *); // no older output waits; true: here is more
    void (*timeout)(struct conn *); // the deadline has passed (it waits while output waits)
    void (*woken)(struct conn *);   // conn_wake() was called for it; then produce() is called
    void (*stop)(struct conn *);    // the program is to stop; NULL: conn_close()
    void (*closed)(struct conn *);  // it is gone: free what belongs to it
    // All that one round brought is served; the loop is about to sleep. The place to do once
    // what many connections wait for, and to wake each of them. True: the next round has to
    // begin at once.
    bool (*round)(void);
    // In place of accept4(): returns a connected socket that does not block, or -1 and errno.
    int (*accept)(int listener);
};

// Serves the clients of `listener`, which it closes in the end, until SIGINT or SIGTERM; then
// until all connections are closed, LOOP_STOP_MS have passed, or a second signal comes. Prints
// that it is ready. Returns how many connections there were. Dies where there is no epoll.
long loop_run(int listener, const struct loop_server *server);

// The same for one of several loops, each in a thread of its own: prints nothing, and stops
// when `stop_fd` has something to read, which it leaves open.
long loop_serve(int listener, int stop_fd, const struct loop_server *server);

// The time of this round, in nanoseconds of now_ns()'s clock: reading the clock once is enough.
int64_t conn_now(const struct conn *c);

// Asks for timeout() `ms` milliseconds from now, in place of what was asked before; NEVER: not
// at all. To move a deadline to a later time costs nothing.
void conn_deadline(struct conn *c, int64_t ms);

// Makes the loop call woken() and produce() of this connection in this round (from round(): in
// the next one), or when its output is sent; its deadline stays. For what happens to one
// connection and concerns another. From the loop's own thread only.
void conn_wake(struct conn *c);

// Output is written to conn_space(), where conn_room() says how many bytes find room now, and
// counts when conn_wrote() says so.
size_t conn_room(const struct conn *c);
char *conn_space(const struct conn *c);
void conn_wrote(struct conn *c, size_t length);

// Closes the connection when its output is sent; nothing is received any more. First only our
// half, so that the client gets the last answer even if it is still sending (RFC 9112 §9.6).
void conn_close(struct conn *c);

#endif
