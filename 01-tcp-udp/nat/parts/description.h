// description.h: the text by which two peers learn of each other, before they can talk: an
// offer and an answer (SDP, RFC 8866; its lines for ICE, RFC 8839). How it travels is not said
// anywhere: a file, a pipe, copy and paste.
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CANDIDATES_MAX    16
#define CANDIDATE_LINE    160 // bytes that candidate_write() needs
#define FOUNDATION_SIZE   33
#define UFRAG_SIZE        33
#define PASSWORD_SIZE     65
#define DESCRIPTION_BYTES 8192 // of a text, at most
#define DESCRIPTION_END   "a=end-of-candidates"

// ---- a candidate: an address at which a peer may be reached (RFC 8445 section 5.1) ---------

enum candidate_type {
    HOST,             // an address of the machine itself
    SERVER_REFLEXIVE, // what the STUN server has seen
    PEER_REFLEXIVE,   // what the other peer has seen
    RELAYED           // an address that the relay has lent
};

struct candidate {
    enum candidate_type type;
    struct sockaddr_storage address;
    struct sockaddr_storage related; // where it comes from: for people who look for a fault
    uint32_t priority;
    char foundation[FOUNDATION_SIZE];
    int socket; // a local candidate's: which of the agent's sockets it is about
};

// RFC 8445 section 5.1.2.1. `socket` ranks the addresses of a machine that has several.
uint32_t candidate_priority(enum candidate_type type, int socket);

// Of a pair (RFC 8445 section 6.1.2.3): both peers compute the same number.
uint64_t candidate_pair_priority(uint32_t controlling, uint32_t controlled);

const char *candidate_type_name(enum candidate_type type);

// Writes an SDP line (RFC 8839 section 5.1) without its end. Returns `line`.
char *candidate_write(const struct candidate *candidate, char line[CANDIDATE_LINE]);

// Reads what stands behind "a=candidate:". Returns NULL, or why this candidate is of no use
// here: it is malformed, or it is TCP, a name, or a second component.
const char *candidate_read(const char *text, struct candidate *candidate);

// ---- the whole text ------------------------------------------------------------------------

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
