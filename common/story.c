// story.c: see story.h.
#include "story.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "net.h"

#define WIDTH      100 // columns of the terminal
#define BETWEEN    83  // columns between the two sides of the timeline
#define FIRST_CELL 32  // columns of a table's first column, and of the others
#define OTHER_CELL 13
#define BAR_LABEL  27
#define BAR_FULL   50
#define CLAIM_TEXT 19 // column at which a claim's text begins
#define LINE_BYTES 1024

#define PLAIN   "0"
#define BOLD    "1"
#define DIM     "2"
#define RED     "31"
#define GREEN   "32"
#define YELLOW  "33"
#define MAGENTA "35"
#define CYAN    "36"

static const char *const side_colour[] = {CYAN, MAGENTA, PLAIN};
static const char *const verdict_name[] = {"HOLDS", "NOT HERE", "SKIPPED", "UNEXPECTED"};
static const char *const verdict_colour[] = {GREEN, YELLOW, DIM, RED};

static enum story_side my_side;
static bool coloured;
static const char *scene_name;
static bool in_timeline;
static int surprises; // claims that did not come out as documented

// Starts a colour, or with PLAIN ends it; nothing where colour is not wanted.
static const char *paint(const char *colour)
{
    static char escape[4][8];
    static unsigned next;
    char *text = escape[next++ % 4];
    if (!coloured)
        return "";
    snprintf(text, sizeof escape[0], "\033[%sm", colour);
    return text;
}

// Columns that UTF-8 text takes: its bytes without the continuation bytes.
static int columns(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

static void repeat(const char *text, int times)
{
    while (times-- > 0)
        fputs(text, stdout);
}

// Prints text in a cell of `width` columns; to the right where `right`.
static void cell(const char *text, int width, bool right)
{
    int padding = width - columns(text);
    repeat(" ", right ? padding : 0);
    fputs(text, stdout);
    repeat(" ", right ? 0 : padding);
}

// Prints text behind a margin of `indent` columns, broken between words where the line is full.
static void wrap(const char *text, int indent)
{
    int column = 0;
    while (*text) {
        int length = (int)strcspn(text, " ");
        char word[LINE_BYTES];
        snprintf(word, sizeof word, "%.*s", length, text);
        text += length + (text[length] == ' ');
        if (column && column + 1 + columns(word) > WIDTH) {
            putchar('\n');
            column = 0;
        }
        printf("%*s%s", column ? 1 : indent, "", word);
        column += (column ? 1 : indent) + columns(word);
    }
    putchar('\n');
}

void story_begin(enum story_side side)
{
    const char *term = getenv("TERM");
    my_side = side;
    coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term && strcmp(term, "dumb");
    setvbuf(stdout, NULL, _IOLBF, LINE_BYTES); // a line is one write: lines never mix
    board();
}

int story_tell(const struct scene *scenes, const char *only)
{
    int number = 0, played = 0;
    for (const struct scene *scene = scenes; scene->name; scene++) {
        number++;
        if (only && strcmp(only, scene->name))
            continue;
        scene_name = scene->name;
        played++;
        printf("\n%s── %d %s ── %s ", paint(BOLD), number, scene->name, scene->title);
        repeat("─", WIDTH - 10 - columns(scene->name) - columns(scene->title));
        printf("%s\n\n", paint(PLAIN));
        story_quiet(true); // until the scene opens its timeline
        scene->play();
    }
    story_quiet(true); // what is closed from now on is nobody's story
    if (!played) {
        fprintf(stderr, "%s: no scene '%s'; there are:", program_invocation_short_name, only);
        for (const struct scene *scene = scenes; scene->name; scene++)
            fprintf(stderr, " %s", scene->name);
        fputc('\n', stderr);
        return 2;
    }
    return surprises ? 1 : 0;
}

void story_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs(in_timeline ? "\n" : "", stdout);
    fputs(*format ? "  " : "", stdout);
    in_timeline = false;
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

void story_timeline(void)
{
    in_timeline = true;
    board()->zero_ns = now_ns();
    story_quiet(false);
    printf("\n%13s%sclient%s", "", paint(CYAN), paint(PLAIN));
    repeat(" ", BETWEEN - 9);
    printf("%sserver%s\n", paint(MAGENTA), paint(PLAIN));
}

static void print_time(int64_t at_ns)
{
    printf("%s%8.1f ms%s  ", paint(DIM), (double)(at_ns - board()->zero_ns) / 1e6,
           paint(PLAIN));
}

void story_event(const char *format, ...)
{
    char text[LINE_BYTES];
    bool alone = my_side == STORY_SERVER && !getenv("WIRE_BOARD");
    if (board()->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++) // what a peer sent may be in it: nothing for the terminal
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '.';
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
    fputs("  ", stdout);
    int width = FIRST_CELL;
    for (char *rest = line, *text; (text = strsep(&rest, "|")); width = OTHER_CELL)
        cell(text, width, width == OTHER_CELL);
}

void story_head(const char *titles)
{
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "%s", titles);
    in_timeline = false;
    printf("\n%s", paint(BOLD));
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
    print_cells(line);
    putchar('\n');
}

void story_bar(const char *label, double value, double full, const char *format, ...)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int eighths = full > 0 ? (int)(value / full * BAR_FULL * 8 + 0.5) : 0;
    va_list arguments;
    fputs("  ", stdout);
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

// One line for the ledger, its fields separated by tabs.
static void write_ledger(const struct claim *claim, enum verdict shown, const char *measured)
{
    const char *path = getenv("LEDGER");
    FILE *ledger = path ? fopen(path, "a") : NULL;
    if (path && !ledger)
        die("cannot add to the ledger %s: %s", path, strerror(errno));
    if (ledger) {
        fprintf(ledger, "%s\t%s\t%s\t%s\t%s\n", claim->id, verdict_name[shown], claim->where,
                claim->says, measured);
        fclose(ledger);
    }
}

void story_claim(const struct claim *claim, enum verdict seen, const char *format, ...)
{
    char measured[LINE_BYTES], quoted[LINE_BYTES];
    const char *strict = getenv("STRICT");
    bool skipped = seen == SKIPPED, expected = seen == claim->expected;
    enum verdict shown = expected || skipped ? seen : UNCLEAR;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(measured, sizeof measured, format, arguments);
    va_end(arguments);

    snprintf(quoted, sizeof quoted, "\"%s\"", claim->says);
    printf("\n  %s", paint(BOLD));
    cell(claim->where, CLAIM_TEXT - 2, false);
    cell(quoted, WIDTH - CLAIM_TEXT - 10, false);
    printf("%s%s", paint(PLAIN), paint(verdict_colour[shown]));
    cell(verdict_name[shown], 10, true);
    printf("%s\n", paint(PLAIN));
    wrap(measured, CLAIM_TEXT);
    if (seen == NOT_HERE && claim->why) {
        fputs(paint(DIM), stdout);
        wrap(claim->why, CLAIM_TEXT);
        fputs(paint(PLAIN), stdout);
    }
    if (shown == UNCLEAR)
        printf("%*sclaim %s: expected %s; seen %s\n", CLAIM_TEXT, "", claim->id,
               verdict_name[claim->expected],
               seen == UNCLEAR ? "neither that nor its opposite" : verdict_name[seen]);
    if (shown == UNCLEAR || (skipped && strict && *strict)) {
        printf("%*sto see it again: make run-%02d SCENE=%s\n", CLAIM_TEXT, "", atoi(claim->id),
               scene_name);
        surprises++;
    }
    write_ledger(claim, shown, measured);
}

void story_skip(const struct claim *claim)
{
    story_claim(claim, SKIPPED, "needs the wire: make run-%02d SCENE=%s", atoi(claim->id),
                scene_name);
}
