// facts.h: prints what a client knows about a TLS connection, one fact in a line.
#ifndef FACTS_H
#define FACTS_H

#include <openssl/ssl.h>

#define FACT_NAME_BYTES 200

// Prints one line to stderr, with "* " in front. Control characters, which the server may have
// sent, become dots.
void print_fact(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints the certificates that the server has sent: subject, issuer and dates, for the first
// one also its names and its key. After a resumed handshake there are none.
void print_certificates(const SSL *ssl);

// Writes the name of the trusted certificate at the end of the chain ("CN=Workbench Root"), or
// "" if no chain was checked. Returns `text`.
const char *trusted_name(const SSL *ssl, char text[FACT_NAME_BYTES]);

#endif
