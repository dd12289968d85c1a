// service.h: the requests that lesson 01's server answers.
//
// One request is one line over TCP, one datagram over UDP:
//
//     who              the addresses of both ends, as the server sees them
//     say N TEXT       TEXT, sent N times: N writes, or N datagrams; at most 8
//     note N US        remembers that message N, sent at US, has arrived; no answer
//     notes tcp|udp    the messages that have arrived: "N=MICROSECONDS ...", in this order
//     forget           forgets the notes
//     after MS TEXT    TEXT, but only after MS milliseconds (UDP)
//     pause MS         the server reads nothing from here for MS milliseconds: a slow reader
//     resume           ends all pauses and lingering now
//     swallow N        the server reads N bytes that follow, then answers (TCP)
//     linger MS        when you close, the server keeps its own half open for MS (TCP)
//     state PORT       the server's state of the TCP connection from your port PORT
//     drops            how many datagrams were received, and dropped by the kernel (UDP)
//
// The server echoes anything else. A datagram may begin with "#ID "; then its answer does too.
#ifndef SERVICE_H
#define SERVICE_H

#include <stddef.h>

#define REPLY_BYTES 65536 // as large as a datagram can be
#define TIMES_MAX   8     // of "say"
#define DELAY_MAX   10000 // milliseconds, of "after", "pause" and "linger"
#define SWALLOW_MAX (10 << 20)

enum transport { TCP, UDP };

struct request {
    enum transport transport;
    const char *text; // `length` bytes and a '\0'; no newline at the end
    size_t length;
    const char *client, *server; // the two addresses: "127.0.0.1:40000"
    long received, dropped;      // UDP: datagrams until now
};

struct reply {
    size_t length;                     // 0: no answer
    int times;                         // how often the server sends the answer
    int after_ms, pause_ms, linger_ms; // of these commands; 0: another command
    long swallow_bytes;                // of "swallow"
    char text[REPLY_BYTES + 1];
};

// How many clients have said "resume": when this number changes, a pause ends.
int service_resumes(void);

// Answers one request.
void service_answer(const struct request *request, struct reply *reply);

#endif
