// services.h: which services there are, where their instances are, and which instance gets the
// next request.
#ifndef SERVICES_H
#define SERVICES_H

#include <netinet/in.h>

#include "breaker.h"
#include "http.h"
#include "net.h"
#include "retry.h"
#include "service_file.h"

#define ENDPOINTS_MAX 256

struct upstream;

// An instance: the sidecar of one of a service's applications, or this sidecar's own app.
struct endpoint {
    char name[NET_NAME]; // ADDRESS:PORT
    struct sockaddr_storage address;
    struct service *service; // NULL: this place in the table is free
    bool gone;               // it is no longer in the file: it gets nothing new
    int active;              // requests that are under way
    int links;               // connections
    struct breaker breaker;
    struct upstream *idle; // connections that wait for a request, the last one used first
};

struct service {
    char name[SERVICE_NAME];
    char identity[128]; // that its instances have to show
    struct endpoint *endpoints[INSTANCES_MAX];
    int count; // 0: the file no longer has it
    int next;  // the one whose turn it is, where several are equally busy
    struct retry_budget budget;
};

extern struct service services[SERVICES_MAX];
extern int service_count;
extern struct endpoint endpoints[ENDPOINTS_MAX];

// Begins to use the file of services in the settings, and to watch it: it is read again when
// another program has closed it after writing, or has put another one in its place. Dies if its
// folder cannot be watched. Without a file it does nothing.
void services_begin(void);

// The only service that there is: for a sidecar without a file.
void services_only(const struct sockaddr_storage *address);

// Reads the file again. If it cannot be used, the log says why, and what was read before stays.
void services_read(void);

// True if the file was read at least once, or there is none.
bool services_known(void);

// The service of a Host field: "stock", or "stock:80". NULL: there is none.
struct service *services_find(struct http_text host);

// The service that has an instance at this address, whatever the port: for connections of an
// app that knows an address only. NULL: there is none.
struct service *services_at(const struct sockaddr_in *address);

// Which endpoint gets a request: of those that are not in `tried` (bits in the order of
// service->endpoints) and whose breaker lets it through, one with the fewest requests under
// way. The request is sent to it: its breaker learns that. NULL: there is none.
struct endpoint *services_pick(struct service *service, unsigned tried);

// The bit of an endpoint in `tried`; 0 if the service no longer has it.
unsigned services_bit(const struct service *service, const struct endpoint *endpoint);

// What has become of a request that was sent to an endpoint.
void services_result(struct endpoint *endpoint, bool went_well);

#endif
