// numbered.h: numbered messages to the server, which notes when each one has come.
#ifndef NUMBERED_H
#define NUMBERED_H

#include <stdbool.h>

#define MESSAGES 200

// The messages of one transport, as the server has noted them.
struct arrivals {
    int count;                  // how many messages came
    int behind;                 // how many came directly behind a later one
    bool in_order;              // each came later than the one before it
    long took_us[MESSAGES + 1]; // how long each was on its way; 0: it never came
};

// Sends the messages, a millisecond apart. `end` stands behind each of them.
void numbered_send(int fd, const char *end);

// Asks the server, over the connection `tcp`, for its notes of one transport, "tcp" or "udp".
struct arrivals numbered_read(int tcp, const char *transport);

#endif
