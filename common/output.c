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

// True for a byte that could command a terminal: a control character, or the second half of one
// (U+0080 to U+009F are C2 80 to C2 9F in UTF-8). `before` is the byte before it.
static bool is_control(unsigned char c, unsigned char before)
{
    return c < ' ' || c == 127 || (c >= 0x80 && c < 0xa0 && before == 0xc2);
}

void output_bytes(const void *bytes, size_t length)
{
    const unsigned char *c = bytes;
    if (!isatty(STDOUT_FILENO)) {
        fwrite(bytes, 1, length, stdout);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        bool ends_line = c[i] == '\r' && i + 1 < length && c[i + 1] == '\n';
        bool harmless = c[i] == '\n' || c[i] == '\t' || ends_line;
        if (!harmless && is_control(c[i], i > 0 ? c[i - 1] : 0xc2))
            putchar('.');
        else
            putchar(c[i]);
    }
}

void output_quoted(const void *bytes, size_t length)
{
    const unsigned char *c = bytes;
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        if (c[i] == '\n')
            fputs("\\n", stdout);
        else if (c[i] == '\r')
            fputs("\\r", stdout);
        else if (is_control(c[i], i > 0 ? c[i - 1] : 0xc2))
            printf("\\x%02x", c[i]);
        else
            putchar(c[i]);
    }
    putchar('"');
}
