// claim.h: what the course notes say, what was measured, and the verdict.
//
//     static const struct claim opening = {
//         "1.1", "guide §2.1", "a three-way handshake comes before any data", HOLDS, NULL};
//     ...
//     claim_report(&opening, holds_if(syn_first), "connect() took %.1f RTT", rtts);
//
// The lesson documents a verdict for every claim; any other makes the client exit 1.
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>

enum verdict {
    HOLDS,    // the note is right, and you just saw it
    NOT_HERE, // the note does not hold on a current Linux, or not as stated
    SKIPPED,  // it could not be tried; the measurement's text says why
    UNCLEAR,  // neither what the note says nor what the lesson documents
};

struct claim {
    const char *id;    // "9.1": the lesson, and the claim's number in it
    const char *where; // its places in the notes: "guide §3.1, §7, ch. 18.2, load balancing",
                       // "design patterns", "patterns page"; "(ours)": in none
    const char *says;  // a short paraphrase
    enum verdict expected; // HOLDS or NOT_HERE
    const char *why;       // for NOT_HERE: what is true instead, with its source
};

// HOLDS if the scene has shown what the claim says; else UNCLEAR.
enum verdict holds_if(bool shown);

// Prints a claim with what was measured and the verdict, and, where $LEDGER names a file, adds
// it there. Call it once for each claim of a scene, last.
void claim_report(const struct claim *claim, enum verdict seen, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same for a claim that needs the wire, in a scene that runs without it: SKIPPED, and why.
void claim_skip(const struct claim *claim);

// How many claims did not come out as documented (with STRICT in the environment: or were
// skipped).
int claim_surprises(void);

#endif
