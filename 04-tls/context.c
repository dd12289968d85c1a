// context.c: see context.h. Read set_up() first: it is the server's policy, step by step.
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <strings.h>
#include <unistd.h>

#include "certificates.h"
#include "net.h"
#include "openssl_die.h"

// A site: the certificates that a client gets when it asks for the site's name. A client that
// asks for none of these names gets the first site. The certificates of the first two sites are
// good. Each other one is wrong in one way: scene trust needs them.
static const struct site {
    enum certificate ecdsa, rsa; // equal: the site has only this one
} sites[] = {{CERTIFICATE_SERVER_ECDSA, CERTIFICATE_SERVER_RSA},
             {CERTIFICATE_OTHER_ECDSA, CERTIFICATE_OTHER_RSA},
             {CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRED},
             {CERTIFICATE_WRONG_NAME, CERTIFICATE_WRONG_NAME},
             {CERTIFICATE_COMMON_NAME, CERTIFICATE_COMMON_NAME},
             {CERTIFICATE_SELF_SIGNED, CERTIFICATE_SELF_SIGNED},
             {CERTIFICATE_UNKNOWN_CA, CERTIFICATE_UNKNOWN_CA}};

#define SITES (sizeof sites / sizeof *sites)

struct context {
    SSL_CTX *by_site[SITES]; // NULL: not offered
    int keylog;              // descriptor; -1: none
    bool echo;
};

// ---- what OpenSSL asks during a handshake --------------------------------------------------

// The client offers protocols; the server chooses by its own order. If they have no protocol in
// common, there is no connection (RFC 7301 §3.2): each side would speak something else.
static int select_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *length,
                           const unsigned char *offered, unsigned offered_length,
                           void *argument)
{
    static const char ours[] = "\x8" PROTOCOL_HTTP "\x8" PROTOCOL_OLD "\x6" PROTOCOL_ECHO;
    const struct context *context = argument;
    unsigned ours_length = sizeof ours - 1;
    if (!context->echo)
        ours_length -= 1 + strlen(PROTOCOL_ECHO);
    (void)ssl;
    int result =
        SSL_select_next_proto((unsigned char **)chosen, length, (const unsigned char *)ours,
                              ours_length, offered, offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

// Copies the name in a ClientHello. It stands in a list with one item, which has a type and a
// length (RFC 6066 §3). Returns the length of the name; 0: there is none.
static size_t wanted_name(SSL *ssl, char *name, size_t size)
{
    const unsigned char *bytes;
    size_t length;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) ||
        length < 5 || bytes[2] != TLSEXT_NAMETYPE_host_name)
        return 0;
    size_t name_length = (size_t)bytes[3] << 8 | bytes[4];
    if (name_length > length - 5 || name_length >= size)
        return 0;
    memcpy(name, bytes + 5, name_length);
    name[name_length] = '\0';
    return name_length;
}

// A session may be resumed only with the name with which it began (RFC 6066 §3). So a hash of
// the name becomes a part of the session's id.
static void bind_sessions(SSL *ssl, char *name, size_t length)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    for (size_t i = 0; i < length; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] | 0x20);
    if (EVP_Digest(name, length, hash, NULL, EVP_sha256(), NULL))
        SSL_set_session_id_context(ssl, hash, SSL_MAX_SID_CTX_LENGTH);
}

// Chooses the certificate for the name in the ClientHello. If the server does not have the
// name, it shows its first certificate: the client decides what to trust. OpenSSL calls this
// before it looks for a session, so a session of one name is never resumed with another name.
static int select_site(SSL *ssl, int *alert, void *argument)
{
    const struct context *context = argument;
    char name[TLSEXT_MAXLEN_host_name + 1];
    size_t length = wanted_name(ssl, name, sizeof name);
    (void)alert;
    if (!length)
        return SSL_CLIENT_HELLO_SUCCESS;
    for (size_t i = 1; i < SITES; i++)
        if (context->by_site[i] && !strcasecmp(name, certificate_host(sites[i].ecdsa)))
            SSL_set_SSL_CTX(ssl, context->by_site[i]);
    bind_sessions(ssl, name, length);
    return SSL_CLIENT_HELLO_SUCCESS;
}

// Tells the client that the server has used its name.
static int acknowledge_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert, (void)unused;
    if (!SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

// The file gets one line for each secret: "CLIENT_TRAFFIC_SECRET_0 <client random> <secret>",
// the format that Wireshark reads (NSS key log). Each line is one write(), so programs can
// share a file.
int context_open_keylog(const char *path)
{
    struct stat file;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    // An old file may be readable for all users: that is changed. /dev/null stays as it is.
    if (fd >= 0 && (fstat(fd, &file) || (S_ISREG(file.st_mode) && fchmod(fd, 0600)))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void log_secret(const SSL *ssl, const char *secret)
{
    const struct context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    char line[1024];
    int length = snprintf(line, sizeof line, "%s\n", secret);
    if (length < (int)sizeof line && write(context->keylog, line, (size_t)length) != length)
        fprintf(stderr, "cannot write the key log: %s\n", strerror(errno));
    OPENSSL_cleanse(line, sizeof line);
}

// ---- the policy ----------------------------------------------------------------------------

static bool set_ciphers(SSL_CTX *ctx, const char *ciphers)
{
    if (!strncmp(ciphers, "TLS_", 4)) // a cipher of 1.3
        return SSL_CTX_set_ciphersuites(ctx, ciphers) == 1;
    return SSL_CTX_set_cipher_list(ctx, ciphers) == 1;
}

bool context_knows_ciphers(const char *ciphers)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool known = ctx && set_ciphers(ctx, ciphers);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return known;
}

bool context_knows_groups(const char *groups)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool known = ctx && SSL_CTX_set1_groups_list(ctx, groups) == 1;
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return known;
}

// Newer groups, as X25519MLKEM768, have only a name, but no number (NID) in OpenSSL.
const char *context_group_name(SSL *ssl)
{
    int id = (int)SSL_get_negotiated_group(ssl);
    if (!id)
        return "no ephemeral key";
    if (id == NID_X25519)
        return "X25519";
    const char *name = EC_curve_nid2nist(id);
    if (!name)
        name = SSL_group_to_name(ssl, id);
    if (!name)
        name = "a group without a name";
    return name;
}

static void set_versions_and_ciphers(SSL_CTX *ctx, const struct context_settings *settings)
{
    const char *groups = GROUPS;
    if (settings->groups)
        groups = settings->groups;
    if (!SSL_CTX_set_min_proto_version(ctx, settings->version_min) ||
        !SSL_CTX_set_max_proto_version(ctx, settings->version_max) ||
        !SSL_CTX_set1_groups_list(ctx, groups) || !set_ciphers(ctx, CIPHERS_OF_1_2) ||
        (settings->ciphers && !set_ciphers(ctx, settings->ciphers)))
        openssl_die("set", "versions, groups and ciphers");
    // Both were used for attacks: a second handshake on the same connection (renegotiation),
    // and compression, because the length of compressed data tells something of its content
    // (CRIME).
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // A silent connection frees its buffers of 16 KB.
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
}

// A session can be resumed in two ways. With a ticket the client keeps the session's secrets,
// encrypted with a key that only this server has (RFC 8446 §4.6.1). Without tickets the server
// keeps the session in a cache. Early data needs the cache: a session is taken out of the cache
// when it is used, so it cannot be used twice, and this prevents replays (RFC 8446 §8.1).
static void set_sessions(SSL_CTX *ctx, const struct context_settings *settings,
                         unsigned char site)
{
    // The id of the site is one byte. Only sessions of this site are resumed.
    if (!SSL_CTX_set_session_id_context(ctx, &site, 1) ||
        !SSL_CTX_set_num_tickets(ctx, TICKETS))
        openssl_die("set", "sessions");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, SESSIONS_MAX);
    SSL_CTX_set_timeout(ctx, SESSION_S);
    if (!settings->tickets)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (!settings->anti_replay)
        SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    if (settings->early_data && (!SSL_CTX_set_max_early_data(ctx, EARLY_DATA_MAX) ||
                                 !SSL_CTX_set_recv_max_early_data(ctx, EARLY_DATA_MAX)))
        openssl_die("set", "early data");
}

static void add_certificate(SSL_CTX *ctx, const char *chain, const char *key)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, chain) != 1)
        openssl_die("use the certificate", chain);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        openssl_die("use the key", key);
}

void context_add_own(SSL_CTX *ctx, const char *folder, enum certificate which)
{
    struct certificate_files files = certificate_files(folder, which);
    add_certificate(ctx, files.chain, files.key);
}

static void require_client(SSL_CTX *ctx, const char *folder)
{
    struct certificate_files ca = certificate_files(folder, CERTIFICATE_CA);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca.chain);
    if (!names || SSL_CTX_load_verify_file(ctx, ca.chain) != 1)
        openssl_die("use the CA of clients", ca.chain);
    SSL_CTX_set_client_CA_list(ctx, names); // tells the client which CAs the server trusts
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static SSL_CTX *set_up(struct context *context, const struct context_settings *settings,
                       size_t site)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        openssl_die("begin with", "OpenSSL");
    set_versions_and_ciphers(ctx, settings);
    set_sessions(ctx, settings, (unsigned char)site);
    if (settings->require_client_cert)
        require_client(ctx, settings->folder);
    SSL_CTX_set_tlsext_servername_callback(ctx, acknowledge_name);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, context);
    SSL_CTX_set_app_data(ctx, context);
    if (context->keylog >= 0)
        SSL_CTX_set_keylog_callback(ctx, log_secret);
    return ctx;
}

struct context *context_new(const struct context_settings *settings)
{
    struct context *context = calloc(1, sizeof *context);
    if (!context)
        die("no memory");
    context->keylog = -1;
    context->echo = settings->echo;
    if (settings->keylog) {
        context->keylog = context_open_keylog(settings->keylog);
        if (context->keylog < 0)
            openssl_die("open the key log", settings->keylog);
    }
    certificates_make(settings->folder);
    size_t offered = SITES;
    if (settings->chain)
        offered = 1;
    for (size_t i = 0; i < offered; i++) {
        SSL_CTX *ctx = context->by_site[i] = set_up(context, settings, i);
        if (settings->chain) {
            add_certificate(ctx, settings->chain, settings->key);
            continue;
        }
        if (settings->rsa && sites[i].rsa != sites[i].ecdsa)
            context_add_own(ctx, settings->folder, sites[i].rsa);
        if (settings->ecdsa || sites[i].rsa == sites[i].ecdsa)
            context_add_own(ctx, settings->folder, sites[i].ecdsa);
    }
    SSL_CTX_set_client_hello_cb(context->by_site[0], select_site, context);
    return context;
}

void context_free(struct context *context)
{
    for (size_t i = 0; i < SITES; i++)
        SSL_CTX_free(context->by_site[i]);
    if (context->keylog >= 0)
        close(context->keylog);
    free(context);
}

SSL_CTX *context_first(const struct context *context)
{
    return context->by_site[0];
}

const char *context_reason(unsigned long error)
{
    const char *reason = ERR_reason_error_string(error);
    int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
    bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && alert >= 0 && alert <= 255;
    if (!reason && is_alert)
        reason = SSL_alert_desc_string_long(alert);
    return reason;
}
