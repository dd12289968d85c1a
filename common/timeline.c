// timeline.c: see timeline.h.
#include "timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "text.h"
#include "wire/packet_log.h"

#define TIME_COLUMNS 13 // of the moment in front of each line, with the blanks behind it

// Columns between the two sides' vertical lines.
static int between(void)
{
    return text_width() - TIME_COLUMNS - 4;
}

static const char *left_name, *right_name; // NULL: those of the nodes

void timeline_name(const char *left, const char *right)
{
    left_name = left;
    right_name = right;
}

void timeline_heading(void)
{
    const struct packet_log *log = packet_log();
    const char *left = "client", *right = "server";
    if (left_name)
        left = left_name;
    else if (*log->names[log->left])
        left = log->names[log->left];
    if (right_name)
        right = right_name;
    else if (*log->names[log->right])
        right = log->names[log->right];
    printf("%*s%s%s%s", TIME_COLUMNS, "", paint(CYAN), left, paint(PLAIN));
    repeat(" ", between() + 3 - columns(left) - columns(right));
    printf("%s%s%s\n", paint(MAGENTA), right, paint(PLAIN));
}

bool timeline_find_side(enum timeline_side *side)
{
    const struct packet_log *log = packet_log();
    const char *node = getenv("WIRE_NODE");
    *side = TIMELINE_SERVER;
    if (!node || !strcmp(node, log->names[log->right]))
        return true;
    *side = TIMELINE_CLIENT;
    return !strcmp(node, log->names[log->left]);
}

int timeline_time(int64_t at_ns)
{
    char text[32];
    int length =
        snprintf(text, sizeof text, "%8.1f ms", (double)(at_ns - packet_log()->zero_ns) / 1e6);
    printf("%s%s%s  ", paint(DIM), text, paint(PLAIN));
    return length + 2;
}

void timeline_line(enum timeline_side side, char *text)
{
    bool on_the_right = side == TIMELINE_SERVER;
    shorten(text, between() - 2);
    timeline_time(now_ns());
    printf("│ %s", paint(on_the_right ? MAGENTA : CYAN));
    cell(text, between() - 2, on_the_right);
    printf("%s │\n", paint(PLAIN));
}

void timeline_arrow(int64_t at_ns, bool to_server, const char *label, const char *lost)
{
    char text[LINE_BYTES];
    int gone = 0,
        gap = 0; // "✗ lost" takes its part of the shaft, and does not come all the way
    if (lost)
        gone = 3 + columns(lost);
    snprintf(text, sizeof text, "%s", label);
    shorten(text, between() - 8 - gone);
    int shaft = between() - 6 - columns(text);
    if (lost)
        gap = (shaft - gone) / 3;
    timeline_time(at_ns);
    if (lost)
        fputs(paint(RED), stdout);
    if (to_server) {
        printf("├── %s ", text);
        repeat("─", shaft + 1 - gone - gap);
        if (lost)
            printf(" ✗ %s", lost);
        else
            printf("▶");
        repeat(" ", gap);
        fputs("│", stdout);
    } else {
        fputs("│", stdout);
        repeat(" ", gap);
        if (lost)
            printf("%s ✗ ", lost);
        else
            printf("◀");
        repeat("─", shaft + 1 - gone - gap);
        printf(" %s ──┤", text);
    }
    printf("%s\n", lost ? paint(PLAIN) : "");
}
