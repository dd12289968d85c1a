// certificates.h: the certificates and keys of this lesson, made by the lesson itself: a root
// that a client is told to trust, an intermediate that it has signed, and leafs; good ones, and
// for each way in which one can be wrong, one that is wrong in this way only.
//
//     ca ── intermediate ──┬── server-rsa, server-ecdsa   workbench.test, and loopback
//                          ├── other-rsa, other-ecdsa     other.test
//                          ├── expired                    expired.test, until last month
//                          ├── wrong-name                 elsewhere.test
//                          ├── common-name                elsewhere.test, but the CN is right
//                          └── client                     a client's, for --require-client-cert
//     self-signed                                         signed by its own key
//     stranger ── unknown-ca                              of a CA that no client trusts
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

// The folder of the certificates if nobody says another: `relative` to where this program is,
// which may be started from anywhere.
const char *certificate_folder(const char *relative);

struct certificate_files {
    char chain[CERTIFICATE_PATH]; // PEM: the certificate, then the intermediate if it has one
    char key[CERTIFICATE_PATH];   // PEM, for its owner only (mode 0600)
};

// Makes what is missing in the folder, and makes anew what has expired (or will, within a
// month), is not of the CA that is there, or is not for the names that it should be for. Two
// programs may do so at once. Dies with the reason if it cannot.
void certificates_make(const char *folder);

// Where a certificate and its key are.
struct certificate_files certificate_files(const char *folder, enum certificate which);

// The name by which a client asks for it (SNI): the name that it is for, or should be for.
const char *certificate_host(enum certificate which);

#endif
