// crashpoint.c: see crashpoint.h.
#include "crashpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static char armed[sizeof CRASH_POINTS]; // the point; empty: none
static long left;                       // how often it is passed until then

bool crash_arm(const char *text)
{
    size_t length = strcspn(text, ":");
    char *end = "";
    left = 1;
    if (text[length])
        left = strtol(text + length + 1, &end, 10);
    if (left < 1 || *end)
        return false;
    for (const char *at = CRASH_POINTS; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == length && !memcmp(at, text, length)) {
            memcpy(armed, text, length);
            return true;
        }
        at += word;
    }
    return false;
}

void crash_at(const char *point)
{
    if (strcmp(armed, point) || --left)
        return;
    log_line("crash: %s", point);
    raise(SIGKILL);
}
