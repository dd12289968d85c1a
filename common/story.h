// story.h: how a lesson tells what happens: scenes, a two-sided timeline, tables, bars.
//
// play.c lists its scenes and calls story_tell(). A scene says what it is about to do, draws
// the timeline while it does it, shows the figures, and ends in claims (claim.h). NO_COLOR,
// TERM=dumb or a pipe give plain text. Lines fit the terminal: 80 to 100 columns.
#ifndef STORY_H
#define STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

struct scene {
    const char *name; // the argument of ./play that plays it
    const char *title;
    void (*play)(void);
};

// Makes stdout line by line. Call it first.
void story_begin(void);

// What `--help` says of play: this sentence, and that without SCENE it plays all of them, with
// their names. Returns a text that the next call overwrites; no line is wider than 80 columns.
const char *story_about(const char *sentence, const struct scene *scenes);

// Parses the command line of play, which may name one scene, by this table of options. Returns
// the scene's name; NULL: all of them. What is wrong ends the program: see options.h.
const char *story_choose(int argc, char **argv, const char *sentence,
                         const struct scene *scenes, const struct option_spec *options);

// Plays the scene called `only`, or all of them if it is NULL; an unknown name prints the list
// and exits 2. Returns the program's exit status: 0, or 1 if a claim did not come out as
// documented (with STRICT in the environment: or was skipped).
int story_tell(const struct scene *scenes, const char *only);

// The name of the scene that is being played.
const char *story_scene(void);

// A line of narration; it is broken where the terminal is too narrow.
void story_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The lines of a text that a program has sent, each behind a bar. Empty ones are left out.
void story_quote(const char *text);

// Sets the story's clock to zero, in all programs of it, and heads the timeline.
void story_timeline(void);

// The same for a timeline between two others than client and server, such as two threads of
// this program.
void story_timeline_of(const char *left, const char *right);

// One thing that this program, the client, did or saw, on its side of the timeline, at this
// moment. (A server says such things by log.h.)
void story_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The same on the other side, the one on the right: of story_timeline_of().
void story_event_right(const char *format, ...) __attribute__((format(printf, 1, 2)));

// While quiet, packets and the server's events stay off the timeline: for what a scene repeats.
void story_quiet(bool quiet);

// A table: columns separated by '|', the first one to the left. story_head() starts one.
void story_head(const char *columns);
void story_row(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A bar of length value / full, with the figure in words behind it.
void story_bar(const char *label, double value, double full, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
