// access_log.c: one line of JSON for each request, in a file: for people, and for programs that
// put the requests of many services together to a trace; see sidecar.h.
#include "sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static int file = -1;

void access_log_open(const char *path)
{
    if (!path)
        return;
    file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        die("cannot open the access log %s: %s", path, strerror(errno));
}

// Copies text into a string of JSON: what could end the string, or is no ASCII, becomes '?'.
static void quote(const char *text, char *quoted, size_t size)
{
    size_t i = 0;
    for (; text[i] && i < size - 1; i++) {
        quoted[i] = text[i];
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            quoted[i] = '?';
    }
    quoted[i] = '\0';
}

void access_log_request(const struct downstream *d, int64_t took_ns)
{
    char line[1000], request[sizeof d->line], why[LINK_WHY_BYTES];
    const char *direction = "outbound", *peer = d->link.peer, *colon = "";
    if (d->why[0])
        colon = ": ";
    if (d->inbound)
        direction = "inbound";
    else if (d->service)
        peer = d->service->name;
    if (file < 0) {
        char tries[32] = ""; // an app's own sidecar tries once; a refused request is not tried
        if (!d->inbound && d->tries)
            snprintf(tries, sizeof tries, ", try %d", d->tries);
        log_line("%s, %s %s: %d%s%s%s", direction, peer, d->line, d->status, tries, colon,
                 d->why);
        return;
    }
    quote(d->line, request, sizeof request);
    quote(d->why, why, sizeof why);
    int length =
        snprintf(line, sizeof line,
                 "{\"service\":\"%s\",\"direction\":\"%s\",\"peer\":\"%s\",\"request\":\"%s\","
                 "\"status\":%d,\"bytes\":%llu,\"tries\":%d,\"start_us\":%lld,\"us\":%lld,"
                 "\"trace\":\"%s\",\"span\":\"%s\",\"parent\":\"%s\",\"why\":\"%s\"}\n",
                 settings.identity.name, direction, peer, request, d->status,
                 (unsigned long long)d->answer_bytes, d->tries, (long long)d->began_ns / 1000,
                 (long long)took_ns / 1000, d->trace.id, d->trace.span, d->trace.parent, why);
    if (length >= (int)sizeof line)
        length = sizeof line - 1;
    if (write(file, line, (size_t)length) != length) // one write(): many may share the file
        log_line("the access log cannot be written: %s", strerror(errno));
}
