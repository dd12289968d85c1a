// path.h: an address that packets come from, and whether somebody is there. A source address
// can be forged: until the other end has answered from there, it gets no more than three times
// the bytes that came from there (RFC 9000 §8.1), and has to return eight random bytes (§8.2).
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define AMPLIFICATION    3
#define CHALLENGE_BYTES  8
#define CHALLENGE_TIMES  3                  // it is sent so many times
#define CHALLENGE_MIN_NS INT64_C(999000000) // three initial probe timeouts, at least (§8.2.4)

struct path {
    struct sockaddr_storage address;
    bool validated;
    uint64_t received, sent; // bytes
    uint8_t challenge[CHALLENGE_BYTES];
    bool challenging, challenge_due;
    int64_t again_ns, fails_ns; // when the challenge is sent again, and when it has failed
    int64_t step_ns;
};

// Bytes that may be sent there now.
uint64_t path_allows(const struct path *path);

// Asks whether somebody is there.
void path_challenge(struct path *path, int64_t pto_ns, int64_t now_ns);

// PATH_RESPONSE has come: true if it is the answer to this path's challenge.
bool path_answered(struct path *path, const uint8_t data[CHALLENGE_BYTES]);

// When path_expire() is due; NEVER. It returns false when the challenge has failed.
int64_t path_due_ns(const struct path *path);
bool path_expire(struct path *path, int64_t now_ns);

#endif
