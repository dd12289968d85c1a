// teller.h: a server that says what a test tells it to, for tests of clients.
#ifndef TELLER_H
#define TELLER_H

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "net.h"
#include "smaller.h"
#include "test.h"

enum ending { CLOSE, RESET, STAY };

// A server for one connection: it waits for a request, says its text, and ends.
struct teller {
    const char *says;
    int piece_bytes; // that it says at once; 0: all
    double pause_ms; // after each piece
    enum ending ending;
    int listener;
    struct sockaddr_storage address;
    pthread_t thread;
};

static inline void *tell(void *data)
{
    struct teller *teller = data;
    struct linger reset = {1, 0};
    char request[32768];
    size_t length = strlen(teller->says), asked = 0;
    int fd = accept(teller->listener, NULL, NULL);
    for (ssize_t got = 1; got > 0 && !memmem(request, asked, "\r\n\r\n", 4);
         asked += (size_t)got)
        got = read(fd, request + asked, sizeof request - asked);
    size_t piece = length;
    if (teller->piece_bytes)
        piece = (size_t)teller->piece_bytes;
    for (size_t at = 0; at < length; at += piece) {
        size_t part = smaller(length - at, piece);
        if (send(fd, teller->says + at, part, MSG_NOSIGNAL) < 0)
            break;
        sleep_ms(teller->pause_ms);
    }
    if (teller->ending == RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (teller->ending == STAY) // until the client goes
        while (read(fd, request, sizeof request) > 0)
            ;
    close(fd);
    return NULL;
}

static inline void teller_begin(struct teller *teller)
{
    socklen_t length = sizeof teller->address;
    teller->listener = net_listen("127.0.0.1", 0, 1);
    getsockname(teller->listener, (struct sockaddr *)&teller->address, &length);
    pthread_create(&teller->thread, NULL, tell, teller);
}

static inline void teller_end(struct teller *teller)
{
    pthread_join(teller->thread, NULL);
    close(teller->listener);
}

#endif
