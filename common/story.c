// story.c: see story.h.
#include "story.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "net.h"
#include "output.h"
#include "text.h"
#include "timeline.h"
#include "wire/packet_log.h"

#define FIRST_CELL     32 // columns of a table's first cell and of the others, where there is room
#define OTHER_CELL     13
#define FIRST_CELL_MIN 24 // and where there is not
#define OTHER_CELL_MIN 8
#define BAR_LABEL      27
#define BAR_REST       50 // columns beside a bar: its label and its figure

static const char *scene_name;
static bool in_timeline, heading_due;
static bool at_top;                // nothing has been printed since the scene's title
static int first_cell, other_cell; // columns of this table's cells

void story_begin(void)
{
    signal(SIGPIPE, SIG_IGN); // a broken connection is an error to report, not the end
    text_begin();
    packet_log();
}

const char *story_scene(void)
{
    return scene_name;
}

// Adds a word to a text, on a new line if it would be wider than 80 columns there.
static size_t add_word(char *text, size_t size, size_t length, const char *word)
{
    const char *line = strrchr(text, '\n');
    size_t before = length;
    if (line)
        before = length - (size_t)(line + 1 - text);
    char between = ' ';
    if (before + 1 + strlen(word) > 80)
        between = '\n';
    return length + (size_t)snprintf(text + length, size - length, "%c%s", between, word);
}

const char *story_about(const char *sentence, const struct scene *scenes)
{
    static char text[1000];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", sentence);
    static const char *const words[] = {"Without", "SCENE", "all", "of", "them:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        length = add_word(text, sizeof text, length, words[i]);
    for (const struct scene *scene = scenes; scene->name && length < sizeof text - 80;
         scene++) {
        char word[64], end = ',';
        if (!scene[1].name)
            end = '.';
        snprintf(word, sizeof word, "%s%c", scene->name, end);
        length = add_word(text, sizeof text, length, word);
    }
    return text;
}

const char *story_choose(int argc, char **argv, const char *sentence,
                         const struct scene *scenes, const struct option_spec *options)
{
    struct command command = {"[SCENE]", story_about(sentence, scenes), options};
    return argv[options_parse(argc, argv, &command)];
}

int story_tell(const struct scene *scenes, const char *only)
{
    int number = 0, played = 0;
    if (!getenv("WIRE_PACKET_LOG"))
        printf(
            "without wire there are no packets to see here, and no distance: try make run\n");
    for (const struct scene *scene = scenes; scene->name; scene++) {
        number++;
        if (only && strcmp(only, scene->name))
            continue;
        scene_name = scene->name;
        played++;
        printf("\n%s── %d %s ── %s ", paint(BOLD), number, scene->name, scene->title);
        repeat("─", text_width() - 9 - snprintf(NULL, 0, "%d", number) - columns(scene->name) -
                        columns(scene->title));
        printf("%s\n\n", paint(PLAIN));
        story_quiet(true); // until the scene opens its timeline
        in_timeline = false;
        at_top = true;
        scene->play();
    }
    story_quiet(true); // what is closed from now on belongs to no scene
    if (!played) {
        fprintf(stderr, "%s: no scene '%s'; there are:\n ", program_invocation_short_name,
                only);
        for (const struct scene *scene = scenes; scene->name; scene++)
            fprintf(stderr, " %s", scene->name);
        fputc('\n', stderr);
        return 2;
    }
    output_flush();
    return claim_surprises() > 0;
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
    if (in_timeline && *line)
        putchar('\n');
    in_timeline = at_top = false;
    if (*line)
        wrap(line, 2);
    else
        putchar('\n');
}

void story_quote(const char *text)
{
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        int length = (int)strcspn(at, "\r\n");
        if (length > 0)
            story_say("    | %.*s", length, at);
    }
}

static void print_heading(void)
{
    heading_due = false;
    if (!at_top)
        putchar('\n');
    at_top = false;
    timeline_heading();
}

void story_timeline_of(const char *left, const char *right)
{
    timeline_name(left, right);
    in_timeline = true;
    packet_log()->zero_ns = now_ns();
    heading_due = true; // alone in a terminal: only over the first event, if there is one
    if (getenv("WIRE_PACKET_LOG"))
        print_heading();
    story_quiet(false);
}

void story_timeline(void)
{
    story_timeline_of(NULL, NULL);
}

__attribute__((format(printf, 2, 0))) static void tell(enum timeline_side side,
                                                       const char *format, va_list arguments)
{
    char text[LINE_BYTES];
    if (packet_log()->quiet)
        return;
    vsnprintf(text, sizeof text, format, arguments);
    make_printable(text);
    if (heading_due)
        print_heading();
    timeline_line(side, text);
}

void story_event(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(TIMELINE_CLIENT, format, arguments);
    va_end(arguments);
}

void story_event_right(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(TIMELINE_SERVER, format, arguments);
    va_end(arguments);
}

void story_quiet(bool quiet)
{
    packet_log()->quiet = quiet;
}

static void print_cells(char *line)
{
    cut_blanks(line, "| "); // empty cells at the end
    char *rest = line, *text = strsep(&rest, "|");
    printf("  ");
    if (rest && columns(text) > first_cell) // too long for its cell: a line of its own
        printf("%s\n  %*s", text, first_cell, "");
    else
        cell(text, rest ? first_cell : 0, false);
    int late = 0; // columns that texts too long for their cells take from the next cell
    while ((text = strsep(&rest, "|"))) {
        int taken = columns(text) + 1;
        if (taken < other_cell - late)
            taken = other_cell - late;
        cell(text, taken, true);
        late += taken - other_cell;
    }
    putchar('\n');
}

// The cells are as wide as so many of them leave room for.
static void choose_cells(const char *titles)
{
    int others = 0, room = text_width() - 2;
    for (const char *c = titles; *c; c++)
        others += *c == '|';
    first_cell = FIRST_CELL;
    other_cell = OTHER_CELL;
    if (others == 0 || first_cell + others * other_cell <= room)
        return;
    other_cell = (room - FIRST_CELL_MIN) / others;
    if (other_cell > OTHER_CELL)
        other_cell = OTHER_CELL;
    if (other_cell < OTHER_CELL_MIN)
        other_cell = OTHER_CELL_MIN;
    if (first_cell > room - others * other_cell)
        first_cell = room - others * other_cell;
}

// Moves the first words of titles that are too long for their cells into a line above; true if
// there are any.
static bool break_titles(char *titles, char *above)
{
    bool any = false;
    char *rest = titles, *title = strsep(&rest, "|"), *out = above;
    char below[LINE_BYTES], *under = below;
    under += sprintf(under, "%s", title);
    while ((title = strsep(&rest, "|"))) {
        char *space = strrchr(title, ' ');
        if (!space || columns(title) < other_cell) {
            out += sprintf(out, "|");
            under += sprintf(under, "|%s", title);
            continue;
        }
        *space = '\0';
        any = true;
        out += sprintf(out, "|%s", title);
        under += sprintf(under, "|%s", space + 1);
    }
    strcpy(titles, below);
    return any;
}

void story_head(const char *titles)
{
    char line[LINE_BYTES], above[LINE_BYTES] = "";
    snprintf(line, sizeof line, "%s", titles);
    choose_cells(line);
    printf("%s%s", at_top ? "" : "\n", paint(BOLD));
    in_timeline = at_top = false;
    if (break_titles(line, above))
        print_cells(above);
    print_cells(line);
    printf("%s", paint(PLAIN));
}

void story_row(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    print_cells(printable_line(line, format, arguments));
    va_end(arguments);
}

void story_bar(const char *label, double value, double full, const char *format, ...)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    char figure[LINE_BYTES];
    int longest = (text_width() - BAR_REST) * 8, eighths = longest;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(figure, sizeof figure, format, arguments);
    va_end(arguments);
    if (full > 0 && value <= full)
        eighths = (int)(value / full * longest + 0.5);
    if (in_timeline)
        putchar('\n');
    in_timeline = false;
    printf("  ");
    cell(label, BAR_LABEL, false);
    fputs(paint(CYAN), stdout);
    repeat("█", eighths / 8);
    printf("%s%s", eighth[eighths % 8], paint(PLAIN));
    if (2 + BAR_LABEL + (eighths + 7) / 8 + 1 + columns(figure) > text_width())
        printf("\n%*s", 1 + BAR_LABEL, ""); // no room behind the bar: below it
    printf(" %s\n", figure);
}
