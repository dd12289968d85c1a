// stranger.h: a client of TLS with the certificate that a scene gives to it, or with none.
#ifndef STRANGER_H
#define STRANGER_H

struct stranger {
    int status;      // of the answer; 0: there was none
    int alert;       // with which the other side has refused; -1: none
    char serial[50]; // of the other side's certificate
};

// Connects, and asks for "/". `folder`: of ca.pem, which is trusted, and of NAME.pem and
// NAME-key.pem; a NULL name: it has no certificate.
struct stranger stranger_ask(const char *address, int port, const char *ca_folder,
                             const char *folder, const char *name);

// The same with a request of the caller's own, which may be none.
struct stranger stranger_say(const char *address, int port, const char *ca_folder,
                             const char *folder, const char *name, const char *request);

#endif
