// dh.c: scene dh: two programs that have never met agree on a secret, and an eavesdropper hears
// every word. First with
// numbers that fit on a blackboard, then with those that TLS uses.
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define G         5
#define N         23 // a prime, and G is a generator: its powers are all of 1 ... 22
#define X         6
#define Y         15
#define KEY_BYTES 32
#define ROUNDS    100
#define SIZES     4
#define HEX_SHOWN 16

// base to the exponent, modulo n: squared once for each bit, not multiplied so many times. That
// is all the asymmetry there is: this way 64 steps, back again up to n.
static uint64_t power(uint64_t base, uint64_t exponent, uint64_t n)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = (uint64_t)((unsigned __int128)result * base % n);
        base = (uint64_t)((unsigned __int128)base * base % n);
    }
    return result;
}

// How an eavesdropper finds the exponent: by trying. Returns how many tries it took.
static uint64_t search(uint64_t g, uint64_t seen, uint64_t n)
{
    uint64_t tries = 0, value = 1;
    while (value != seen && tries < n) {
        value = (uint64_t)((unsigned __int128)value * g % n);
        tries++;
    }
    return tries;
}

static int count_equal(void)
{
    int equal = 0;
    for (uint64_t x = 1; x < N; x++)
        for (uint64_t y = 1; y < N; y++)
            equal += power(power(G, x, N), y, N) == power(power(G, y, N), x, N);
    return equal;
}

static void show_small(void)
{
    uint64_t a = power(G, X, N), b = power(G, Y, N);
    story_say("Everybody knows G = %d and N = %d.", G, N);
    story_head("|the client|the server|everybody");
    story_row("thinks of a number|X = %d|Y = %d|", X, Y);
    story_row("sends G to that power, mod N|%llu|%llu|%llu, %llu", (unsigned long long)a,
              (unsigned long long)b, (unsigned long long)a, (unsigned long long)b);
    story_row("to its own power what came|%llu|%llu|?", (unsigned long long)power(b, X, N),
              (unsigned long long)power(a, Y, N));
    story_say("");
    story_say("Who listens has to find X by trying: %d tries here. With primes of more bits:",
              (int)search(G, a, N));
    // Primes of which the number in the middle is a generator, and their bits.
    static const struct {
        uint64_t n, g;
        int bits;
    } sizes[SIZES] = {{1021, 10, 10}, {65537, 3, 16}, {1048573, 2, 20}, {16777213, 5, 24}};
    for (int i = 0; i < SIZES; i++) {
        char label[40];
        uint64_t tries =
            search(sizes[i].g, power(sizes[i].g, sizes[i].n / 3, sizes[i].n), sizes[i].n);
        snprintf(label, sizeof label, "%d bits", sizes[i].bits);
        story_bar(label, (double)tries, (double)sizes[SIZES - 1].n / 3, "%llu tries",
                  (unsigned long long)tries);
    }
}

// ---- X25519 --------------------------------------------------------------------------------

struct party {
    EVP_PKEY *key;
    uint8_t secret[KEY_BYTES], public[KEY_BYTES], shared[KEY_BYTES];
};

static void begin(struct party *party)
{
    size_t length = KEY_BYTES, public_length = KEY_BYTES;
    party->key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    if (!party->key ||
        EVP_PKEY_get_raw_public_key(party->key, party->public, &public_length) != 1 ||
        EVP_PKEY_get_raw_private_key(party->key, party->secret, &length) != 1)
        die("OpenSSL has no X25519");
}

// What one side makes of the other side's public key: 32 bytes that were sent.
static void agree(struct party *party, const uint8_t public[KEY_BYTES])
{
    size_t length = KEY_BYTES;
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, KEY_BYTES);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(party->key, NULL);
    if (!other || !ctx || EVP_PKEY_derive_init(ctx) != 1 ||
        EVP_PKEY_derive_set_peer(ctx, other) != 1 ||
        EVP_PKEY_derive(ctx, party->shared, &length) != 1)
        die("X25519 does not agree");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
}

// Both agree. True if on the same secret, and on none that was sent.
static bool exchange(struct party *client, struct party *server)
{
    begin(client);
    begin(server);
    agree(client, server->public);
    agree(server, client->public);
    EVP_PKEY_free(client->key);
    EVP_PKEY_free(server->key);
    return !memcmp(client->shared, server->shared, KEY_BYTES) &&
           memcmp(client->shared, client->public, KEY_BYTES) &&
           memcmp(client->shared, server->public, KEY_BYTES);
}

static const char *hex(const uint8_t *bytes)
{
    static char text[2][2 * HEX_SHOWN + 1];
    static int next;
    char *to = text[next++ % 2];
    for (int i = 0; i < HEX_SHOWN; i++)
        snprintf(to + 2 * i, 3, "%02x", bytes[i]);
    return to;
}

static const struct claim same = {
    "4.9", "guide §3.5", "(G^X)^Y = (G^Y)^X mod N, and the key never travels", HOLDS, NULL};

void scene_dh(void)
{
    struct party client, server;
    int equal = count_equal(), agreed = 0;
    show_small();
    for (int i = 0; i < ROUNDS; i++)
        agreed += exchange(&client, &server);
    story_say("");
    story_say(
        "And X25519, as nearly every TLS connection does it today: points of a curve in place");
    story_say("of powers, and 255 bits. Of each 32 bytes the first half:");
    story_head("|the client                      |  the server");
    story_row("keeps secret|%s|  %s", hex(client.secret), hex(server.secret));
    story_row("sends|%s|  %s", hex(client.public), hex(server.public));
    story_row("has then|%s|  %s", hex(client.shared), hex(server.shared));
    claim_report(
        &same, equal == (N - 1) * (N - 1) && agreed == ROUNDS ? HOLDS : UNCLEAR,
        "for all %d pairs of X and Y below %d; with X25519 in %d of %d exchanges, each "
        "with a secret of its own that was not among what was sent",
        equal, N, agreed, ROUNDS);
}
