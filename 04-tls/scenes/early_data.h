// early_data.h: for the scenes replay and anti_replay. Early data goes with the client's first
// bytes, before the server has said anything of its own; whoever has recorded these bytes can
// send them again.
#ifndef EARLY_DATA_H
#define EARLY_DATA_H

#include <openssl/ssl.h>

#include "claim.h"
#include "recording_bio.h"

struct outcome {
    int status;      // of the answer to the first transfer; 0: the early data was not taken
    size_t answered; // bytes that the server said to the replay; 0: there was none
    int transfers;   // that came of it, with the first
};

// How many transfers the server has made so far.
int count_transfers(void);

// A session of TLS 1.3 that was not used yet.
SSL_SESSION *get_session(void);

// Sends a POST as early data; uses the session up. Returns the answer's status, 0 if the early
// data was not taken; the recording of the first bytes is in *flight.
int post_early(const char *path, SSL_SESSION *session, uint8_t flight[RECORDING_BYTES],
               size_t *length);

// True if the server takes early data in this session, which is used up. *stateful: the server
// remembers its sessions, so that each can be used once only.
bool takes_early_data(SSL_SESSION *session, bool *stateful);

// Records a transfer, and sends it once more.
struct outcome transfer_and_replay(void);

// The verdict if one transfer came of it, and if two did. Without an answer to the first one,
// and to the replay, nothing was tried.
enum verdict judge_replay(const struct outcome *outcome, enum verdict once, enum verdict twice);

void report_replay(const struct claim *claim, enum verdict verdict,
                   const struct outcome *outcome);

#endif
