// attempts.c: see attempts.h.
#include "attempts.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

// A place belongs to one name and address, which hash to it. When others hash to the same
// place, it becomes theirs: who does not know the random seed cannot bring that about.
static struct place {
    uint64_t owner;
    int64_t began_s;
    int count;
} places[ATTEMPTS_PLACES];

static struct place *find(const char *user, const char *address)
{
    static uint8_t seed[16];
    static bool seeded;
    uint64_t hash[4];
    char text[256];
    if (!seeded && RAND_bytes(seed, sizeof seed) != 1)
        die("OpenSSL has no random numbers");
    seeded = true;
    memcpy(text, seed, sizeof seed);
    int length =
        snprintf(text + sizeof seed, sizeof text - sizeof seed, "%s %s", address, user);
    if (!EVP_Digest(text, sizeof seed + (size_t)length, (uint8_t *)hash, NULL, EVP_sha256(),
                    NULL))
        die("OpenSSL has no SHA-256");
    struct place *place = &places[hash[1] % ATTEMPTS_PLACES];
    if (place->owner != hash[0])
        *place = (struct place){.owner = hash[0]};
    return place;
}

int attempt_begin(const char *user, const char *address, int64_t now_s)
{
    struct place *place = find(user, address);
    if (!place->count || now_s >= place->began_s + ATTEMPTS_WINDOW_S) {
        place->began_s = now_s;
        place->count = 0;
    }
    if (place->count >= ATTEMPTS_MAX)
        return (int)(place->began_s + ATTEMPTS_WINDOW_S - now_s);
    place->count++;
    return 0;
}

void attempt_succeeded(const char *user, const char *address)
{
    find(user, address)->count = 0;
}
