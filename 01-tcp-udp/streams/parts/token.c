// token.c: see token.h. A token is the second in which it was made, and a proof that this
// server made it.
#include "token.h"

#include <netinet/in.h>
#include <string.h>

#include "datagram.h"
#include "frames.h"
#include "secret.h"

#define SECOND_BYTES 4
#define PROOF_BYTES  (TOKEN_BYTES - SECOND_BYTES)
#define SECOND_NS    INT64_C(1000000000)

void token_make(const uint8_t key[TOKEN_KEY_BYTES], const struct sockaddr_storage *address,
                const uint8_t *id, int64_t now_ns, uint8_t token[TOKEN_BYTES])
{
    // The host and the port, the id, the second.
    uint8_t all[sizeof(struct sockaddr_in6) + ID_BYTES + SECOND_BYTES] = {0}, proof[SHA1_BYTES];
    uint8_t *at = all + sizeof(struct sockaddr_in6);
    uint32_t second = (uint32_t)(now_ns / SECOND_NS);
    memcpy(all, address, address_size(address));
    memcpy(at, id, ID_BYTES);
    for (int i = 0; i < SECOND_BYTES; i++)
        at[ID_BYTES + i] = token[i] = (uint8_t)(second >> 8 * i);
    hmac_sha1(key, TOKEN_KEY_BYTES, all, sizeof all, proof);
    memcpy(token + SECOND_BYTES, proof, PROOF_BYTES);
}

bool token_is_good(const uint8_t key[TOKEN_KEY_BYTES], const struct sockaddr_storage *address,
                   const uint8_t *id, int64_t now_ns, const uint8_t *token, size_t length)
{
    uint8_t right[TOKEN_BYTES];
    uint32_t second = 0;
    if (length != TOKEN_BYTES)
        return false;
    for (int i = 0; i < SECOND_BYTES; i++)
        second |= (uint32_t)token[i] << 8 * i;
    token_make(key, address, id, second * SECOND_NS, right);
    return same_secret(right, token, TOKEN_BYTES) &&
           (uint32_t)(now_ns / SECOND_NS) - second <= TOKEN_SECONDS;
}
