// host.c: see host.h.
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

int host_kernel(void)
{
    struct utsname name;
    int major = 0, minor = 0;
    if (uname(&name) == 0)
        sscanf(name.release, "%d.%d", &major, &minor);
    return major * 100 + minor;
}

bool host_setting(const char *name, long values[], int count)
{
    char path[80], text[200] = "", *at = text;
    snprintf(path, sizeof path, "HOST_%s", name);
    const char *from_wire = getenv(path);
    if (from_wire) {
        snprintf(text, sizeof text, "%s", from_wire);
    } else {
        snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
        FILE *file = fopen(path, "re");
        if (file && !fgets(text, sizeof text, file))
            text[0] = '\0';
        if (file)
            fclose(file);
    }
    memset(values, 0, (size_t)count * sizeof *values);
    for (int i = 0; i < count; i++) {
        char *end;
        values[i] = strtol(at, &end, 10);
        if (end == at)
            return false;
        at = end;
    }
    return true;
}

bool host_files(int needed)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_max < (rlim_t)needed)
        return false;
    if (files.rlim_cur >= (rlim_t)needed)
        return true;
    files.rlim_cur = (rlim_t)needed;
    return setrlimit(RLIMIT_NOFILE, &files) == 0;
}
