// own.h: servers of a scene's own, with options that the class's server does not have, and
// their journal, in a folder that is removed again.
#ifndef OWN_H
#define OWN_H

#include <sys/types.h>

#include "call.h"

#define OWN_OPTIONS_MAX 12
#define OWN_PATH_BYTES  200

struct own {
    pid_t pid;
    struct service service;
    char folder[OWN_PATH_BYTES], journal[OWN_PATH_BYTES + 16];
};

// Makes the folder, and starts a server with a new journal. `options` end with NULL. Dies if
// that cannot be done.
void own_begin(struct own *own, const char *const options[]);

// Plays `play` against the server of the class. If that returns false, because what the scene
// needs has not happened there, says so, and plays it against a server with these options.
bool own_unless(bool (*play)(const struct service *service), const char *const options[]);

// Starts a server with the journal that is there: after own_wait(), or to add one more.
void own_start(struct own *own, const char *const options[]);

// Waits until the server has ended. Returns its status, 128 + the signal that it died of.
int own_wait(struct own *own);

// Ends the server, and removes the folder.
void own_end(struct own *own);

#endif
