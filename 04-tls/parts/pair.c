// pair.c: see pair.h. Read pair_sign() first.
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "openssl_die.h"

#define SERIAL_BITS 127 // of 16 bytes; the first bit is the sign

// ---- to make and to sign -------------------------------------------------------------------

static void add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || !X509_add_ext(certificate, extension, -1))
        openssl_die("add to a certificate:", value);
    X509_EXTENSION_free(extension);
}

X509 *pair_describe(const char *common_name, const char *names)
{
    X509 *certificate = X509_new();
    if (!certificate || !X509_set_version(certificate, X509_VERSION_3) ||
        !X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                    (const unsigned char *)common_name, -1, -1, 0))
        openssl_die("describe", common_name);
    if (names)
        add(certificate, certificate, NID_subject_alt_name, names);
    return certificate;
}

// Sets a serial number that cannot be guessed (RFC 5280 §4.1.2.2), always of the same length.
static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool good = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

void pair_sign(struct pair *pair, const struct pair *issuer, const struct pair_uses *uses,
               long from_s, long to_s)
{
    X509 *certificate = pair->certificate;
    const struct pair *signer = pair;
    char name[80] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    if (issuer)
        signer = issuer;
    if (!pair->key || !X509_set_pubkey(certificate, pair->key) || !set_serial(certificate) ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), from_s) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), to_s) ||
        !X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate)))
        openssl_die("make the certificate of", name);
    add(certificate, signer->certificate, NID_basic_constraints, uses->constraints);
    add(certificate, signer->certificate, NID_key_usage, uses->usage);
    if (uses->purpose)
        add(certificate, signer->certificate, NID_ext_key_usage, uses->purpose);
    add(certificate, signer->certificate, NID_subject_key_identifier, "hash");
    add(certificate, signer->certificate, NID_authority_key_identifier, "keyid:always");
    if (!X509_sign(certificate, signer->key, EVP_sha256()))
        openssl_die("sign the certificate of", name);
}

void pair_free(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct pair){NULL, NULL};
}

// ---- files ---------------------------------------------------------------------------------

struct pair pair_read(const struct certificate_files *files)
{
    struct pair pair = {NULL, NULL};
    struct stat status;
    FILE *chain = fopen(files->chain, "re"), *key = fopen(files->key, "re");
    if (chain)
        pair.certificate = PEM_read_X509(chain, NULL, NULL, NULL);
    if (key && !fstat(fileno(key), &status) && !(status.st_mode & 077))
        pair.key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    if (chain)
        fclose(chain);
    if (key)
        fclose(key);
    ERR_clear_error();
    return pair;
}

// Opens a new file beside `path` that only its owner can read. end_file() renames it to `path`
// when it is whole.
static FILE *begin_file(const char *path, char *temporary)
{
    snprintf(temporary, CERTIFICATE_PATH, "%.*s.new", CERTIFICATE_PATH - 5, path);
    unlink(temporary); // a program that was interrupted may have left it
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = NULL;
    if (fd >= 0)
        file = fdopen(fd, "w");
    if (!file)
        openssl_die("create", temporary);
    return file;
}

static void end_file(FILE *file, bool good, const char *temporary, const char *path)
{
    if (fclose(file) || !good || rename(temporary, path))
        openssl_die("write", path);
}

void pair_write(const struct certificate_files *files, const struct pair *pair,
                X509 *intermediate)
{
    char temporary[CERTIFICATE_PATH];
    FILE *file = begin_file(files->key, temporary);
    bool good = PEM_write_PrivateKey(file, pair->key, NULL, NULL, 0, NULL, NULL);
    end_file(file, good, temporary, files->key);
    file = begin_file(files->chain, temporary);
    good = PEM_write_X509(file, pair->certificate) &&
           (!intermediate || PEM_write_X509(file, intermediate));
    end_file(file, good, temporary, files->chain);
}

// Ends the program: the folder of keys belongs to another user, as after "sudo make run-04".
static _Noreturn void fail_as_stranger(const char *folder, const char *path)
{
    struct stat status;
    if (!stat(folder, &status) && status.st_uid != geteuid())
        die("cannot lock %s: %s (the folder belongs to another user: sudo rm -r %s, or --keys "
            "FOLDER)",
            path, strerror(EACCES), folder);
    errno = EACCES;
    openssl_die("lock", path);
}

int pair_lock(const char *folder)
{
    char path[CERTIFICATE_PATH];
    snprintf(path, sizeof path, "%s/lock", folder);
    ERR_clear_error();
    if (mkdir(folder, 0700) && errno != EEXIST)
        openssl_die("create the folder", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EACCES)
        fail_as_stranger(folder, path);
    if (fd < 0 || flock(fd, LOCK_EX))
        openssl_die("lock", path);
    return fd;
}
