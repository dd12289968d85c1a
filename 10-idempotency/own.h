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

// The server of the class, if its figure of this name is at least so much; else one of the
// scene's own, and says so. own_end() ends either.
const struct service *own_unless(struct own *own, const char *figure, long least,
                                 const char *const options[]);

// Starts a server with the journal that is there: after own_wait(), or to add one more.
void own_start(struct own *own, const char *const options[]);

// Waits until the server has ended. Returns its status, 128 + the signal that it died of.
int own_wait(struct own *own);

// Ends the server, if one was started, and removes the folder.
void own_end(struct own *own);

#endif
