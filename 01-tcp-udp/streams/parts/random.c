// random.c: see random.h.
#include "random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "net.h"

void random_bytes(uint8_t *bytes, size_t length)
{
    if (getrandom(bytes, length, 0) != (ssize_t)length)
        die("the kernel has no random numbers: %s", strerror(errno));
}
