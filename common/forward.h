// forward.h: what a proxy passes on of the HTTP messages that go through it, and what it adds
// (RFC 9110 §7.6): the heads are written anew, the content passes as it is.
//
//     struct forward forward = {.by = &proxy, .client = "192.0.2.1"};
//     used = forward_requests(&forward, bytes, length, &to_upstream);
//     used = forward_answers(&forward, bytes, length, &to_client);
//
// One struct forward is one client's connection, and one connection to the server behind it
// (the upstream). It knows no socket: it takes bytes and gives bytes.
//
// What is not passed on:
// * fields that are about one connection only (§7.6.1): Connection and all that it names,
//   Keep-Alive, TE, Upgrade, ...; so neither a change of protocol nor a trailer passes
// * fields in which proxies name their client (X-Forwarded-For, ...): from a client they
//   are only claims. A name counts however it is spelled: for many servers X_Forwarded_For is
//   the same as X-Forwarded-For, because their programs see HTTP_X_FORWARDED_FOR.
// What is added: X-Forwarded-For, X-Forwarded-Proto, Via.
#ifndef FORWARD_H
#define FORWARD_H

#include "http.h"

#define FORWARD_HEAD_BYTES (HTTP_LINE_BYTES + HTTP_HEAD_BYTES + 512) // that a new head may need
#define FORWARD_WAITING    32 // requests whose answers are still to come: more are not taken

// The proxy itself.
struct forward_proxy {
    const char *name; // in Via, a token: "workbench"
    bool secure;      // its clients come by https
};

struct forward {
    const struct forward_proxy *by;
    const char *client; // its address, for X-Forwarded-For; NULL: the server is not told
    // Requests.
    bool in_content;       // a request's head has passed, its content not yet
    bool last;             // no request passes after this one
    int refused;           // status to answer with, behind all answers that are still to come
    const char *why;       // half a sentence: the reason for that
    long requests;         // whose heads have passed
    struct http_body body; // of the request
    char line[80];         // method and target of the newest request, for people
    // Answers.
    unsigned waiting;      // requests whose answers are not complete
    bool in_answer;        // an answer's head has passed, its content not yet
    bool answers_end;      // no answer passes after this one: the connection ends
    bool bad_answer;       // what the upstream has sent is no HTTP/1; nothing more passes
    int status;            // of the newest answer
    uint64_t answer_bytes; // of its content that have passed
    struct http_body answer_body;
    bool plain; // the chunks of this answer are taken off: the client speaks HTTP/1.0
    // Of each request that waits, oldest first: is it a HEAD, is it of HTTP/1.0?
    struct {
        bool head, old;
    } asked[FORWARD_WAITING];
};

// Takes requests, or parts of them, from `bytes` and appends to `out` what the upstream is to
// see. Returns how many bytes it has used: 0 if more have to come, if there is not enough room
// in `out`, or if nothing more may pass (last, refused, or too many are waiting).
size_t forward_requests(struct forward *forward, const char *bytes, size_t length,
                        struct http_out *out);

// The same for answers, which come in the order of the requests.
size_t forward_answers(struct forward *forward, const char *bytes, size_t length,
                       struct http_out *out);

// The upstream has closed its connection. True if nothing is missing: each request has its
// answer, and the last one is whole (also because this is what ends it).
bool forward_is_complete(const struct forward *forward);

// Appends a short answer of the proxy's own, which ends the connection. `why` (NULL: nothing)
// is half a sentence for its content.
void forward_refusal(int status, const char *why, struct http_out *out);

// The parts of it that know the rules, for programs that send requests themselves. First: the
// status with which the proxy answers a request itself; 0: it may pass.
int forward_refuses(const struct http_head *head);

// False if the field with this name, in either direction, is about one connection only: what
// the other side gets does not have it, and a cache must not go by it.
bool forward_passes(const struct http_head *head, struct http_text name);

// Passes content on as it is, but for the fields behind the last chunk; without its chunks if
// `chunks_off`. Returns how many bytes of it are used, or a status, negated, if they are
// malformed; adds to *content_bytes.
ssize_t forward_pass_content(struct http_body *body, const char *bytes, size_t length,
                             bool chunks_off, struct http_out *out, uint64_t *content_bytes);

// These two write a head anew, down to its empty line. A request's Max-Forwards must not be 0.
// What an answer's head says about the connection, and about chunks, is told by `keep_alive`
// and `with_chunks`.
void forward_request_head(const struct forward *forward, const struct http_head *head,
                          struct http_out *out);
void forward_answer_head(const struct forward *forward, const struct http_head *head,
                         bool keep_alive, bool with_chunks, struct http_out *out);

#endif
