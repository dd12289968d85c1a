// account.h: what this server is asked, and what it answers.
//
//     POST /login    {"user":"alice","password":"..."}: a session's cookie, or a token
//     GET /me        who is this? 401: nobody that we know
//     GET /admin     only for the role "admin": 403 for others
//     POST /logout   the session, or the family of refresh tokens, ends
//     POST /token    {"refresh_token":"..."}: the next token and refresh token (--auth hybrid)
//     GET /.well-known/jwks.json   the public keys
//     GET /stats     sessions, lookups, scrypts
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "exchange.h"

// Reads the keys of tokens.
void account_begin(const struct settings *settings);
void account_end(void);

// Answers a request, now or when a job is done.
void account_serve(struct connection *c, const struct http_request *request);

#endif
