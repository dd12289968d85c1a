// facts.c: see facts.h.
#include "facts.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>

#include "connect.h"
#include "text.h"

#define NAMES_MAX 10 // the most names of a certificate that are printed

void print_fact(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "* %s\n", printable_line(line, format, arguments));
    va_end(arguments);
}

// Writes a name as "CN=Workbench Root".
static const char *write_name(const X509_NAME *name, char text[FACT_NAME_BYTES])
{
    BIO *bio = BIO_new(BIO_s_mem());
    int length = 0;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) >= 0)
        length = BIO_read(bio, text, FACT_NAME_BYTES - 1);
    if (length < 0)
        length = 0;
    text[length] = '\0';
    BIO_free(bio);
    return text;
}

static const char *write_day(const ASN1_TIME *time, char text[FACT_NAME_BYTES])
{
    struct tm parts;
    if (!ASN1_TIME_to_tm(time, &parts) || !strftime(text, FACT_NAME_BYTES, "%Y-%m-%d", &parts))
        snprintf(text, FACT_NAME_BYTES, "no date");
    return text;
}

static const char *write_address(const ASN1_OCTET_STRING *bytes, char text[FACT_NAME_BYTES])
{
    int length = ASN1_STRING_length(bytes);
    int family = AF_INET6;
    if (length == 4)
        family = AF_INET;
    if ((length != 4 && length != 16) ||
        !inet_ntop(family, ASN1_STRING_get0_data(bytes), text, FACT_NAME_BYTES))
        snprintf(text, FACT_NAME_BYTES, "(no address)");
    return text;
}

static void print_names(const X509 *certificate)
{
    char text[FACT_NAME_BYTES];
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < NAMES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            print_fact("     for %.*s", ASN1_STRING_length(name->d.dNSName),
                       (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            print_fact("     for %s", write_address(name->d.iPAddress, text));
    }
    GENERAL_NAMES_free(names);
}

static void print_key(const X509 *certificate)
{
    uint8_t hash[PIN_BYTES];
    char hex[2 * PIN_BYTES + 1] = "";
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!key || !connect_fingerprint(certificate, hash))
        return;
    for (int i = 0; i < PIN_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    print_fact("     key %s, %d bits", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
    print_fact("     --pin %s", hex);
}

void print_certificates(const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    char subject[FACT_NAME_BYTES], issuer[FACT_NAME_BYTES];
    char from[FACT_NAME_BYTES], to[FACT_NAME_BYTES];
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *certificate = sk_X509_value(chain, i);
        print_fact("  %d. %s, by %s, %s to %s", i + 1,
                   write_name(X509_get_subject_name(certificate), subject),
                   write_name(X509_get_issuer_name(certificate), issuer),
                   write_day(X509_get0_notBefore(certificate), from),
                   write_day(X509_get0_notAfter(certificate), to));
        if (i == 0) {
            print_names(certificate);
            print_key(certificate);
        }
    }
}

const char *trusted_name(const SSL *ssl, char text[FACT_NAME_BYTES])
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    int last = sk_X509_num(chain) - 1;
    *text = '\0';
    if (last >= 0)
        write_name(X509_get_subject_name(sk_X509_value(chain, last)), text);
    return text;
}
