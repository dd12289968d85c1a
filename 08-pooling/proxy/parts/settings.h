// settings.h: what the command line says, for all parts of the proxy.
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "forward.h"

struct settings {
    // Reverse: requests for paths go to this one server. NULL: there is none.
    const char *upstream;
    struct sockaddr_storage upstream_address;
    bool forwards; // requests with whole URIs, and CONNECT, go where the client says
    bool allow_private, tell_client, no_collapse, no_upgrade, upstream_http10, no_cache;
    int answer_ms, tunnel_idle_ms, idle_ms, collapse_ms;
    const char *connect_ports; // "443,8443"
    struct forward_proxy self;
};

extern struct settings settings;

#endif
