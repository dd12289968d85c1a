// keys.c: see keys.h. Read take_ec() first: three numbers become a key of OpenSSL.
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base64url.h"
#include "json.h"
#include "net.h"

#define POINT      (1 + 2 * COORDINATE) // bytes of a point: 4, x, y
#define TEXT_BYTES 100                  // of a member of a key

const char *algorithm_name(enum algorithm algorithm)
{
    if (algorithm == HS256)
        return "HS256";
    return "ES256";
}

// ---- reading -------------------------------------------------------------------------------

// Reads a member that is base64url of at least `min` and at most `max` bytes.
static bool member_bytes(const struct json *object, const char *name, uint8_t *bytes,
                         size_t min, size_t max, size_t *length)
{
    char text[TEXT_BYTES];
    return json_member_string(object, name, text, sizeof text) &&
           base64url_read((struct http_text){text, strlen(text)}, bytes, max, length) &&
           *length >= min;
}

// Makes a key of OpenSSL of a point and, where `d` is given, of the private number. NULL: the
// point is not on the curve, or does not belong to the number.
static EVP_PKEY *make_ec(const uint8_t point[POINT], const uint8_t *d)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL), *check = NULL;
    BIGNUM *number = NULL;
    OSSL_PARAM *params = NULL;
    int selection = EVP_PKEY_PUBLIC_KEY;
    bool good =
        build && ctx &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, POINT);
    if (good && d) {
        number = BN_secure_new();
        selection = EVP_PKEY_KEYPAIR;
        good = number && BN_bin2bn(d, COORDINATE, number) &&
               OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
    }
    good = good && (params = OSSL_PARAM_BLD_to_param(build)) &&
           EVP_PKEY_fromdata_init(ctx) == 1 &&
           EVP_PKEY_fromdata(ctx, &pkey, selection, params) == 1;
    if (good)
        check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (d)
        good = good && check && EVP_PKEY_check(check) == 1;
    else
        good = good && check && EVP_PKEY_public_check(check) == 1;
    if (!good) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return pkey;
}

static const char *take_ec(const struct json *object, struct key *key)
{
    uint8_t point[POINT] = {4}, d[COORDINATE];
    const uint8_t *private_number = NULL;
    size_t length;
    struct json value;
    if (!member_bytes(object, "x", point + 1, COORDINATE, COORDINATE, &length) ||
        !member_bytes(object, "y", point + 1 + COORDINATE, COORDINATE, COORDINATE, &length))
        return "a key of P-256 has x and y of 32 bytes";
    if (json_member(object, "d", &value)) {
        if (!member_bytes(object, "d", d, COORDINATE, COORDINATE, &length))
            return "a private key of P-256 has a d of 32 bytes";
        private_number = d;
    }
    key->can_sign = private_number;
    key->pkey = make_ec(point, private_number);
    OPENSSL_cleanse(d, sizeof d);
    if (!key->pkey)
        return "a key is not on its curve";
    return NULL;
}

// Reads one key. One of another kind is skipped: key->id stays empty.
static const char *take_key(const struct json *object, enum algorithm algorithm,
                            struct key *key)
{
    char kty[8] = "", crv[8] = "", alg[8], use[8];
    const char *why = NULL;
    *key = (struct key){.algorithm = algorithm};
    json_member_string(object, "kty", kty, sizeof kty);
    json_member_string(object, "crv", crv, sizeof crv);
    if (json_member_string(object, "alg", alg, sizeof alg) &&
        strcmp(alg, algorithm_name(algorithm)))
        return NULL;
    if (json_member_string(object, "use", use, sizeof use) && strcmp(use, "sig"))
        return NULL;
    if (algorithm == HS256 && !strcmp(kty, "oct")) {
        if (!member_bytes(object, "k", key->secret, SECRET_BYTES, SECRET_MAX,
                          &key->secret_length))
            why = "a secret of HS256 has 32 to 64 bytes";
        key->can_sign = true;
    } else if (algorithm == ES256 && !strcmp(kty, "EC") && !strcmp(crv, "P-256")) {
        why = take_ec(object, key);
    } else {
        return NULL;
    }
    if (!why && (!json_member_string(object, "kid", key->id, sizeof key->id) || !*key->id))
        why = "a key has no kid";
    if (why)
        EVP_PKEY_free(key->pkey);
    return why;
}

// When there are more than KEYS_MAX, the oldest goes.
static void add_key(struct keys *keys, const struct key *key)
{
    if (keys->count == KEYS_MAX) {
        EVP_PKEY_free(keys->list[0].pkey);
        memmove(keys->list, keys->list + 1, (KEYS_MAX - 1) * sizeof *keys->list);
        keys->count--;
    }
    keys->list[keys->count++] = *key;
}

const char *keys_read(struct keys *keys, enum algorithm algorithm, struct http_text text)
{
    struct json set, list, item;
    struct key key;
    size_t at = 0;
    keys->count = 0;
    if (!json_read(text, &set) || !json_member(&set, "keys", &list) || list.type != JSON_ARRAY)
        return "it is no JSON Web Key Set";
    while (json_next(&list, &at, &item)) {
        const char *why = take_key(&item, algorithm, &key);
        if (!why && *key.id && keys_find(keys, key.id)) {
            EVP_PKEY_free(key.pkey);
            why = "two keys have the same kid";
        }
        if (why) {
            keys_free(keys);
            return why;
        }
        if (*key.id)
            add_key(keys, &key);
    }
    return NULL;
}

void keys_free(struct keys *keys)
{
    for (int i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->list[i].pkey);
    OPENSSL_cleanse(keys, sizeof *keys);
    keys->count = 0;
}

const struct key *keys_find(const struct keys *keys, const char *id)
{
    for (int i = 0; i < keys->count; i++)
        if (!strcmp(keys->list[i].id, id))
            return &keys->list[i];
    return NULL;
}

const struct key *keys_signing(const struct keys *keys)
{
    for (int i = keys->count - 1; i >= 0; i--)
        if (keys->list[i].can_sign)
            return &keys->list[i];
    return NULL;
}

// ---- writing -------------------------------------------------------------------------------

static void put_bytes(struct http_out *out, const char *name, const uint8_t *bytes,
                      size_t length)
{
    char text[BASE64URL_SIZE(SECRET_MAX)];
    base64url_write(bytes, length, text);
    http_put_text(out, ",\"");
    http_put_text(out, name);
    http_put_text(out, "\":\"");
    http_put_text(out, text);
    http_put_text(out, "\"");
    OPENSSL_cleanse(text, sizeof text);
}

// The numbers of a key of P-256. False: it has no private one.
static bool ec_numbers(const struct key *key, uint8_t x[COORDINATE], uint8_t y[COORDINATE],
                       uint8_t d[COORDINATE])
{
    static const char *const names[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y,
                                        OSSL_PKEY_PARAM_PRIV_KEY};
    uint8_t *const to[] = {x, y, d};
    bool good = true;
    for (int i = 0; i < 3 && good; i++) {
        BIGNUM *number = NULL;
        good = EVP_PKEY_get_bn_param(key->pkey, names[i], &number) == 1 &&
               BN_bn2binpad(number, to[i], COORDINATE) == COORDINATE;
        BN_clear_free(number);
    }
    return good;
}

void keys_write(const struct keys *keys, bool private_parts, struct http_out *out)
{
    const char *comma = "";
    http_put_text(out, "{\"keys\":[");
    for (int i = 0; i < keys->count; i++) {
        const struct key *key = &keys->list[i];
        uint8_t x[COORDINATE], y[COORDINATE], d[COORDINATE];
        char text[KEY_ID_BYTES + 60];
        if (key->algorithm == HS256 && !private_parts)
            continue;
        snprintf(text, sizeof text, "%s{\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"%s\"", comma,
                 key->id, algorithm_name(key->algorithm));
        http_put_text(out, text);
        comma = ",";
        if (key->algorithm == HS256) {
            http_put_text(out, ",\"kty\":\"oct\"");
            put_bytes(out, "k", key->secret, key->secret_length);
        } else {
            bool has_d = ec_numbers(key, x, y, d);
            http_put_text(out, ",\"kty\":\"EC\",\"crv\":\"P-256\"");
            put_bytes(out, "x", x, COORDINATE);
            put_bytes(out, "y", y, COORDINATE);
            if (private_parts && has_d)
                put_bytes(out, "d", d, COORDINATE);
            OPENSSL_cleanse(d, sizeof d);
        }
        http_put_text(out, "}");
    }
    http_put_text(out, "]}");
}

// ---- files ---------------------------------------------------------------------------------

// Makes a key. Its name says nothing about it.
static void new_key(struct key *key, enum algorithm algorithm)
{
    uint8_t name[12];
    *key = (struct key){.algorithm = algorithm, .can_sign = true};
    if (algorithm == HS256) {
        key->secret_length = SECRET_BYTES;
        if (RAND_priv_bytes(key->secret, SECRET_BYTES) != 1)
            die("OpenSSL has no random numbers");
    } else if (!(key->pkey = EVP_EC_gen("P-256"))) {
        die("OpenSSL makes no key of P-256");
    }
    if (RAND_bytes(name, sizeof name) != 1)
        die("OpenSSL has no random numbers");
    base64url_write(name, sizeof name, key->id);
}

// Reads a file of keys. False: there is none.
static bool read_file(struct keys *keys, enum algorithm algorithm, const char *path)
{
    char text[KEYS_FILE_BYTES];
    ssize_t length = -1;
    const char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return false;
    if (fd >= 0)
        length = read(fd, text, sizeof text);
    if (length < 0)
        die("cannot read %s: %s", path, strerror(errno));
    close(fd);
    if (length > 0)
        why = keys_read(keys, algorithm, (struct http_text){text, (size_t)length});
    if (why)
        die("%s: %s", path, why);
    OPENSSL_cleanse(text, sizeof text);
    return true;
}

// Replaces the file by a new one, at once.
static void write_file(const struct keys *keys, const char *path)
{
    char text[KEYS_FILE_BYTES], other[512];
    struct http_out out = {text, sizeof text, 0, false};
    snprintf(other, sizeof other, "%s.new", path);
    keys_write(keys, true, &out);
    int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || out.overflow || !write_all(fd, text, out.length) || fsync(fd) || close(fd) ||
        rename(other, path))
        die("cannot write %s: %s", path, strerror(errno));
    OPENSSL_cleanse(text, sizeof text);
}

void keys_open(struct keys *keys, enum algorithm algorithm, const char *path, bool add)
{
    char lock[512];
    struct key key;
    *keys = (struct keys){0};
    // Two programs that start at the same time must not make a key each.
    snprintf(lock, sizeof lock, "%s.lock", path);
    int lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd < 0 || flock(lock_fd, LOCK_EX))
        die("cannot lock %s: %s", lock, strerror(errno));
    read_file(keys, algorithm, path);
    if (add || !keys_signing(keys)) {
        new_key(&key, algorithm);
        add_key(keys, &key);
        write_file(keys, path);
    }
    close(lock_fd);
}

void keys_open_public(struct keys *keys, const char *path)
{
    if (!read_file(keys, ES256, path))
        die("there is no file %s", path);
    if (!keys->count)
        die("%s has no key of ES256", path);
}

void keys_path(const char *folder, enum algorithm algorithm, char *path, size_t size)
{
    const char *name = "es256";
    if (algorithm == HS256)
        name = "hs256";
    snprintf(path, size, "%s/tokens-%s.json", folder, name);
}
