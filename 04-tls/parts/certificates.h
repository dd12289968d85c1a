// certificates.h: the certificates and keys of this lesson, which the lesson makes itself: a
// root CA, which the client trusts; an intermediate CA, which the root has signed; and
// certificates of servers and of a client. Some of them are good. Each other one is wrong in
// one way.
//
//     ca ── intermediate ──┬── server-rsa, server-ecdsa   workbench.test, and loopback
//                          ├── other-rsa, other-ecdsa     other.test
//                          ├── expired                    expired.test, until last month
//                          ├── wrong-name                 elsewhere.test
//                          ├── common-name                elsewhere.test, but the CN is right
//                          └── client                     a client's, for --require-client-cert
//     self-signed                                         signed by its own key
//     stranger ── unknown-ca                              signed by a CA that no client trusts
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

enum certificate {
    CERTIFICATE_CA,
    CERTIFICATE_INTERMEDIATE,
    CERTIFICATE_STRANGER,
    CERTIFICATE_SERVER_RSA,
    CERTIFICATE_SERVER_ECDSA,
    CERTIFICATE_OTHER_RSA,
    CERTIFICATE_OTHER_ECDSA,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_WRONG_NAME,
    CERTIFICATE_COMMON_NAME,
    CERTIFICATE_SELF_SIGNED,
    CERTIFICATE_UNKNOWN_CA,
    CERTIFICATE_CLIENT,
    CERTIFICATES,
};

#define CERTIFICATE_FOLDER "keys" // below the lesson's own folder
#define CERTIFICATE_PATH   512

// The default folder of the certificates: `relative` to the folder of this program. The program
// may be started in any folder.
const char *certificate_folder(const char *relative);

struct certificate_files {
    char chain[CERTIFICATE_PATH]; // PEM: the certificate, then the intermediate if there is one
    char key[CERTIFICATE_PATH];   // PEM, readable for its owner only (mode 0600)
};

// Makes the certificates that are missing in the folder. It replaces a certificate that has
// expired or will expire within a month, that this folder's CA has not signed, or that has
// wrong names. Two programs may do so at the same time. Dies with the reason if it cannot.
void certificates_make(const char *folder);

// The files of a certificate and of its key.
struct certificate_files certificate_files(const char *folder, enum certificate which);

// The name with which a client asks for this certificate (SNI).
const char *certificate_host(enum certificate which);

#endif
