// claim.c: see claim.h.
#include "claim.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "story.h"
#include "text.h"

#define CLAIM_TEXT 19 // column at which a claim's text begins
#define VERDICT    10 // columns that the verdict takes

static const char *const verdict_name[] = {"HOLDS", "NOT HERE", "SKIPPED", "UNEXPECTED"};
static const char *const verdict_colour[] = {GREEN, YELLOW, DIM, RED};

static int surprises;

int claim_surprises(void)
{
    return surprises;
}

enum verdict holds_if(bool shown)
{
    if (shown)
        return HOLDS;
    return UNCLEAR;
}

// One line for the ledger, its fields separated by tabs.
static void write_ledger(const struct claim *claim, enum verdict shown, const char *measured)
{
    const char *path = getenv("LEDGER");
    FILE *ledger = NULL;
    if (path)
        ledger = fopen(path, "a");
    if (path && !ledger)
        die("cannot add to the ledger %s: %s", path, strerror(errno));
    if (ledger) {
        fprintf(ledger, "%s\t%s\t%s\t%s\t%s\n", claim->id, verdict_name[shown], claim->where,
                claim->says, measured);
        fclose(ledger);
    }
}

// The note's sections and words, and the verdict at the end of the line. Words that find no
// room beside the verdict follow below; so do all of them if the sections need their place.
static void print_quote(const struct claim *claim, enum verdict shown)
{
    int room = text_width() - CLAIM_TEXT - VERDICT;
    char quoted[LINE_BYTES], beside[LINE_BYTES];
    snprintf(quoted, sizeof quoted, "\"%s\"", claim->says);
    strcpy(beside, quoted);
    // One column at least is empty in front of the longest verdict, UNEXPECTED.
    while (columns(beside) > room - (shown == UNCLEAR) && strrchr(beside, ' '))
        *strrchr(beside, ' ') = '\0';
    printf("\n  %s", paint(BOLD));
    cell(claim->where, CLAIM_TEXT - 2, false);
    if (columns(claim->where) > CLAIM_TEXT - 3) {
        room -= columns(claim->where) - (CLAIM_TEXT - 2);
        *beside = '\0';
    }
    cell(beside, room, false);
    printf("%s%s", paint(PLAIN), paint(verdict_colour[shown]));
    cell(verdict_name[shown], VERDICT, true);
    printf("%s\n", paint(PLAIN));
    if (strlen(beside) < strlen(quoted)) {
        fputs(paint(BOLD), stdout);
        wrap(quoted + strlen(beside) + (*beside != '\0'), CLAIM_TEXT);
        fputs(paint(PLAIN), stdout);
    }
}

// Cuts the last name off a path, and returns it.
static const char *last_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return path;
    *slash = '\0';
    return slash + 1;
}

// How make names what this program belongs to: "05", or in a variation's folder "05-pubsub".
static const char *make_name(const struct claim *claim)
{
    static char name[PATH_MAX + 16];
    char path[PATH_MAX];
    int lesson = atoi(claim->id);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    snprintf(name, sizeof name, "%02d", lesson);
    if (length <= 0)
        return name;
    path[length] = '\0';
    last_name(path); // the program's
    const char *folder = last_name(path), *parent = last_name(path);
    if (!isdigit((unsigned char)*folder) && isdigit((unsigned char)*parent) &&
        atoi(parent) == lesson)
        snprintf(name, sizeof name, "%02d-%s", lesson, folder);
    return name;
}

void claim_report(const struct claim *claim, enum verdict seen, const char *format, ...)
{
    char measured[LINE_BYTES];
    story_quiet(true); // the timeline is over
    const char *strict = getenv("STRICT"), *args = getenv("ARGS");
    bool skipped = seen == SKIPPED, expected = seen == claim->expected;
    enum verdict shown = UNCLEAR;
    if (expected || skipped)
        shown = seen;
    const char *seen_name = verdict_name[seen];
    if (seen == UNCLEAR)
        seen_name = "neither that nor its opposite";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(measured, sizeof measured, format, arguments);
    va_end(arguments);

    print_quote(claim, shown);
    wrap(measured, CLAIM_TEXT);
    if (seen == NOT_HERE && claim->why) {
        fputs(paint(DIM), stdout);
        wrap(claim->why, CLAIM_TEXT);
        fputs(paint(PLAIN), stdout);
    }
    if (shown == UNCLEAR) {
        snprintf(measured, sizeof measured, "claim %s: expected %s; seen %s", claim->id,
                 verdict_name[claim->expected], seen_name);
        wrap(measured, CLAIM_TEXT);
    }
    if (shown == UNCLEAR || (skipped && strict && *strict)) {
        printf("%*sto see it again: make run-%s SCENE=%s", CLAIM_TEXT, "", make_name(claim),
               story_scene());
        if (args && *args)
            printf(" ARGS=\"%s\"", args);
        putchar('\n');
        surprises++;
    }
    write_ledger(claim, shown, measured);
}

void claim_skip(const struct claim *claim)
{
    if (getenv("WIRE_REFUSED"))
        claim_report(claim, SKIPPED, "needs the wire, which this machine does not allow");
    else
        claim_report(claim, SKIPPED, "needs the wire: make run-%s SCENE=%s", make_name(claim),
                     story_scene());
}
