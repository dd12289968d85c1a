// identity.c: see identity.h. Read verify() first, then set_up(): it is the policy of the mesh.
#include "sidecar.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "context.h"
#include "log.h"
#include "mesh_ca.h"

#define ALPN "\x8" PROTOCOL_HTTP

struct tls_server identity_inbound, identity_outbound;
unsigned identity_generation;

static long ends;

// ---- whose certificate is it? --------------------------------------------------------------

// The path has parts of letters, digits, '-', '.' and '_'; none is empty, "." or "..".
static bool is_path(const char *path)
{
    if (*path != '/')
        return false;
    while (*path) {
        size_t part = strspn(path + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-._");
        const char *end = path + 1 + part;
        bool dots = part <= 2 && strspn(path + 1, ".") >= part;
        if (part == 0 || dots || (*end && *end != '/'))
            return false;
        path = end;
    }
    return true;
}

// One URI exactly: with two of them, each reader could believe another one.
bool identity_of(X509 *certificate, const char *trust_domain, char name[LINK_PEER],
                 const char **why)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const ASN1_IA5STRING *uri = NULL;
    int uris = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type == GEN_URI) {
            uri = one->d.uniformResourceIdentifier;
            uris++;
        }
    }
    char prefix[LINK_PEER];
    snprintf(prefix, sizeof prefix, "spiffe://%.100s", trust_domain);
    size_t length = strlen(prefix);
    name[0] = '\0';
    *why = "it has no URI, or more than one";
    if (uris == 1) {
        size_t size = (size_t)ASN1_STRING_length(uri);
        *why = "its URI is no identity of this mesh";
        if (size > length && size < LINK_PEER &&
            !memcmp(ASN1_STRING_get0_data(uri), prefix, length)) {
            memcpy(name, ASN1_STRING_get0_data(uri), size);
            name[size] = '\0';
            if (strlen(name) == size && is_path(name + length))
                *why = NULL;
        }
    }
    if (*why)
        name[0] = '\0';
    GENERAL_NAMES_free(names);
    return !*why;
}

// OpenSSL calls this for each certificate of the other end's chain, the CA's first. `good`: the
// signatures, the dates and the uses are right. The last one, at depth 0, is the other end's
// own.
static int verify(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct link *l = SSL_get_app_data(ssl);
    const char *why;
    if (!good || X509_STORE_CTX_get_error_depth(store) > 0)
        return good;
    if (!identity_of(X509_STORE_CTX_get_current_cert(store), settings.identity.domain, l->peer,
                     &why)) {
        log_line("a certificate is refused: %s", why);
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    if (l->expected && strcmp(l->peer, l->expected)) {
        log_line("%s answers where %s should be", l->peer, l->expected);
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    return 1;
}

// ---- the policy ----------------------------------------------------------------------------

// A client that offers protocols has to offer HTTP/1.1 (RFC 7301); one that offers none speaks
// it anyway.
static int select_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *length,
                           const unsigned char *offered, unsigned offered_length, void *unused)
{
    (void)ssl, (void)unused;
    int result =
        SSL_select_next_proto((unsigned char **)chosen, length, (const unsigned char *)ALPN,
                              sizeof ALPN - 1, offered, offered_length);
    if (result == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static const char *reason(void)
{
    const char *words = context_reason(ERR_peek_error());
    if (!words)
        words = strerror(errno);
    return words;
}

// Makes what both ends of TLS have in common. NULL: a file is missing or wrong, and the log
// says which.
//
// * TLS 1.3 only: both ends belong to the mesh.
// * No sessions and no tickets: each connection shows the certificate of this moment. Kept
//   connections make handshakes rare anyway.
static SSL_CTX *set_up(void)
{
    const char *wrong = NULL, *folder = settings.identity.folder,
               *name = settings.identity.name;
    char ca[400], chain[400], key[400];
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    snprintf(chain, sizeof chain, "%s/%s.pem", folder, name);
    snprintf(key, sizeof key, "%s/%s-key.pem", folder, name);
    ERR_clear_error();
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION))
        wrong = "OpenSSL";
    else if (SSL_CTX_load_verify_file(ctx, ca) != 1)
        wrong = ca;
    else if (SSL_CTX_use_certificate_chain_file(ctx, chain) != 1)
        wrong = chain;
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(ctx) != 1)
        wrong = key;
    if (wrong) {
        log_line("certificates: cannot use %s: %s", wrong, reason());
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)ALPN, sizeof ALPN - 1);
    return ctx;
}

bool identity_load(void)
{
    const struct identity *identity = &settings.identity;
    char name[LINK_PEER];
    const char *why = "it has ended";
    struct tm end;
    if (!mesh_ca_has(identity->folder, identity->name))
        mesh_ca_issue_service(identity->folder, identity->domain, identity->name);
    SSL_CTX *ctx = set_up();
    if (!ctx)
        return false;
    X509 *own = SSL_CTX_get0_certificate(ctx);
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0 ||
        !identity_of(own, identity->domain, name, &why)) {
        log_line("certificates: cannot use that of %s: %s", identity->name, why);
        SSL_CTX_free(ctx);
        return false;
    }
    if (ASN1_TIME_to_tm(X509_get0_notAfter(own), &end))
        ends = (long)timegm(&end);
    SSL_CTX_free(identity_inbound.ctx); // connections that use it keep it
    identity_inbound.ctx = identity_outbound.ctx = ctx;
    identity_generation++;
    log_line("certificates: this is %s", name);
    return true;
}

// The client names the service that it wants (SNI), for gateways that choose by it. Nothing is
// decided by this name.
static void name_service(struct tls_filter *s)
{
    const struct link *l = (const struct link *)s;
    if (l->expected)
        SSL_set_tlsext_host_name(s->ssl, strrchr(l->expected, '/') + 1);
}

void identity_begin(void)
{
    identity_inbound.handshake_ms = settings.head_ms;
    identity_outbound.handshake_ms = settings.connect_ms;
    identity_outbound.connects = true;
    identity_outbound.begun = name_service;
    link_use_tls(&identity_inbound);
    link_use_tls(&identity_outbound);
    if (!identity_load())
        die("no certificate for %s in %s", settings.identity.name, settings.identity.folder);
}

void identity_end(void)
{
    tls_server_end(&identity_inbound);
    tls_server_end(&identity_outbound);
    SSL_CTX_free(identity_inbound.ctx);
}

long identity_ends(void)
{
    return ends;
}
