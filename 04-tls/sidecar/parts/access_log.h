// access_log.h: one line of JSON for each request, in a file: for people, and for programs that
// put the requests of many services together to a trace.
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include "sidecar.h"

// Opens the file, to append. Dies if it cannot.
void access_log_open(const char *path);

// A request has ended. Without a file it is a line of the program's own log.
void access_log_request(const struct downstream *d, int64_t took_ns);

#endif
