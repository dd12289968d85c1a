// printer.c: see printer.h.
#include "printer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "output.h"

void print_event(const char *id, struct http_text name, struct http_text data)
{
    struct timespec now;
    struct buffer text = {0};
    char delay[30] = "";
    uint64_t at_us;
    clock_gettime(CLOCK_REALTIME, &now);
    if (json_number(data, "at_us", &at_us) && json_string(data, "text", &text)) {
        double now_us = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
        snprintf(delay, sizeof delay, "%.1f ms", (now_us - (double)at_us) / 1000);
        data = (struct http_text){text.bytes, text.length};
    }
    output_bytes(id, strlen(id));
    printf("  %10s  ", delay);
    output_bytes(name.at, name.length);
    printf("  ");
    output_bytes(data.at, data.length);
    printf("\n");
    output_flush();
    buffer_free(&text);
}
