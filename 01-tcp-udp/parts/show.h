// show.h: what the client prints of each message, and how it waits for one.
#ifndef SHOW_H
#define SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Prints what travelled, which way, and between which addresses.
void show(const char *protocol, const char *ours, const char *arrow, const char *theirs,
          const void *content, size_t length);

// The moment that is so many milliseconds from now, on now_ns()'s clock.
int64_t in_ms(int64_t ms);

// Waits until something can be received. False if nothing comes before `until_ns`.
bool await_readable(int fd, int64_t until_ns);

#endif
