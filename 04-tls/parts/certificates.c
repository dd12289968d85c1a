// certificates.c: see certificates.h. Read the table of plans first, then issue().
//
// A certificate has a name and a public key, and a signature over both by a CA (RFC 5280). A
// reader that trusts this CA believes that the key belongs to the name. The rest of a
// certificate says what its key may sign, and until when.
#include "certificates.h"

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

#define YEARS      3650 // days; browsers accept much less from a public CA
#define RENEW_DAYS 30   // a certificate is replaced so long before its end
#define RSA_BITS   2048

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

static struct pair_uses uses_of(const struct plan *plan)
{
    struct pair_uses uses = {"critical,CA:FALSE", "critical,digitalSignature", NULL};
    switch (plan->kind) {
    case AUTHORITY:
        return (struct pair_uses){"critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL};
    case AUTHORITY_OF_LEAFS:
        return (struct pair_uses){"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign",
                                  NULL};
    case SERVER:
        uses.purpose = "serverAuth";
        break;
    case CLIENT:
        uses.purpose = "clientAuth";
        break;
    }
    // An RSA key that may encipher allows TLS 1.2 without Diffie-Hellman. Scene forward_secrecy
    // shows what that costs.
    if (plan->rsa)
        uses.usage = "critical,digitalSignature,keyEncipherment";
    return uses;
}

// Makes a key and a certificate for it, signed by the issuer's key. NULL: by its own key.
static struct pair issue(const struct plan *plan, const struct pair *issuer)
{
    struct pair made = {pair_describe(plan->common_name, plan->names), NULL};
    struct pair_uses uses = uses_of(plan);
    if (plan->rsa)
        made.key = EVP_RSA_gen(RSA_BITS);
    else
        made.key = EVP_EC_gen("P-256");
    pair_sign(&made, issuer, &uses, plan->from_day * 86400L, plan->to_day * 86400L);
    return made;
}

void certificates_make(const char *folder)
{
    struct pair pairs[CERTIFICATES];
    int lock_fd = pair_lock(folder);
    for (enum certificate i = 0; i < CERTIFICATES; i++) { // issuers before what they sign
        const struct plan *plan = &plans[i];
        const struct pair *issuer = NULL; // self-signed
        EVP_PKEY *issuer_key = NULL;
        X509 *intermediate = NULL; // stands in the file, too, if it is the issuer
        struct certificate_files files = certificate_files(folder, i);
        X509 *wanted = pair_describe(plan->common_name, plan->names);
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
