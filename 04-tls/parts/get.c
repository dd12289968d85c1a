// get.c: see get.h.
#include "get.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "text.h"

#define NAME_BYTES 200
#define HTTPS_PORT 443

static void fact(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void fact(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    make_printable(line); // part of it is the server's
    fprintf(stderr, "* %s\n", line);
}

// A name as people write it: "CN=Workbench Root".
static const char *in_words(const X509_NAME *name, char text[NAME_BYTES])
{
    BIO *bio = BIO_new(BIO_s_mem());
    int length = -1;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) >= 0)
        length = BIO_read(bio, text, NAME_BYTES - 1);
    text[length > 0 ? length : 0] = '\0';
    BIO_free(bio);
    return text;
}

static const char *day(const ASN1_TIME *time, char text[NAME_BYTES])
{
    struct tm parts;
    if (!ASN1_TIME_to_tm(time, &parts) || !strftime(text, NAME_BYTES, "%Y-%m-%d", &parts))
        snprintf(text, NAME_BYTES, "no date");
    return text;
}

static const char *address(const ASN1_OCTET_STRING *bytes, char text[NAME_BYTES])
{
    int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
    bool good = family == AF_INET || ASN1_STRING_length(bytes) == 16;
    if (!good || !inet_ntop(family, ASN1_STRING_get0_data(bytes), text, NAME_BYTES))
        snprintf(text, NAME_BYTES, "what is no address");
    return text;
}

static void print_names(const X509 *certificate)
{
    char text[NAME_BYTES];
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < 10; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            fact("     for %.*s", ASN1_STRING_length(name->d.dNSName),
                 (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            fact("     for %s", address(name->d.iPAddress, text));
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
    fact("     key %s, %d bits; --pin %s", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key),
         hex);
}

static void print_chain(const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    char subject[NAME_BYTES], issuer[NAME_BYTES], from[NAME_BYTES], to[NAME_BYTES];
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *certificate = sk_X509_value(chain, i);
        fact("  %d. %s, by %s, %s to %s", i + 1,
             in_words(X509_get_subject_name(certificate), subject),
             in_words(X509_get_issuer_name(certificate), issuer),
             day(X509_get0_notBefore(certificate), from),
             day(X509_get0_notAfter(certificate), to));
        if (i == 0) {
            print_names(certificate);
            print_key(certificate);
        }
    }
}

static void print_facts(const struct connection *c, const struct connect_settings *settings)
{
    const unsigned char *protocol;
    unsigned length;
    int nid = (int)SSL_get_negotiated_group(c->ssl);
    const char *group = SSL_group_to_name(c->ssl, nid);
    SSL_get0_alpn_selected(c->ssl, &protocol, &length);
    fact("%s, %s, %s%s%.*s", SSL_get_version(c->ssl), SSL_get_cipher_name(c->ssl),
         nid && group ? group : "no ephemeral key", length ? ", ALPN " : "", (int)length,
         (const char *)protocol);
    fact("the server's certificates, in its order:");
    print_chain(c->ssl);
    if (settings->insecure && settings->pin)
        fact("NOT CHECKED but for its key, which is the pinned one (--insecure --pin)");
    else if (settings->insecure)
        fact("WARNING: NOT CHECKED (--insecure): this may be anybody");
    else
        fact("checked: it is %s, says %s", settings->name, settings->ca);
}

static void show(const char *bytes, size_t length)
{
    fwrite(bytes, 1, length, stdout);
}

// "example.org", and with a port that is not the usual one: "example.org:8004" (RFC 9110 §7.2).
static const char *authority(const char *name, int port, char text[NAME_BYTES])
{
    bool literal = strchr(name, ':'); // IPv6
    int length = snprintf(text, NAME_BYTES, literal ? "[%.150s]" : "%.150s", name);
    if (port != HTTPS_PORT)
        snprintf(text + length, NAME_BYTES - (size_t)length, ":%d", port);
    return text;
}

int get(const char *path, int port, const struct connect_settings *settings)
{
    char text[ASK_BYTES], host[NAME_BYTES];
    struct reply reply = {.show = show};
    struct connection *c = connection_open(settings);
    if (c->up) {
        print_facts(c, settings);
        ask_text(text, "GET", authority(settings->name, port, host), path, NULL);
        if (connection_send(c, text, strlen(text)))
            ask_read(c, &reply);
        fflush(stdout);
    }
    if (!reply.whole)
        fprintf(stderr, "client: %s: %s\n",
                reply.status ? "the answer is not whole" : "no answer", c->why);
    connection_close(c);
    return reply.whole ? 0 : 1;
}
