// certificates.c: see certificates.h. Read the table of plans first, then issue().
//
// A certificate has a name and a public key, and a signature over both by a CA (RFC 5280). A
// reader that trusts this CA believes that the key belongs to the name. The rest of a
// certificate says what its key may sign, and until when.
#include "certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"

#define YEARS        3650 // days; browsers accept much less from a public CA
#define RENEW_DAYS   30   // a certificate is replaced so long before its end
#define SERIAL_BYTES 16
#define RSA_BITS     2048

#define LOOPBACK ",DNS:localhost,IP:127.0.0.1,IP:::1,IP:10.0.0.2" // the last is wire's

// What a key may be used for (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12).
enum kind { AUTHORITY, AUTHORITY_OF_LEAFS, SERVER, CLIENT };

struct plan {
    const char *file, *common_name;
    const char *names; // the subjectAltName, with which a client compares (RFC 9525 §6)
    enum kind kind;
    enum certificate issuer; // if it is the certificate itself: self-signed
    bool rsa;                // the key is RSA-2048; false: P-256
    int from_day, to_day;    // counted from today
};

static const struct plan plans[CERTIFICATES] = {
    [CERTIFICATE_CA] = {"ca", "Workbench Root", NULL, AUTHORITY, CERTIFICATE_CA, false, -1,
                        YEARS},
    [CERTIFICATE_INTERMEDIATE] = {"intermediate", "Workbench Intermediate", NULL,
                                  AUTHORITY_OF_LEAFS, CERTIFICATE_CA, false, -1, YEARS},
    [CERTIFICATE_STRANGER] = {"stranger", "A Stranger", NULL, AUTHORITY, CERTIFICATE_STRANGER,
                              false, -1, YEARS},
    [CERTIFICATE_SERVER_RSA] = {"server-rsa", "workbench.test", "DNS:workbench.test" LOOPBACK,
                                SERVER, CERTIFICATE_INTERMEDIATE, true, -1, YEARS},
    [CERTIFICATE_SERVER_ECDSA] = {"server-ecdsa", "workbench.test",
                                  "DNS:workbench.test" LOOPBACK, SERVER,
                                  CERTIFICATE_INTERMEDIATE, false, -1, YEARS},
    [CERTIFICATE_OTHER_RSA] = {"other-rsa", "other.test", "DNS:other.test", SERVER,
                               CERTIFICATE_INTERMEDIATE, true, -1, YEARS},
    [CERTIFICATE_OTHER_ECDSA] = {"other-ecdsa", "other.test", "DNS:other.test", SERVER,
                                 CERTIFICATE_INTERMEDIATE, false, -1, YEARS},
    [CERTIFICATE_EXPIRED] = {"expired", "expired.test", "DNS:expired.test", SERVER,
                             CERTIFICATE_INTERMEDIATE, false, -60, -30},
    [CERTIFICATE_WRONG_NAME] = {"wrong-name", "elsewhere.test", "DNS:elsewhere.test", SERVER,
                                CERTIFICATE_INTERMEDIATE, false, -1, YEARS},
    [CERTIFICATE_COMMON_NAME] = {"common-name", "common-name.test", "DNS:elsewhere.test",
                                 SERVER, CERTIFICATE_INTERMEDIATE, false, -1, YEARS},
    [CERTIFICATE_SELF_SIGNED] = {"self-signed", "self-signed.test", "DNS:self-signed.test",
                                 SERVER, CERTIFICATE_SELF_SIGNED, false, -1, YEARS},
    [CERTIFICATE_UNKNOWN_CA] = {"unknown-ca", "unknown-ca.test", "DNS:unknown-ca.test", SERVER,
                                CERTIFICATE_STRANGER, false, -1, YEARS},
    [CERTIFICATE_CLIENT] = {"client", "A Student", "email:student@workbench.test", CLIENT,
                            CERTIFICATE_INTERMEDIATE, false, -1, YEARS},
};

// Ends the program: without certificates there is no lesson.
static _Noreturn void fail(const char *doing, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (!reason)
        reason = strerror(errno);
    die("cannot %s %s: %s", doing, what, reason);
}

const char *certificate_folder(const char *relative)
{
    static char path[CERTIFICATE_PATH];
    char here[CERTIFICATE_PATH];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - strlen(relative) - 1);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length <= 1)
        return relative;
    path[length - 1] = '\0';
    if (getcwd(here, sizeof here) && !strcmp(here, path))
        return relative; // the program was started in its own folder
    strcat(path, "/");
    strcat(path, relative);
    return path;
}

struct certificate_files certificate_files(const char *folder, enum certificate which)
{
    struct certificate_files files;
    snprintf(files.chain, CERTIFICATE_PATH, "%s/%s.pem", folder, plans[which].file);
    snprintf(files.key, CERTIFICATE_PATH, "%s/%s-key.pem", folder, plans[which].file);
    return files;
}

const char *certificate_host(enum certificate which)
{
    if (which == CERTIFICATE_WRONG_NAME)
        return "wrong-name.test";
    if (plans[which].kind != SERVER)
        return NULL;
    return plans[which].common_name;
}

// ---- old certificates ----------------------------------------------------------------------

struct pair { // a certificate and its key; NULL: there is none
    X509 *certificate;
    EVP_PKEY *key;
};

static void pair_free(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct pair){NULL, NULL};
}

static struct pair pair_read(const struct certificate_files *files)
{
    struct pair pair = {NULL, NULL};
    struct stat status;
    FILE *chain = fopen(files->chain, "re"), *key = fopen(files->key, "re");
    if (chain)
        pair.certificate = PEM_read_X509(chain, NULL, NULL, NULL);
    // A key that other users could read is no secret any more: it counts as missing.
    if (key && !fstat(fileno(key), &status) && !(status.st_mode & 077))
        pair.key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    if (chain)
        fclose(chain);
    if (key)
        fclose(key);
    ERR_clear_error();
    return pair;
}

static bool same_names(const X509 *a, const X509 *b)
{
    X509_EXTENSION *one = X509_get_ext(a, X509_get_ext_by_NID(a, NID_subject_alt_name, -1));
    X509_EXTENSION *two = X509_get_ext(b, X509_get_ext_by_NID(b, NID_subject_alt_name, -1));
    if (X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)))
        return false;
    if (!one || !two)
        return one == two;
    return !ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(one), X509_EXTENSION_get_data(two));
}

// True if the certificate in the folder can stay; `wanted` has the names that it should have.
static bool is_good(const struct plan *plan, const struct pair *pair, const X509 *wanted,
                    EVP_PKEY *issuer_key)
{
    time_t now = time(NULL), soon = now + (time_t)RENEW_DAYS * 86400;
    X509 *certificate = pair->certificate;
    const char *kind = "EC";
    if (plan->rsa)
        kind = "RSA";
    if (!issuer_key)
        issuer_key = pair->key; // self-signed
    if (!certificate || !pair->key || X509_check_private_key(certificate, pair->key) != 1 ||
        EVP_PKEY_is_a(pair->key, kind) != 1)
        return false;
    // A certificate that was made while the clock was ahead is not valid yet.
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
        return false;
    bool expired = X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0;
    bool expires = X509_cmp_time(X509_get0_notAfter(certificate), &soon) < 0;
    if (plan->to_day < 0 && !expired) // this one has to be expired
        return false;
    if (plan->to_day >= 0 && expires)
        return false;
    return same_names(certificate, wanted) && X509_verify(certificate, issuer_key) == 1;
}

// ---- new certificates ----------------------------------------------------------------------

static void add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || !X509_add_ext(certificate, extension, -1))
        fail("add an extension:", value);
    X509_EXTENSION_free(extension);
}

// Makes a certificate that has only its names.
static X509 *describe(const struct plan *plan)
{
    X509 *certificate = X509_new();
    if (!certificate || !X509_set_version(certificate, X509_VERSION_3) ||
        !X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                    (const unsigned char *)plan->common_name, -1, -1, 0))
        fail("describe", plan->file);
    if (plan->names)
        add(certificate, certificate, NID_subject_alt_name, plan->names);
    return certificate;
}

// "critical": a program that does not understand this must not accept the certificate.
static void add_uses(X509 *certificate, X509 *issuer, const struct plan *plan)
{
    const char *constraints = "critical,CA:FALSE", *usage = "critical,digitalSignature";
    const char *purpose = NULL;
    switch (plan->kind) {
    case AUTHORITY:
        constraints = "critical,CA:TRUE";
        usage = "critical,keyCertSign,cRLSign";
        break;
    case AUTHORITY_OF_LEAFS:
        constraints = "critical,CA:TRUE,pathlen:0";
        usage = "critical,keyCertSign,cRLSign";
        break;
    case SERVER:
        purpose = "serverAuth";
        break;
    case CLIENT:
        purpose = "clientAuth";
        break;
    }
    // An RSA key that may encipher allows TLS 1.2 without Diffie-Hellman. Scene forward_secrecy
    // shows what that costs.
    if (purpose && plan->rsa)
        usage = "critical,digitalSignature,keyEncipherment";
    add(certificate, issuer, NID_basic_constraints, constraints);
    add(certificate, issuer, NID_key_usage, usage);
    if (purpose)
        add(certificate, issuer, NID_ext_key_usage, purpose);
    add(certificate, issuer, NID_subject_key_identifier, "hash");
    add(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

// Sets a serial number that cannot be guessed (RFC 5280 §4.1.2.2).
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; // positive, and always of the same length
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

// Makes a key and a certificate for it, signed by the issuer's key. NULL: by its own key.
static struct pair issue(const struct plan *plan, const struct pair *issuer)
{
    struct pair made = {describe(plan), NULL};
    X509 *certificate = made.certificate;
    const struct pair *signer = &made;
    if (plan->rsa)
        made.key = EVP_RSA_gen(RSA_BITS);
    else
        made.key = EVP_EC_gen("P-256");
    if (issuer)
        signer = issuer;
    if (!made.key || !X509_set_pubkey(certificate, made.key) || !set_serial(certificate) ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), plan->from_day * 86400L) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), plan->to_day * 86400L) ||
        !X509_set_issuer_name(certificate, X509_get_subject_name(signer->certificate)))
        fail("make", plan->file);
    add_uses(certificate, signer->certificate, plan);
    if (!X509_sign(certificate, signer->key, EVP_sha256()))
        fail("sign", plan->file);
    return made;
}

// ---- files ---------------------------------------------------------------------------------

// Opens a new file beside `path` that only its owner can read. end_file() renames it to `path`
// when it is whole, so no reader sees half of a file.
static FILE *begin_file(const char *path, char *temporary)
{
    snprintf(temporary, CERTIFICATE_PATH, "%.*s.new", CERTIFICATE_PATH - 5, path);
    unlink(temporary); // a program that was interrupted may have left it
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = NULL;
    if (fd >= 0)
        file = fdopen(fd, "w");
    if (!file)
        fail("create", temporary);
    return file;
}

static void end_file(FILE *file, bool good, const char *temporary, const char *path)
{
    if (fclose(file) || !good || rename(temporary, path))
        fail("write", path);
}

static void pair_write(const struct certificate_files *files, const struct pair *pair,
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
    fail("lock", path);
}

// Waits until no other program makes certificates in this folder. The lock ends when the
// descriptor is closed, also if this program dies.
static int lock(const char *folder)
{
    char path[CERTIFICATE_PATH];
    snprintf(path, sizeof path, "%s/lock", folder);
    if (mkdir(folder, 0700) && errno != EEXIST)
        fail("create the folder", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EACCES)
        fail_as_stranger(folder, path);
    if (fd < 0 || flock(fd, LOCK_EX))
        fail("lock", path);
    return fd;
}

void certificates_make(const char *folder)
{
    struct pair pairs[CERTIFICATES];
    int lock_fd = lock(folder);
    ERR_clear_error();
    for (enum certificate i = 0; i < CERTIFICATES; i++) { // issuers before what they sign
        const struct plan *plan = &plans[i];
        const struct pair *issuer = NULL; // self-signed
        EVP_PKEY *issuer_key = NULL;
        X509 *intermediate = NULL; // stands in the file, too, if it is the issuer
        struct certificate_files files = certificate_files(folder, i);
        X509 *wanted = describe(plan);
        if (plan->issuer != i) {
            issuer = &pairs[plan->issuer];
            issuer_key = issuer->key;
        }
        if (plan->issuer == CERTIFICATE_INTERMEDIATE)
            intermediate = issuer->certificate;
        pairs[i] = pair_read(&files);
        if (!is_good(plan, &pairs[i], wanted, issuer_key)) {
            pair_free(&pairs[i]);
            pairs[i] = issue(plan, issuer);
            pair_write(&files, &pairs[i], intermediate);
        }
        X509_free(wanted);
    }
    for (enum certificate i = 0; i < CERTIFICATES; i++)
        pair_free(&pairs[i]);
    close(lock_fd);
}
