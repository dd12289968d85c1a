// tell.c: see tell.h.
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"

#define ERROR "error: "

const char *wire_tell(const char *format, ...)
{
    static char answer[256];
    const char *fd = getenv("WIRE_CONTROL");
    char line[256];
    va_list arguments;
    if (!fd)
        return "there is no wire";
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    if (!write_all(atoi(fd), line, strlen(line)))
        return "the wire is gone";
    size_t length = 0;
    while (length < sizeof answer - 1 && read_exactly(atoi(fd), answer + length, 1) &&
           answer[length] != '\n')
        length++;
    answer[length] = '\0';
    if (!strcmp(answer, "ok"))
        return NULL;
    if (!strncmp(answer, ERROR, strlen(ERROR)))
        return answer + strlen(ERROR);
    return "the wire is gone";
}
