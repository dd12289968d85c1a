// description.h: the text by which two peers learn of each other, before they can talk: an
// offer and an answer (SDP, RFC 8866; its lines for ICE, RFC 8839). How it travels is not said
// anywhere: a file, a pipe, copy and paste.
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

#include "candidate.h"

#define CANDIDATES_MAX    16
#define UFRAG_SIZE        33
#define PASSWORD_SIZE     65
#define DESCRIPTION_BYTES 8192 // of a text, at most
#define DESCRIPTION_END   "a=end-of-candidates"

struct description {
    char ufrag[UFRAG_SIZE];       // a name for this session
    char password[PASSWORD_SIZE]; // the key of the checks that are sent to whom it describes
    struct candidate candidates[CANDIDATES_MAX];
    int count;
    int left_out; // candidates that were read and are of no use here
};

// Writes the text. Returns its length.
size_t description_write(const struct description *description, char text[DESCRIPTION_BYTES]);

// Reads a text. Returns NULL, or what is wrong with it.
const char *description_read(const char *text, struct description *description);

#endif
