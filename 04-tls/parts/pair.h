// pair.h: a certificate and its key: to make, sign, read and write both. certificates.c makes
// those of this lesson with it, and the sidecar's CA those of a mesh. Whatever fails here ends
// the program with the reason: without certificates there is no lesson.
#ifndef PAIR_H
#define PAIR_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certificates.h"

struct pair { // NULL: there is none
    X509 *certificate;
    EVP_PKEY *key;
};

// What the key may be used for (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12), as OpenSSL writes it.
// "critical": a program that does not understand this must not accept the certificate.
struct pair_uses {
    const char *constraints, *usage;
    const char *purpose; // NULL: any
};

// Makes a certificate that has only its names: the subject's, and those with which a client
// compares (the subjectAltName, RFC 9525 §6), or NULL.
X509 *pair_describe(const char *common_name, const char *names);

// Signs the certificate for its key. It is good between two moments, in seconds from now.
// `issuer` is NULL: it signs itself.
void pair_sign(struct pair *pair, const struct pair *issuer, const struct pair_uses *uses,
               long from_s, long to_s);

// Reads what is there. A key that other users could read is no secret any more: it counts as
// missing.
struct pair pair_read(const struct certificate_files *files);

// Replaces both files, each at once: no reader sees half of one. `intermediate` may be NULL.
void pair_write(const struct certificate_files *files, const struct pair *pair,
                X509 *intermediate);

void pair_free(struct pair *pair);

// Makes the folder, if it is missing, and waits until no other program makes certificates in
// it. The lock ends when the descriptor that it returns is closed, also if this program dies.
int pair_lock(const char *folder);

#endif
