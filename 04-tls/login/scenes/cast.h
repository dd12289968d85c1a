// cast.h: who plays in the scenes: users, and servers that a scene starts itself.
#ifndef CAST_H
#define CAST_H

#include <sys/types.h>

#include "agent.h"
#include "jwt.h"
#include "passwords.h"

#define CAST_PATH 300

struct server {
    pid_t pid;
    int port;
};

// The pair's own server, or store.
void cast_pair(const char *host, int port);
const char *cast_host(void);
int cast_port(void);

// A user of the pair's server; of one that the scene has started.
struct agent cast_user(void);
struct agent cast_user_of(const struct server *server);

// Starts ./server with these further options (NULL ends them), with passwords that cost
// nothing. Dies if it does not start.
struct server cast_start(const char *const options[]);

// Starts ./store, with no options.
struct server cast_start_store(void);

// Asks it to end; kills it, as kill -9 does.
void cast_stop(struct server *server);
void cast_kill(struct server *server);

// Logs alice in. Dies if she is refused.
void cast_log_in(struct agent *user);

// GET /me: the status.
int cast_me(struct agent *user);

// A number of GET /stats: "lookups".
long cast_figure(struct agent *user, const char *name);

// A file in a folder that is gone when the scene is. Valid until the next call.
const char *cast_file(const char *name);

// Writes a text to such a file; returns its path.
const char *cast_write_file(const char *name, const char *text);

// Prints a text that has no spaces, in lines that fit.
void cast_print(const char *text, size_t length);

// "yes", or "no".
const char *cast_yes(bool answer);

#endif
