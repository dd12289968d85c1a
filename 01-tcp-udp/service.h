// service.h: what lesson 01's server does for its clients, apart from moving bytes.
//
// One request is one line over TCP, one datagram over UDP:
//
//     who              both ends of this conversation, as the server sees them
//     say N TEXT       TEXT, sent N times: N writes, or N datagrams; at most 8
//     note N US        remembers that message N, sent at US, has arrived; no answer
//     notes tcp|udp    what has arrived: "N=MICROSECONDS ..." in the order of arrival
//     forget           forgets the notes
//     after MS TEXT    TEXT, but only after MS milliseconds (UDP)
//     pause MS         reads nothing from here for so long: a slow reader
//     resume           ends all pauses and lingering now
//     swallow N        reads N bytes that follow, then says so (TCP)
//     linger MS        when you close, keeps its own half open for so long (TCP)
//     state PORT       the server's state of the TCP connection from your port PORT
//     drops            datagrams received, and dropped by the kernel (UDP)
//
// Anything else is echoed. A datagram may begin with "#ID "; so will its answer.
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
    const char *client, *server; // "127.0.0.1:40000", the two ends
    long received, dropped;      // UDP: datagrams so far
};

struct reply {
    size_t length;                     // 0: no answer
    int times;                         // how often to send it
    int after_ms, pause_ms, linger_ms; // see above
    long swallow_bytes;
    char text[REPLY_BYTES + 1];
};

// How often "resume" has been said: a pause ends when the number changes.
int service_resumes(void);

// Answers one request. Never fails: what is no request is echoed.
void service_answer(const struct request *request, struct reply *reply);

#endif
