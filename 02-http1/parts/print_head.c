// print_head.c: see print_head.h.
#include "print_head.h"

#include <stdio.h>

void print_head(const char *bytes, size_t length)
{
    fputs("< ", stderr);
    for (size_t i = 0; i < length - 2; i++) { // without the last CRLF
        if (bytes[i] == '\n')
            fputs("\n< ", stderr);
        else if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            fputc(bytes[i], stderr);
        else if (bytes[i] != '\r')
            fputc('.', stderr);
    }
    fputc('\n', stderr);
}
