// output.c: see output.h.
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

void output_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void output_flush(void)
{
    // An earlier write may have failed (ferror), or this one does.
    if (ferror(stdout) || fflush(stdout)) {
        int why = errno;
        clearerr(stdout);
        die("cannot write the output: %s", strerror(why));
    }
}

void output_bytes(const void *bytes, size_t length)
{
    const unsigned char *c = bytes;
    if (!isatty(STDOUT_FILENO)) {
        fwrite(bytes, 1, length, stdout);
        return;
    }
    for (const unsigned char *end = c + length; c < end; c++) {
        bool control = (*c < ' ' && *c != '\n' && *c != '\t') || *c == 127;
        // U+0080 to U+009F are control characters too: C2 80 to C2 9F in UTF-8.
        bool second_half = *c >= 0x80 && *c < 0xa0 && (c == bytes || c[-1] == 0xc2);
        putchar(control || second_half ? '.' : *c);
    }
}
