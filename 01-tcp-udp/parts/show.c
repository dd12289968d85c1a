// show.c: see show.h.
#include "show.h"

#include <poll.h>
#include <stdio.h>

#include "net.h"
#include "output.h"

void show(const char *protocol, const char *ours, const char *arrow, const char *theirs,
          const void *content, size_t length)
{
    printf("%s %s %s %s %zu bytes ", protocol, ours, arrow, theirs, length);
    output_quoted(content, length);
    putchar('\n');
    output_flush();
}

int64_t in_ms(int64_t ms)
{
    return now_ns() + ms * 1000000;
}

bool await_readable(int fd, int64_t until_ns)
{
    struct pollfd readable = {fd, POLLIN, 0};
    int64_t left_ms = (until_ns - now_ns()) / 1000000;
    return left_ms > 0 && poll(&readable, 1, (int)left_ms) == 1;
}
