// h3_client.h: the client's end of a connection of HTTP/3: it asks, and reads answers as they
// come, many at a time. For client.c and for scenes.
//
//     h3_open(&client, ctx, host, port, name);
//     if (h3_handshake(&client, until_ns)) {
//         h3_ask(&client, &answer, "GET", "/");
//         while (client.pending && h3_step(&client, until_ns))
//             ;
//     }
//     h3_close(&client);
#ifndef H3_CLIENT_H
#define H3_CLIENT_H

#include "h3_connection.h"

#define ANSWER_START 512 // bytes of an answer's content that are kept

struct answer {
    enum { ANSWER_NONE, ANSWER_PENDING, ANSWER_WHOLE, ANSWER_BROKEN } state;
    uint64_t id;               // of its stream
    int status;                // 0: no HEADERS have come
    uint64_t length;           // bytes of content that have come
    int64_t first_ns, last_ns; // when its first and last bytes came
    char kept[ANSWER_START];   // the first bytes of the content
    char why[QUIC_WHY_BYTES];  // if it is broken
    bool retry;                // broken, but the server has not looked at it: ask again
    // Called with each part of the content, and with each field. NULL: nothing to do.
    void (*show)(struct answer *, const uint8_t *bytes, size_t length);
    void (*field)(const struct http_field *field);
};

struct h3_client {
    struct h3_connection connection;
    char authority[HTTP_HOST_BYTES];
    int pending; // answers that are still to come
    int64_t opened_ns, established_ns;
};

// Begins a connection; nothing is sent yet. Of *client only connection.seen is used. Dies if
// there is no such host.
void h3_open(struct h3_client *client, SSL_CTX *ctx, const char *host, int port,
             const char *name);

// Waits until the handshake is done. False: it was not done in time, or the server, or this
// client, has refused: then connection.why says why.
bool h3_handshake(struct h3_client *client, int64_t until_ns);

// Sends a request. *answer is to live until it is whole or broken. False: the server allows no
// further request at this time.
bool h3_ask(struct h3_client *client, struct answer *answer, const char *method,
            const char *path);

// Does what can be done at once: sends what was asked, reads what has come. If that is nothing,
// it waits for the next thing to do. False: the connection has ended, or it is too late.
bool h3_step(struct h3_client *client, int64_t until_ns);

// Breaks off an answer that is still coming: H3_REQUEST_CANCELLED.
void h3_cancel(struct h3_client *client, struct answer *answer);

// Says good-bye, and frees everything.
void h3_close(struct h3_client *client);

#endif
