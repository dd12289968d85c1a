// mesh_ca.c: see mesh_ca.h. Read mesh_ca_issue() first.
#include "mesh_ca.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define PATH_BYTES 400
#define CA_DAYS    3650
#define AN_HOUR    3600

struct pair { // a certificate and its key
    X509 *certificate;
    EVP_PKEY *key;
};

static _Noreturn void give_up(const char *doing, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (!reason)
        reason = strerror(errno);
    die("cannot %s %s: %s", doing, what, reason);
}

static void paths(const char *folder, const char *name, char chain[PATH_BYTES],
                  char key[PATH_BYTES])
{
    snprintf(chain, PATH_BYTES, "%s/%s.pem", folder, name);
    snprintf(key, PATH_BYTES, "%s/%s-key.pem", folder, name);
}

static struct pair read_pair(const char *folder, const char *name)
{
    char chain_path[PATH_BYTES], key_path[PATH_BYTES];
    struct pair pair = {NULL, NULL};
    paths(folder, name, chain_path, key_path);
    BIO *bio = BIO_new_file(chain_path, "r");
    if (bio)
        pair.certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_file(key_path, "r");
    if (bio)
        pair.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return pair;
}

static void free_pair(const struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

// Writes a file that only its owner can read beside `path`, then puts it there.
static void write_file(const char *path, const struct pair *pair, bool is_key)
{
    char temporary[PATH_BYTES + 8];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = NULL;
    if (fd >= 0)
        file = fdopen(fd, "w");
    if (!file)
        give_up("create", temporary);
    bool good;
    if (is_key)
        good = PEM_write_PrivateKey(file, pair->key, NULL, NULL, 0, NULL, NULL);
    else
        good = PEM_write_X509(file, pair->certificate);
    if (fclose(file) || !good || rename(temporary, path))
        give_up("write", path);
}

static void write_pair(const char *folder, const char *name, const struct pair *pair)
{
    char chain_path[PATH_BYTES], key_path[PATH_BYTES];
    paths(folder, name, chain_path, key_path);
    write_file(key_path, pair, true);
    write_file(chain_path, pair, false);
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || !X509_add_ext(certificate, extension, -1))
        give_up("add to a certificate:", value);
    X509_EXTENSION_free(extension);
}

// RFC 5280 §4.1.2.2: a serial number that nobody can guess.
static bool number(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool good = serial && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
    BN_free(serial);
    return good;
}

// A workload is a server and a client. What it is called is in `names`, not in its subject.
static struct pair make(const char *subject, const char *names, int days,
                        const struct pair *issuer)
{
    struct pair made = {X509_new(), EVP_EC_gen("P-256")};
    const struct pair *signer = &made;
    if (issuer)
        signer = issuer;
    X509 *c = made.certificate;
    if (!c || !made.key || !X509_set_version(c, X509_VERSION_3) || !number(c) ||
        !X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                                    (const unsigned char *)subject, -1, -1, 0) ||
        !X509_set_issuer_name(c, X509_get_subject_name(signer->certificate)) ||
        !X509_set_pubkey(c, made.key) || !X509_gmtime_adj(X509_getm_notBefore(c), -AN_HOUR) ||
        !X509_gmtime_adj(X509_getm_notAfter(c), days * 86400L))
        give_up("make a certificate for", subject);
    extend(c, signer->certificate, NID_subject_key_identifier, "hash");
    if (issuer) {
        extend(c, signer->certificate, NID_authority_key_identifier, "keyid:always");
        extend(c, signer->certificate, NID_basic_constraints, "critical,CA:FALSE");
        extend(c, signer->certificate, NID_key_usage, "critical,digitalSignature");
        extend(c, signer->certificate, NID_ext_key_usage, "serverAuth,clientAuth");
        if (*names)
            extend(c, signer->certificate, NID_subject_alt_name, names);
    } else {
        extend(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
        extend(c, c, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (!X509_sign(c, signer->key, EVP_sha256()))
        give_up("sign the certificate of", subject);
    return made;
}

// Two programs may want a CA at the same time: one makes it, the other one waits for it.
static int lock(const char *folder)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s", folder);
    char *slash = strrchr(path, '/');
    if (slash && slash != path) { // the folder around it, which may be missing, too
        *slash = '\0';
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/lock", folder);
    if (mkdir(folder, 0700) && errno != EEXIST)
        give_up("create the folder", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX))
        give_up("lock", path);
    return fd;
}

void mesh_ca_issue(const char *folder, const char *name, const char *names)
{
    int lock_fd = lock(folder);
    ERR_clear_error();
    struct pair ca = read_pair(folder, "ca");
    if (!ca.certificate || !ca.key) {
        free_pair(&ca);
        ca = make("Workbench Mesh", "", CA_DAYS, NULL);
        write_pair(folder, "ca", &ca);
    }
    struct pair made = make(name, names, MESH_CA_DAYS, &ca);
    write_pair(folder, name, &made);
    free_pair(&made);
    free_pair(&ca);
    close(lock_fd);
}

void mesh_ca_issue_service(const char *folder, const char *domain, const char *name)
{
    char names[MESH_CA_NAMES];
    snprintf(names, sizeof names, "URI:spiffe://%s/%s,DNS:%s", domain, name, name);
    mesh_ca_issue(folder, name, names);
}

bool mesh_ca_has(const char *folder, const char *name)
{
    time_t soon = time(NULL) + MESH_CA_RENEW_S;
    struct pair ca = read_pair(folder, "ca"), own = read_pair(folder, name);
    bool good = ca.key && own.certificate && own.key &&
                X509_verify(own.certificate, ca.key) == 1 &&
                X509_check_private_key(own.certificate, own.key) == 1 &&
                X509_cmp_time(X509_get0_notAfter(own.certificate), &soon) > 0;
    free_pair(&ca);
    free_pair(&own);
    ERR_clear_error();
    return good;
}
