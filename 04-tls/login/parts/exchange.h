// exchange.h: one client's connection, and the request that is being answered on it: how an
// answer is sent, and how a request waits for work that a thread does.
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "base64url.h"
#include "cookie.h"
#include "http_server.h"
#include "jobs.h"
#include "passwords.h"
#include "settings.h"
#include "tls_filter.h"

#define PASSWORD_THREADS 2   // so many log-ins are checked at the same time
#define PASSWORDS_MAX    64  // so many may wait; more are told to come again
#define QUESTIONS_MAX    500 // to the store, at once
#define ADDRESS_BYTES    64
#define LINE_BYTES_MAX   48 // of a request's method and path that the log shows
#define FIELDS_BYTES     400
#define CONTENT_BYTES    4096 // of an answer

struct connection;

// What a request needs until it is answered. It is not a part of the connection: a thread may
// still be at it when the client has gone.
struct exchange {
    struct job job;                    // first
    bool waiting;                      // for a job
    void (*next)(struct connection *); // goes on when the job is done
    char user[SUBJECT_BYTES], password[PASSWORD_BYTES];
    const char *role; // what the check of the password has said
    struct session_request question;
    struct session_reply reply;
    char id[BASE64URL_SIZE(2 * SESSION_ID)]; // of a new session, or a new refresh token
};

struct connection {
    struct tls_filter tls;
    struct http_server http;
    struct exchange *exchange;
    char address[ADDRESS_BYTES]; // of the client
    char line[LINE_BYTES_MAX];   // "POST /login"
};

// Opens the sessions, and starts the threads. Returns the end of a socket that belongs into the
// loop: exchange_take_done() is to be called when it has something to read.
int exchange_begin(const struct settings *settings);
void exchange_end(void);

// Wakes the connections whose jobs are done. Returns how many jobs are still to be done.
int exchange_take_done(void);

// Makes c->exchange if there is none. False: there is no memory.
bool exchange_open(struct connection *c);

// The connection is gone.
void exchange_close(struct connection *c);

// Each of these two ends a handler, which goes on in `next` when the work is done. False: too
// many are waiting; then it does not go on.
bool exchange_check_password(struct connection *c, void (*next)(struct connection *));
bool exchange_ask_sessions(struct connection *c, void (*next)(struct connection *));

// Answers the present request, and ends it. `fields` are lines that end with CRLF, or "".
void exchange_answer(struct connection *c, int status, const char *type, const char *fields,
                     const char *content);

// The same for a short answer in JSON, with what a browser has to be told of all answers here.
void exchange_answer_json(struct connection *c, int status, const char *fields,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

// How many sessions there are, and how many lookups there were, of this process.
void exchange_count(int *sessions, long *lookups);

#endif
