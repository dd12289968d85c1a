// facts.h: what there is to know about a TLS connection, in lines for people.
#ifndef FACTS_H
#define FACTS_H

#include <openssl/ssl.h>

#define FACT_NAME_BYTES 200

// Prints one line to stderr, with "* " in front. Bytes of the server that could command a
// terminal become dots.
void print_fact(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints the certificates that the server has sent: subject, issuer, dates; of the first one
// also its names and its key. After a resumed handshake there are none.
void print_certificates(const SSL *ssl);

// Writes the name of the certificate that the client trusts and that the chain ends in
// ("CN=Workbench Root"); "" if no chain was checked. Returns `text`.
const char *trusted_name(const SSL *ssl, char text[FACT_NAME_BYTES]);

#endif
