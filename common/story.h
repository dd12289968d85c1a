// story.h: how a lesson tells what happens: scenes, a two-sided timeline, tables, bars, claims.
//
// A client lists its scenes and calls story_tell(). A scene says what it is about to do, draws
// the timeline while it does it, shows the figures, and ends in claims:
//
//     static const struct claim handshake = {
//         "1.1", "guide §2.1", "a three-way handshake comes before any data", HOLDS, NULL};
//     ...
//     story_claim(&handshake, syn_first ? HOLDS : UNCLEAR, "connect() took %.1f RTT", rtts);
//
// The lesson documents a verdict for every claim; any other makes the client exit 1.
// NO_COLOR, TERM=dumb or a pipe give plain text. Lines fit 100 columns.
#ifndef STORY_H
#define STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum story_side { STORY_CLIENT, STORY_SERVER, STORY_WIRE };

enum verdict {
    HOLDS,    // the note is right, and you just saw it
    NOT_HERE, // the note does not hold on a current Linux, or not as stated
    SKIPPED,  // it could not be tried; the measurement's text says why
    UNCLEAR,  // neither what the note says nor what the lesson documents
};

struct claim {
    const char *id;        // "9.1": the lesson, and the claim's number in it
    const char *where;     // section of the notes: "guide §10.1"
    const char *says;      // a short paraphrase
    enum verdict expected; // HOLDS or NOT_HERE
    const char *why;       // for NOT_HERE: what is true instead, with its source
};

struct scene {
    const char *name; // the argument of ./client that plays it
    const char *title;
    void (*play)(void);
};

// Says which side of the timeline this program's lines stand on, and makes stdout line by line.
void story_begin(enum story_side side);

// Plays the scene called `only`, or all of them if it is NULL; an unknown name prints the list
// and exits 2. Returns the program's exit status: 0, or 1 if a claim did not come out as
// documented (with STRICT in the environment: or was skipped).
int story_tell(const struct scene *scenes, const char *only);

// A line of narration, at most 96 columns wide.
void story_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Sets the story's clock to zero, in all programs of it, and heads the timeline.
void story_timeline(void);

// One thing that this program did or saw, on its side of the timeline, at this moment. A server
// without a timeline (alone in its terminal) prints it as a log line.
void story_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A packet between the two sides (wire draws these). `lost` is NULL, or says where it ended.
void story_arrow(int64_t at_ns, bool to_server, const char *label, const char *lost);

// While quiet, packets and the server's events stay off the timeline: for what a scene repeats.
void story_quiet(bool quiet);

// A table: columns separated by '|', the first one to the left. story_head() starts one.
void story_head(const char *columns);
void story_row(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A bar of length value / full, with the figure in words behind it.
void story_bar(const char *label, double value, double full, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Prints a claim with what was measured and the verdict, and, where $LEDGER names a file, adds
// it there. Call it once for each claim of a scene, last.
void story_claim(const struct claim *claim, enum verdict seen, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same, for a scene that needs the wire and runs without it: SKIPPED, and says why.
void story_skip(const struct claim *claim);

#endif
