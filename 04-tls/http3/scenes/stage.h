// stage.h: what the scenes of this folder share: the server's address, clients of it, and the
// servers over TCP that they compare it with.
#ifndef STAGE_H
#define STAGE_H

#include "h3_client.h"

#define STAGE_TLS_PORT    8004 // lesson 04's server, where a scene has one beside ours
#define STAGE_PATIENCE_NS INT64_C(10000000000)

// Where the server is, from play's command line.
extern const char *stage_host;
extern int stage_port;

// A new context for clients that trust the lesson's CA. (A context remembers the tokens that
// servers have given: with a new one the client is a stranger.)
SSL_CTX *stage_context(void);

// Connects to this server; dies if it does not answer.
void stage_connect(struct h3_client *client, SSL_CTX *ctx, const char *host, int port);

// Sends a GET; dies if that is not possible.
void stage_ask(struct h3_client *client, struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Waits until all answers are there. False: some are missing.
bool stage_await(struct h3_client *client);

#endif
