// ask.c: see ask.h.
#include "ask.h"

#include <string.h>

struct sockaddr_storage ask_server;

void ask_open(struct fetch *f)
{
    fetch_or_die(f, fetch_open(f, &ask_server, 0));
}

void ask(struct fetch *f, const char *request)
{
    fetch_or_die(f, fetch_send(f, "%s", request));
    fetch_or_die(f, fetch_answer(f));
}

void ask_get(struct fetch *f, const char *target)
{
    fetch_or_die(f, fetch_ask(f, "GET", target, "", NULL));
}

int ask_first_line(const struct fetch *f)
{
    const char *end = memchr(f->content.at, '\n', f->content.length);
    if (!end)
        return (int)f->content.length;
    return (int)(end - f->content.at);
}

bool ask_ends(struct fetch *f)
{
    if (f->rest.length)
        return false;
    enum fetch_result result = fetch_read(f);
    if (result == FETCH_CLOSED || result == FETCH_RESET)
        return true;
    fetch_or_die(f, result);
    return false;
}
