// story.c: see story.h.
#include "story.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "claim.h"
#include "net.h"
#include "text.h"

#define BETWEEN    83 // columns between the two sides of the timeline
#define FIRST_CELL 32 // columns of a table's first column, and of the others
#define OTHER_CELL 13
#define BAR_LABEL  27
#define BAR_FULL   50

static const char *const side_colour[] = {CYAN, MAGENTA, PLAIN};

static enum story_side my_side;
static const char *scene_name;
static bool in_timeline, heading_due;
static bool at_top; // nothing has been printed since the scene's title

void story_begin(enum story_side side)
{
    my_side = side;
    if (side == STORY_CLIENT)
        signal(SIGPIPE, SIG_IGN); // a broken connection is an error to report, not the end
    text_begin();
    board();
}

const char *story_scene(void)
{
    return scene_name;
}

int story_tell(const struct scene *scenes, const char *only)
{
    int number = 0, played = 0;
    if (!getenv("WIRE_BOARD"))
        printf(
            "without wire there are no packets to see here, and no distance: try make run\n");
    for (const struct scene *scene = scenes; scene->name; scene++) {
        number++;
        if (only && strcmp(only, scene->name))
            continue;
        scene_name = scene->name;
        played++;
        printf("\n%s── %d %s ── %s ", paint(BOLD), number, scene->name, scene->title);
        repeat("─", WIDTH - 9 - snprintf(NULL, 0, "%d", number) - columns(scene->name) -
                        columns(scene->title));
        printf("%s\n\n", paint(PLAIN));
        story_quiet(true); // until the scene opens its timeline
        in_timeline = false;
        at_top = true;
        scene->play();
    }
    story_quiet(true); // what is closed from now on is nobody's story
    if (!played) {
        fprintf(stderr, "%s: no scene '%s'; there are:\n ", program_invocation_short_name,
                only);
        for (const struct scene *scene = scenes; scene->name; scene++)
            fprintf(stderr, " %s", scene->name);
        fputc('\n', stderr);
        return 2;
    }
    return claim_surprises() ? 1 : 0;
}

// Cuts off what would only be blanks at the end of a line.
static void cut_blanks(char *line, const char *blanks)
{
    size_t end = strlen(line);
    while (end > 0 && strchr(blanks, line[end - 1]))
        line[--end] = '\0';
}

void story_say(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cut_blanks(line, " ");
    printf("%s%s%s\n", in_timeline && *line ? "\n" : "", *line ? "  " : "", line);
    in_timeline = at_top = false;
}

static void print_heading(void)
{
    heading_due = false;
    printf("%s%13s%sclient%s", at_top ? "" : "\n", "", paint(CYAN), paint(PLAIN));
    at_top = false;
    repeat(" ", BETWEEN - 9);
    printf("%sserver%s\n", paint(MAGENTA), paint(PLAIN));
}

void story_timeline(void)
{
    in_timeline = true;
    board()->zero_ns = now_ns();
    heading_due = true; // alone in a terminal: only over the first event, if there is one
    if (getenv("WIRE_BOARD"))
        print_heading();
    story_quiet(false);
}

static void print_time(int64_t at_ns)
{
    printf("%s%8.1f ms%s  ", paint(DIM), (double)(at_ns - board()->zero_ns) / 1e6,
           paint(PLAIN));
}

void story_event(const char *format, ...)
{
    static char last[LINE_BYTES];
    static int repeats;
    char text[LINE_BYTES];
    bool alone = my_side == STORY_SERVER && !getenv("WIRE_BOARD");
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    if (board()->quiet)
        return;
    if (my_side == STORY_SERVER && poll(&out, 1, 0) == 0)
        return; // nobody reads our log: better a line less than a server that waits
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_printable(text);
    if (!alone && columns(text) > BETWEEN - 2)
        strcpy(text + BETWEEN - 5, "..."); // a peer's text may be as long as it likes
    if (alone && !strcmp(text, last)) {    // "read() = 1 bytes", a thousand times
        repeats++;
        return;
    }
    if (repeats)
        printf("             ... and %d more\n", repeats);
    repeats = 0;
    snprintf(last, sizeof last, "%s", text);
    if (heading_due)
        print_heading();
    print_time(now_ns());
    if (alone) {
        printf("%s\n", text);
        return;
    }
    printf("│ %s", paint(side_colour[my_side]));
    cell(text, BETWEEN - 2, my_side == STORY_SERVER);
    printf("%s │\n", paint(PLAIN));
}

void story_arrow(int64_t at_ns, bool to_server, const char *label, const char *lost)
{
    int shaft = BETWEEN - 6 - columns(label);
    int gone = lost ? 3 + columns(lost) : 0; // "✗ lost " takes its part of the shaft
    int gap = lost ? (shaft - gone) / 3 : 0; // and it does not come all the way
    print_time(at_ns);
    if (lost)
        fputs(paint(RED), stdout);
    if (to_server) {
        printf("├── %s ", label);
        repeat("─", shaft + 1 - gone - gap);
        lost ? printf(" ✗ %s", lost) : printf("▶");
        repeat(" ", gap);
        fputs("│", stdout);
    } else {
        fputs("│", stdout);
        repeat(" ", gap);
        lost ? printf("%s ✗ ", lost) : printf("◀");
        repeat("─", shaft + 1 - gone - gap);
        printf(" %s ──┤", label);
    }
    printf("%s\n", lost ? paint(PLAIN) : "");
}

void story_quiet(bool quiet)
{
    board()->quiet = quiet;
}

static void print_cells(char *line)
{
    cut_blanks(line, "| "); // empty cells at the end
    fputs("  ", stdout);
    int width = FIRST_CELL;
    for (char *rest = line, *text; (text = strsep(&rest, "|")); width = OTHER_CELL)
        cell(text, rest || width == OTHER_CELL ? width : 0, width == OTHER_CELL);
}

void story_head(const char *titles)
{
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "%s", titles);
    printf("%s%s", at_top ? "" : "\n", paint(BOLD));
    in_timeline = at_top = false;
    print_cells(line);
    printf("%s\n", paint(PLAIN));
}

void story_row(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    make_printable(line);
    print_cells(line);
    putchar('\n');
}

void story_bar(const char *label, double value, double full, const char *format, ...)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int eighths =
        full > 0 && value <= full ? (int)(value / full * BAR_FULL * 8 + 0.5) : BAR_FULL * 8;
    va_list arguments;
    fputs(in_timeline ? "\n  " : "  ", stdout);
    in_timeline = false;
    cell(label, BAR_LABEL, false);
    fputs(paint(CYAN), stdout);
    repeat("█", eighths / 8);
    fputs(eighth[eighths % 8], stdout);
    printf("%s ", paint(PLAIN));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}
