// identity.h: the names of this sidecar and of the other one. Both show a certificate (mutual
// TLS) whose one URI is a name of the form of SPIFFE: spiffe://workbench.test/stock. The mesh's
// CA has signed it. Names of hosts and addresses count for nothing: an instance may be
// anywhere.
#ifndef IDENTITY_H
#define IDENTITY_H

#include <openssl/x509.h>

#include "link.h"

struct identity {
    const char *folder; // of the files below
    const char *domain; // the trust domain: "workbench.test"
    const char *name;   // of this sidecar's service: NAME.pem, NAME-key.pem, and ca.pem
};

// The two ends of TLS: for connections from other sidecars, and to them.
extern struct tls_server identity_inbound, identity_outbound;

// Grows with each exchange of the certificates. A connection keeps those that it began with.
extern unsigned identity_generation;

// Reads the certificates that the settings name, and uses them for all new connections; the
// mesh's CA makes this sidecar's one, if no good one is there. False: a file is wrong, the log
// says which, and those that were used before stay.
bool identity_load(void);

// Sets up TLS, and loads the certificates; dies if it cannot. And the end of it.
void identity_begin(void);
void identity_end(void);

// Copies the identity in a certificate. False: it has none, or not exactly one URI, or the URI
// is no identity of this domain; *why says so.
bool identity_of(X509 *certificate, const char *domain, char name[LINK_PEER], const char **why);

// When this sidecar's certificate ends: seconds since 1970.
long identity_ends(void);

#endif
