// passwords.c: see passwords.h. Read password_check() first.
#include "passwords.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net.h"

#define SALT_BYTES 16
#define HASH_BYTES 32
#define MEMORY_MAX (UINT64_C(1) << 30) // that scrypt may take

_Static_assert(UINT64_C(128) * SCRYPT_R * (SCRYPT_N_MAX + SCRYPT_P + 2) <= MEMORY_MAX,
               "scrypt cannot compute what --scrypt-n takes");

struct user {
    const char *name, *role;
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
};

static struct user users[] = {{.name = USER, .role = "user"}, {.name = ADMIN, .role = "admin"}};

#define USERS (sizeof users / sizeof *users)

static struct user nobody; // whose password no one knows
static uint64_t cost = 16384;
static atomic_long checks;

static bool scrypt(const char *password, const uint8_t salt[SALT_BYTES],
                   uint8_t hash[HASH_BYTES])
{
    return EVP_PBE_scrypt(password, strlen(password), salt, SALT_BYTES, cost, SCRYPT_R,
                          SCRYPT_P, MEMORY_MAX, hash, HASH_BYTES) == 1;
}

void passwords_begin(int n)
{
    static const char *const passwords[USERS] = {USER_PASSWORD, ADMIN_PASSWORD};
    cost = (uint64_t)n;
    for (size_t i = 0; i < USERS; i++)
        if (RAND_bytes(users[i].salt, SALT_BYTES) != 1 ||
            !scrypt(passwords[i], users[i].salt, users[i].hash))
            die("OpenSSL computes no scrypt of N = %d", n);
    if (RAND_bytes(nobody.salt, SALT_BYTES) != 1 || RAND_bytes(nobody.hash, HASH_BYTES) != 1)
        die("OpenSSL has no random numbers");
}

static const struct user *find_user(const char *name)
{
    for (size_t i = 0; i < USERS; i++)
        if (!strcmp(users[i].name, name))
            return &users[i];
    return &nobody;
}

const char *password_check(const char *name, const char *password)
{
    uint8_t hash[HASH_BYTES];
    const struct user *user = find_user(name);
    checks++;
    bool good = scrypt(password, user->salt, hash) &&
                !CRYPTO_memcmp(hash, user->hash, HASH_BYTES) && user != &nobody;
    OPENSSL_cleanse(hash, sizeof hash);
    if (!good)
        return NULL;
    return user->role;
}

long password_checks(void)
{
    return checks;
}
