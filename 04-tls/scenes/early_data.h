// early_data.h: for the scenes replay and anti_replay. Early data is sent with the client's
// first bytes, before the server has sent anything of its own. So an attacker that has recorded
// these bytes can send them again.
#ifndef EARLY_DATA_H
#define EARLY_DATA_H

#include <openssl/ssl.h>

#include "claim.h"
#include "recording_bio.h"

struct outcome {
    int status; // the answer's status for the first transfer; 0: the early data was not taken
    size_t answered; // bytes of the server's answer to the replay; 0: there was no answer
    int transfers;   // how many transfers the server has made
};

// How many transfers the server has made so far.
int count_transfers(void);

// A session of TLS 1.3 that was not used yet.
SSL_SESSION *get_session(void);

// Sends a POST as early data, in this session, which it frees. Returns the answer's status, 0
// if the early data was not taken. *flight is the recording of the first bytes.
int post_early(const char *path, SSL_SESSION *session, uint8_t flight[RECORDING_BYTES],
               size_t *length);

// True if the server takes early data in this session, which it frees. *stateful: the server
// keeps its sessions in a cache, so each can be used only once.
bool takes_early_data(SSL_SESSION *session, bool *stateful);

// Records a transfer, and sends it once more.
struct outcome transfer_and_replay(void);

// Returns `once` if the server has made one transfer, `twice` if it has made two. Without an
// answer to the first one, or to the replay, nothing was tried: UNCLEAR.
enum verdict judge_replay(const struct outcome *outcome, enum verdict once, enum verdict twice);

void report_replay(const struct claim *claim, enum verdict verdict,
                   const struct outcome *outcome);

#endif
