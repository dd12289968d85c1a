// sidecar.h: what the parts of the sidecar have in common: its settings, its state, and the
// struct of a request.
#ifndef SIDECAR_H
#define SIDECAR_H

#include <netinet/in.h>

#include "buffer.h"
#include "forward.h"
#include "identity.h"
#include "retry.h"
#include "services.h"
#include "trace.h"

#define REPEAT_BYTES  32768 // a request up to this length can be sent a second time
#define WAITING_BYTES 65536 // of a request, or of an answer, that wait for a slow receiver
#define ALLOWED_MAX   32
#define CONTENT_MS    10000 // in this time the sender of content has to send
#define CONTENT_BYTES 10000 // so many bytes of it

// What a sidecar says to the one that has sent it a request, when it was its own hop to the app
// that has failed. Apps cannot say so: from their answers this field is removed.
#define HOP_FAILED        "Hop-Failed"
#define NOT_DELIVERED     "not-delivered"     // it can be sent again, whatever its method is
#define PERHAPS_DELIVERED "perhaps-delivered" // only if it is safe to repeat

struct settings {
    const char *host, *inbound_host, *app, *services; // services: file; NULL: none
    int port, inbound_port, admin_port;
    struct identity identity;
    struct retry_settings retry;
    struct breaker_settings breaker;
    int connect_ms; // a connection, with its handshake, may take so long,
    int answer_ms;  // a try until its answer begins,
    int timeout_ms; // and a request with all its tries
    int head_ms, idle_ms, keep_ms, drain_ms;
    int rate, burst;        // requests a second of each identity; rate 0: not limited
    int app_requests;       // that the app may have at once
    bool stop_after_app;    // asked to stop, it waits until the app is gone
    bool redirected;        // the app's connections come by a rule of the kernel's
    const char *access_log; // file; NULL: none
    char allowed[ALLOWED_MAX][LINK_PEER]; // identities; none: all of the mesh
    int allowed_count;
};

struct state {
    bool app_up;   // the app takes connections
    bool draining; // the program was asked to stop
    int under_way; // requests
    struct endpoint app;
};

extern struct settings settings;
extern struct state state;

// Reads the options, from parts/settings.c.
void settings_parse(int argc, char **argv);

// The app takes connections, or takes none: found out on the way.
void state_app(bool up);

// ---- downstream.c: the client's connection, and its request --------------------------------

// What a request waits for.
enum stage {
    STAGE_IDLE,    // its first byte
    STAGE_HEAD,    // the rest of its head
    STAGE_BACKOFF, // the time of its next try
    STAGE_CONNECT, // a connection to the upstream
    STAGE_ANSWER,  // the upstream's answer, or the rest of its own content
    STAGE_SENDING, // its answer comes, and goes
};

// A connection from the app, or from another sidecar, and its present request. (One request at
// a time: the next one waits until this one is answered.)
struct downstream {
    struct link link;
    bool inbound; // it comes from another sidecar, and is for the app
    char address[INET6_ADDRSTRLEN];
    struct sockaddr_in wanted;        // --redirected: where the app wanted to go
    struct downstream *older, *newer; // in the ring of those without a request
    // The request.
    enum stage stage;
    struct service *service; // that it is for; NULL: the app, or none at all
    char line[80];           // its method and target, for people
    int64_t began_ns, give_up_ns;
    bool last;              // no request after this one
    bool in_content;        // its head is here, the rest not yet
    bool head_only, old;    // HEAD; HTTP/1.0
    bool idempotent, kept;  // kept: all of it can be sent again
    uint64_t content_bytes; // in this period of CONTENT_MS
    struct http_body body;
    struct trace trace;
    struct buffer request; // for the upstream, as it is sent
    // Its tries.
    int tries;
    unsigned tried; // endpoints, as bits
    struct endpoint *endpoint;
    struct upstream *up; // carries it; NULL: not yet, or not any more
    bool failed;         // the try has failed; the request does what follows in its own turn
    enum retry_failure failure;
    enum retry_verdict verdict; // is there another try?
    int failed_status;          // for the answer, if there is no other try
    char why[LINK_WHY_BYTES];
    // The answer.
    int status; // 0: none has begun
    uint64_t answer_bytes;
    bool answered;        // the last byte of it is in `answer`
    bool cut;             // it cannot be completed: the connection ends without its end
    struct buffer answer; // for the client
};

extern const struct link_kind downstream_kind;

// A try has failed: decides about the next one, which the request begins in its own turn.
void downstream_failed(struct downstream *d, enum retry_failure failure, int status,
                       const char *why);

// For an answer that says that the other sidecar's hop has failed: true if the request will be
// sent again, so the answer is not passed on.
bool downstream_sends_again(struct downstream *d, enum retry_failure failure, const char *why);

// Answers it in the sidecar's own name. `fields` are lines that end with CRLF, or "".
void downstream_answer(struct downstream *d, int status, const char *fields, const char *why);

static inline int64_t downstream_now(const struct downstream *d)
{
    return conn_now(&d->link.tls.conn);
}

// Closes the connection that waits longest without a request, of those from other sidecars.
void downstream_make_room(void);

// ---- tries.c: all are called in the request's own turn ------------------------------------

// Sends the request to an endpoint: on a connection that waits, or on a new one.
void try_begin(struct downstream *d);

// The connection is there: from now on the answer has its time.
void try_wait(struct downstream *d);

// The try has failed: what now?
void try_failed(struct downstream *d);

// The time of the try, or of the whole request, is over.
void try_give_up(struct downstream *d);

// The endpoint has no more to do with this request.
void try_end(struct downstream *d);

// Asks for timeout() after `ms`, but not later than when the request is given up.
void try_deadline(struct downstream *d, int ms);

// ---- parts/: what is done with each request ------------------------------------------------

// Answers a request that the sidecar has to refuse, before any try. True: it has done so.
bool refuse(struct downstream *d, const struct http_head *head);

// Appends the head to d->request as the upstream gets it: without what was about the client's
// connection (../../common/forward.c), and with what the sidecar adds. Changes *head. False:
// there is no memory.
bool request_head_write(struct downstream *d, struct http_head *head);

// Removes all fields of this name from a head, of a request or of an answer.
void request_head_remove(struct http_head *head, const char *name);

// Counts a request that has its answer, or whose client is gone (status 0); one that was
// refused because of --rate; a try that was repeated, or could not be.
void metrics_request(const struct downstream *d, int64_t took_ns);
void metrics_limited(const struct downstream *d);
void metrics_retry(const struct downstream *d, enum retry_verdict verdict);

// Writes all that was counted: the text format of Prometheus, version 0.0.4. False: there is no
// memory.
bool metrics_write(struct buffer *out);

// Opens the file, to append; NULL: there is none. Dies if it cannot.
void access_log_open(const char *path);

// A request has ended. Without a file it is a line of the program's own log.
void access_log_request(const struct downstream *d, int64_t took_ns);

// ---- parts/admin.c -------------------------------------------------------------------------

extern const struct link_kind admin_kind;
extern const size_t admin_bytes; // of its struct

#endif
