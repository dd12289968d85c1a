// temp_server.h: servers of a scene's own, with options that the class's server does not have,
// and their journal, in a folder that is removed again.
#ifndef TEMP_SERVER_H
#define TEMP_SERVER_H

#include <sys/types.h>

#include "call.h"

#define TEMP_SERVER_OPTIONS_MAX 12
#define TEMP_SERVER_PATH_BYTES  200

struct temp_server {
    pid_t pid;
    struct service service;
    char folder[TEMP_SERVER_PATH_BYTES], journal[TEMP_SERVER_PATH_BYTES + 16];
};

// Makes the folder, and starts a server with a new journal. `options` end with NULL. Dies if
// that cannot be done.
void temp_server_begin(struct temp_server *own, const char *const options[]);

// Plays `play` against the server of the class. If that returns false, because what the scene
// needs has not happened there, says so, and plays it against a server with these options.
bool temp_server_unless(bool (*play)(const struct service *service),
                        const char *const options[]);

// Starts a server with the journal that is there: after temp_server_wait(), or to add one more.
void temp_server_start(struct temp_server *own, const char *const options[]);

// Waits until the server has ended. Returns its status, 128 + the signal that it died of.
int temp_server_wait(struct temp_server *own);

// Ends the server, and removes the folder.
void temp_server_end(struct temp_server *own);

#endif
