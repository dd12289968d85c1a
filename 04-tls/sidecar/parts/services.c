// services.c: see services.h. Read services_pick() first, then put_to_use().
#include "services.h"

#include <errno.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"
#include "upstream.h"

struct service services[SERVICES_MAX];
int service_count;
struct endpoint endpoints[ENDPOINTS_MAX];

static struct service_file file;
static const char *file_name; // of settings.services, without its folder
static bool known;

// ---- which endpoint gets the next request --------------------------------------------------

struct endpoint *services_pick(struct service *service, unsigned tried)
{
    int64_t time_ns = now_ns();
    struct endpoint *best = NULL;
    int best_at = 0;
    for (int i = 0; i < service->count; i++) {
        int at = (service->next + i) % service->count;
        struct endpoint *endpoint = service->endpoints[at];
        if (tried & 1u << at || !breaker_allows(&endpoint->breaker, time_ns))
            continue;
        if (!best || endpoint->active < best->active) {
            best = endpoint;
            best_at = at;
        }
    }
    if (best) {
        service->next = (best_at + 1) % service->count;
        breaker_sent(&best->breaker, time_ns);
    }
    return best;
}

unsigned services_bit(const struct service *service, const struct endpoint *endpoint)
{
    for (int i = 0; i < service->count; i++)
        if (service->endpoints[i] == endpoint)
            return 1u << i;
    return 0;
}

struct service *services_find(struct http_text host)
{
    const char *colon = memchr(host.at, ':', host.length);
    if (colon)
        host.length = (size_t)(colon - host.at);
    for (int i = 0; i < service_count; i++)
        if (services[i].count && http_is_token(host, services[i].name))
            return &services[i];
    return NULL;
}

struct service *services_at(const struct sockaddr_in *address)
{
    for (struct service *s = services; s < services + service_count; s++)
        for (int i = 0; i < s->count; i++) {
            const struct sockaddr_in *own = (struct sockaddr_in *)&s->endpoints[i]->address;
            if (own->sin_family == AF_INET && own->sin_addr.s_addr == address->sin_addr.s_addr)
                return s;
        }
    return NULL;
}

void services_result(struct endpoint *endpoint, bool went_well)
{
    static const char *const words[] = {"closed", "open", "half open"};
    if (!endpoint->service) // the sidecar's own app: there is no other one
        return;
    if (breaker_result(&endpoint->breaker, &settings.breaker, went_well, now_ns()))
        log_line("breaker of %s at %s: %s", endpoint->service->name, endpoint->name,
                 words[endpoint->breaker.state]);
}

// ---- the file ------------------------------------------------------------------------------

static struct service *find_or_add(const char *name)
{
    struct service *service = services;
    while (service < services + service_count && strcmp(service->name, name))
        service++;
    if (service < services + service_count)
        return service;
    if (service_count == SERVICES_MAX)
        return NULL;
    service_count++;
    snprintf(service->name, sizeof service->name, "%.63s", name);
    snprintf(service->identity, sizeof service->identity, "spiffe://%.50s/%s",
             settings.identity.domain, service->name);
    return service;
}

// The service's endpoint with this address, or a new one. NULL: the table is full.
static struct endpoint *find_or_make(struct service *service,
                                     const struct sockaddr_storage *address)
{
    struct endpoint *empty = NULL;
    for (struct endpoint *e = endpoints; e < endpoints + ENDPOINTS_MAX; e++) {
        if (e->service == service && !memcmp(&e->address, address, sizeof *address))
            return e;
        bool unused = !e->service || (e->gone && !e->active && !e->links);
        if (!empty && unused)
            empty = e;
    }
    if (!empty)
        return NULL;
    *empty = (struct endpoint){.address = *address, .service = service};
    net_name(address, empty->name);
    return empty;
}

// Replaces the services by those of the file. What stays keeps its connections and its breaker.
static void put_to_use(void)
{
    for (struct endpoint *e = endpoints; e < endpoints + ENDPOINTS_MAX; e++)
        e->gone = true;
    for (int i = 0; i < service_count; i++)
        services[i].count = 0;
    for (const struct service_line *line = file.services; line < file.services + file.count;
         line++) {
        struct service *service = find_or_add(line->name);
        for (int i = 0; service && i < line->count; i++) {
            struct endpoint *endpoint = find_or_make(service, &line->addresses[i]);
            if (!endpoint || services_bit(service, endpoint)) // no room; named twice
                continue;
            endpoint->gone = false;
            service->endpoints[service->count++] = endpoint;
        }
        if (!service || service->count < line->count)
            log_line("services: %s has addresses that are twice there, or no room", line->name);
    }
    for (struct endpoint *e = endpoints; e < endpoints + ENDPOINTS_MAX; e++)
        if (e->gone)
            upstream_close_idle(e);
}

void services_only(const struct sockaddr_storage *address)
{
    struct service_line *line = file.services;
    snprintf(line->name, sizeof line->name, "%s", settings.identity.name);
    line->addresses[0] = *address;
    line->count = file.count = 1;
    put_to_use();
}

void services_read(void)
{
    static char text[SERVICE_FILE_BYTES];
    char why[SERVICE_FILE_WHY];
    if (!settings.services)
        return;
    FILE *stream = fopen(settings.services, "re");
    size_t length = 0;
    if (stream)
        length = fread(text, 1, sizeof text, stream);
    bool good = stream && !ferror(stream);
    snprintf(why, sizeof why, "%s", strerror(errno));
    if (stream)
        fclose(stream);
    if (length == sizeof text)
        snprintf(why, sizeof why, "it has more than %zu bytes", sizeof text - 1);
    if (good && length < sizeof text && service_file_read(text, length, &file, why)) {
        put_to_use();
        known = true;
        log_line("services: %d of them in %s", file.count, settings.services);
    } else {
        log_line("services: %s is not used: %s", settings.services, why);
    }
}

bool services_known(void)
{
    return known || !settings.services;
}

// Something in the folder of the file has changed: is it the file?
static void folder_changed(int fd)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    const struct inotify_event *event;
    bool changed = false;
    ssize_t length;
    while ((length = read(fd, events, sizeof events)) > 0)
        for (const char *at = events; at < events + length; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)at;
            // Also whatever has got a new name: the file may be a link, as in Kubernetes, where
            // another link on the way to it is replaced.
            if (event->mask & (IN_Q_OVERFLOW | IN_MOVED_TO) ||
                (event->len && !strcmp(event->name, file_name)))
                changed = true;
        }
    if (changed)
        services_read();
}

// The folder is watched, not the file: programs that replace a file rename another one to its
// name, and a watch would stay with the old one.
void services_begin(void)
{
    if (!settings.services)
        return;
    char *copy = strdup(settings.services);
    if (!copy)
        die("no memory");
    const char *folder = dirname(copy), *slash = strrchr(settings.services, '/');
    file_name = settings.services;
    if (slash)
        file_name = slash + 1;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        die("cannot watch the folder %s: %s", folder, strerror(errno));
    link_watch(fd, folder_changed);
    free(copy);
    services_read();
}
