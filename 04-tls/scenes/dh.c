// dh.c: scene dh: Diffie-Hellman. Two programs that have never met agree on a secret, although
// an eavesdropper reads all their messages. First with numbers that fit on a blackboard, then
// with those that TLS uses.
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "in_memory_tls.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define MEASURE_US 40000 // of CPU time, for each group
#define G          5
#define N          23 // a prime, and G is a generator: its powers are all of 1 ... 22
#define X          6
#define Y          15
#define KEY_BYTES  32
#define ROUNDS     100
#define SIZES      4
#define HEX_SHOWN  16

// Returns base to the power of exponent, modulo n. It squares once for each bit of the
// exponent, so it takes at most 64 steps; search() below needs up to n steps to find the
// exponent again. n is below 2^32, so that no product overflows.
static uint64_t power(uint64_t base, uint64_t exponent, uint64_t n)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = result * base % n;
        base = base * base % n;
    }
    return result;
}

// Finds the exponent as an eavesdropper has to: by trying. Returns the number of tries.
static uint64_t search(uint64_t g, uint64_t seen, uint64_t n)
{
    uint64_t tries = 0, value = 1;
    while (value != seen && tries < n) {
        value = value * g % n;
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
    story_say("G = %d and N = %d are public.", G, N);
    story_head("|the client|the server|eavesdropper");
    story_row("chooses a secret number|X = %d|Y = %d|", X, Y);
    story_row("sends G to that power, mod N|%llu|%llu|%llu, %llu", (unsigned long long)a,
              (unsigned long long)b, (unsigned long long)a, (unsigned long long)b);
    story_row("the other's, to its own power|%llu|%llu|?", (unsigned long long)power(b, X, N),
              (unsigned long long)power(a, Y, N));
    story_say("");
    story_say("An eavesdropper has to find X by trying: %d tries here. With larger primes:",
              (int)search(G, a, N));
    // Each row: a prime, a generator of it, and the bits of the prime.
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

// Computes the shared secret from this side's key and the other side's public key.
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

// Both sides compute the secret. True if it is the same, and is not one of the sent values.
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

// ---- sizes ---------------------------------------------------------------------------------

static const struct {
    const char *name, *kind; // as OpenSSL calls them
    int strength;            // bits (NIST SP 800-57, part 1, table 2)
} groups[] = {{"X25519", "X25519", 128}, {"ffdhe2048", "DH", 112}, {"ffdhe3072", "DH", 128}};

#define GROUPS_COUNT (int)(sizeof groups / sizeof *groups)

struct figures {
    size_t bytes; // of what each side sends
    double a_second;
};

static EVP_PKEY *make_key(int group)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, groups[group].kind, NULL);
    if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 ||
        (strcmp(groups[group].kind, groups[group].name) &&
         EVP_PKEY_CTX_set_group_name(ctx, groups[group].name) != 1) ||
        EVP_PKEY_generate(ctx, &key) != 1)
        die("OpenSSL has no %s", groups[group].name);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

// One side's part: a new key, and the secret with the other's key.
static void take_part(int group, EVP_PKEY *other)
{
    uint8_t secret[512];
    size_t length = sizeof secret;
    EVP_PKEY *key = make_key(group);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, other) != 1 ||
        EVP_PKEY_derive(ctx, secret, &length) != 1)
        die("%s does not agree", groups[group].name);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static struct figures measure_group(int group)
{
    unsigned char *share;
    int times = 0;
    EVP_PKEY *other = make_key(group);
    struct figures figures = {.bytes = EVP_PKEY_get1_encoded_public_key(other, &share)};
    OPENSSL_free(share);
    take_part(group, other); // warms up
    double start_us = duo_cpu_us(), took_us = 0;
    for (; took_us < MEASURE_US; took_us = duo_cpu_us() - start_us, times++)
        take_part(group, other);
    figures.a_second = times / took_us * 1e6;
    EVP_PKEY_free(other);
    return figures;
}

static const struct claim smaller = {
    "4.103", "guide §3.5",
    "elliptic curves: the same security with smaller keys and less computation", HOLDS, NULL};

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
        "Now X25519, which nearly every TLS connection uses today: points of a curve in place "
        "of powers, and numbers of 255 bits. The first 16 of the 32 bytes are shown:");
    story_say("");
    story_say("%-11s%-34s%s", "", "the client", "the server");
    story_say("%-11s%-34s%s", "keeps", hex(client.secret), hex(server.secret));
    story_say("%-11s%-34s%s", "sends", hex(client.public), hex(server.public));
    story_say("%-11s%-34s%s", "has then", hex(client.shared), hex(server.shared));
    struct figures figures[GROUPS_COUNT];
    story_say("");
    story_say("The curve against powers modulo a prime of 2048 and 3072 bits (RFC 7919):");
    story_head("group|strength|each side sends|a second, one core");
    for (int i = 0; i < GROUPS_COUNT; i++) {
        figures[i] = measure_group(i);
        story_row("%s|%d bits|%zu bytes|%.0f", groups[i].name, groups[i].strength,
                  figures[i].bytes, figures[i].a_second);
    }
    const struct figures *curve = &figures[0], *prime = &figures[GROUPS_COUNT - 1];
    enum verdict verdict = UNCLEAR;
    if (equal == (N - 1) * (N - 1) && agreed == ROUNDS)
        verdict = HOLDS;
    claim_report(&same, verdict,
                 "the same for all %d pairs of X and Y below %d; with X25519 in %d of %d "
                 "exchanges, and the secret was never one of the sent values",
                 equal, N, agreed, ROUNDS);
    claim_report(
        &smaller,
        holds_if(curve->bytes * 4 < prime->bytes && curve->a_second > 5 * prime->a_second),
        "of the same strength: %zu bytes against %zu, and %.0f times as many "
        "exchanges a second",
        curve->bytes, prime->bytes, curve->a_second / prime->a_second);
}
