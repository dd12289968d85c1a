// crashpoint.c: see crashpoint.h.
#include "crashpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static char armed[32]; // the point; empty: none
static long left;      // how often it is passed until then

bool crash_arm(const char *text)
{
    size_t length = strcspn(text, ":");
    const char *found = strstr(CRASH_POINTS, text);
    char *end = "";
    left = text[length] ? strtol(text + length + 1, &end, 10) : 1;
    if (!length || length >= sizeof armed || left < 1 || *end)
        return false;
    memcpy(armed, text, length);
    for (found = CRASH_POINTS; (found = strstr(found, armed)); found += length)
        if ((found == (const char *)CRASH_POINTS || found[-1] == ' ') &&
            strchr(" ", found[length]))
            return true;
    return false;
}

void crash_at(const char *point)
{
    if (strcmp(armed, point) || --left)
        return;
    story_event("crash: %s", point);
    raise(SIGKILL);
}
