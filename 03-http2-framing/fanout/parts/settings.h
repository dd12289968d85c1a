// settings.h: what the proxy's command line says, for all of its files.
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

struct settings {
    const char *host; // the address to listen on
    int port;         // 0: the kernel chooses
    bool http1;       // the backends speak HTTP/1.1
    int pool;         // connections to each of these, at most
    int streams;      // that a client may have at once
    int answer_ms;    // of a backend's silence
    int stall_ms;     // that a client may let its request, or its answer, wait
    int idle_ms;      // that a client's connection may be without a request
    bool tell;        // answers name the backend
    bool quiet;       // no line for what goes wrong
};

extern struct settings settings;

#endif
