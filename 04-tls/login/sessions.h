// sessions.h: what a server remembers about who is logged in. The client has a random id, which
// means nothing; all that it stands for is here, under the hash of the id: a thief of the table
// gets no id out of it.
//
// There are two kinds of entries. A session ends when it is not used for idle_s, and lifetime_s
// after its log-in in any case. A family of refresh tokens has only a lifetime; `secret` is the
// hash of the one token of the family that is good now.
//
// The same four operations serve the server's own memory, its file, and the program `store`.
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jwt.h" // the sizes of names

#define SESSIONS_KEPT 100000 // when there are more, the one that was not used for longest goes
#define SESSION_ID    16     // random bytes: 128 bits
#define SESSION_KEY   32     // SHA-256 of an id
#define SESSION_LINE  320    // bytes of an operation, or of its answer, as a line of text
#define SESSION_LISTS 65536  // of the table

enum session_operation {
    SESSION_PUT,    // remember it
    SESSION_GET,    // find it; it counts as used
    SESSION_ROTATE, // if `secret` is the good one, then from now on `next_secret` is
    SESSION_DELETE, // forget it
};

struct session_request {
    enum session_operation operation;
    uint8_t key[SESSION_KEY];
    uint8_t secret[SESSION_KEY], next_secret[SESSION_KEY];
    char user[SUBJECT_BYTES], role[ROLE_BYTES];
    int idle_s, lifetime_s;
};

enum session_result {
    SESSION_OK,
    SESSION_NONE,   // there is no such session, or it has expired
    SESSION_REUSED, // a refresh token was used for the second time: its family is gone
    SESSION_FAILED, // the store does not answer
};

struct session_reply {
    enum session_result result;
    char user[SUBJECT_BYTES], role[ROLE_BYTES]; // of GET and ROTATE
};

struct sessions;

// Makes a table. `path` is a file that keeps it across a restart; NULL: none. Dies if that
// cannot be read or written.
struct sessions *sessions_open(const char *path, int64_t now_s);
void sessions_close(struct sessions *sessions);

// Does one operation, at this time in seconds since 1970.
void sessions_do(struct sessions *sessions, const struct session_request *request,
                 struct session_reply *reply, int64_t now_s);

int sessions_count(const struct sessions *sessions);
long sessions_lookups(const struct sessions *sessions); // GETs and ROTATEs so far

// What operations and results are called in a line.
extern const char *const session_operations[4], *const session_results[4];

// An operation and its answer as text, without the '\n'. Reading returns false if it is none.
int session_write_request(const struct session_request *request, char line[SESSION_LINE]);
bool session_read_request(const char *line, struct session_request *request);
int session_write_reply(const struct session_reply *reply, char line[SESSION_LINE]);
bool session_read_reply(const char *line, struct session_reply *reply);

#endif
