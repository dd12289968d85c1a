// session.h: a client's connections over HTTP/2, each with any number of requests at once. They
// wait together, by poll(): for the client of this lesson, its scenes and tests.
//
//     struct session *session = session_open("127.0.0.1", 8203);
//     struct ask ask = {.method = "GET", .path = "/"};
//     session_ask(session, &ask);
//     while (!ask.done)
//         sessions_step(&session, 1, 1000);
//     session_close(session);
#ifndef SESSION_H
#define SESSION_H

#include "transport_socket.h"

struct session {
    struct transport_socket socket;
    struct transport transport;
};

// A request, and what has become of it.
struct ask {
    const char *method, *path;
    const char *type;     // content-type of the request; NULL: it has no content
    const uint8_t *bytes; // the request's content
    uint32_t length, sent;
    struct session *session;
    struct stream *stream; // NULL: the answer is whole, or there is none
    bool done;
    bool failed; // no answer; `code` says why
    enum error_code code;
    int status;
    int grpc_status; // -1: the answer has none
    uint64_t content_bytes;
    char backend[80]; // x-backend of the answer, or the session's server
    int64_t begun_ns, ended_ns;
};

// Connects; NULL and errno if there is no server.
struct session *session_open(const char *host, int port);

// A call of gRPC: `bytes` are a message with its prefix.
struct ask session_call(const char *path, const uint8_t *bytes, uint32_t length);

// Sends a request. False: the server allows no further one now, or the connection is lost.
bool session_ask(struct session *session, struct ask *ask);

// Sends and takes what there is on all connections, and waits at most `ms` for something.
void sessions_step(struct session *sessions[], int count, int ms);

// Says GOAWAY, and frees the session.
void session_close(struct session *session);

#endif
