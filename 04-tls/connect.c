// connect.c: see connect.h. Read check_server() first: without it the connection is encrypted,
// but any server may be at its other end.
#include "connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"
#include "net.h"
#include "openssl_die.h"

#define ALPN_BYTES   256
#define NAME_BYTES   256                  // the longest name of a server, with its '\0'
#define HANDSHAKE_NS INT64_C(30000000000) // a whole handshake may take so long

static const char *server_host;
static int server_port, keylog = -1;

void connect_to(const char *host, int port)
{
    // No resolver finds "localhost." in its files, but it is this machine (RFC 6761 §6.3).
    server_host = host;
    if (!strcmp(host, "localhost."))
        server_host = "localhost";
    server_port = port;
}

void connect_keylog(const char *path)
{
    keylog = context_open_keylog(path);
    if (keylog < 0)
        die("cannot open the key log %s: %s", path, strerror(errno));
}

// ---- is it the right server? ---------------------------------------------------------------

// A name may end in a dot, as in DNS; in SNI and in certificates it has none (RFC 6066 §3).
static const char *copy_name(char copy[NAME_BYTES], const char *name)
{
    size_t length = strlen(name);
    if (length >= NAME_BYTES)
        die("a name of more than %d bytes: %s", NAME_BYTES - 1, name);
    memcpy(copy, name, length + 1);
    if (length > 1 && copy[length - 1] == '.')
        copy[length - 1] = '\0';
    return copy;
}

static bool is_address(const char *name)
{
    uint8_t address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

// Tells OpenSSL what to check in the server's certificate: a chain of signatures that ends in a
// CA which the client trusts; dates that are not over; and the name that the client has asked
// for, as a subjectAltName. The common name is not looked at (RFC 9525 §2).
static void check_server(struct connection *c, const struct connect_settings *settings)
{
    X509_VERIFY_PARAM *rules = SSL_get0_param(c->ssl);
    char copy[NAME_BYTES];
    const char *name = NULL;
    if (settings->name)
        name = copy_name(copy, settings->name);
    if (name && !is_address(name) && !SSL_set_tlsext_host_name(c->ssl, name))
        openssl_die("ask for", name);
    if (settings->insecure)
        return;
    if (settings->ca && SSL_CTX_load_verify_file(c->ctx, settings->ca) != 1)
        die("cannot read the CA %s (./server makes the lesson's own)", settings->ca);
    SSL_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_hostflags(c->ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (name && is_address(name) && !X509_VERIFY_PARAM_set1_ip_asc(rules, name))
        openssl_die("check for", name);
    if (name && !is_address(name) && !SSL_set1_host(c->ssl, name))
        openssl_die("check for", name);
}

bool connect_fingerprint(const X509 *certificate, uint8_t hash[PIN_BYTES])
{
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool good = length > 0 && EVP_Digest(der, (size_t)length, hash, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return good;
}

bool connect_read_pin(const char *hex, uint8_t pin[PIN_BYTES])
{
    size_t length = 0;
    return strlen(hex) == 2 * PIN_BYTES && !strchr(hex, ':') &&
           OPENSSL_hexstr2buf_ex(pin, PIN_BYTES, &length, hex, '\0') && length == PIN_BYTES;
}

// True if the server has the pinned key. Then no other key is accepted, also if a CA has signed
// it.
static bool is_pinned(const struct connection *c, const char *pin)
{
    uint8_t wanted[PIN_BYTES], seen[PIN_BYTES];
    X509 *certificate = SSL_get0_peer_certificate(c->ssl);
    return connect_read_pin(pin, wanted) && certificate &&
           connect_fingerprint(certificate, seen) && !memcmp(seen, wanted, PIN_BYTES);
}

// ---- what OpenSSL calls --------------------------------------------------------------------

// OpenSSL calls this when the server has given a session: a ticket, or its number in the
// server's cache. In TLS 1.3 it comes some time after the handshake.
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct connection *c = SSL_get_app_data(ssl);
    SSL_SESSION_free(c->session);
    c->session = session;
    return 1; // the session now belongs to this program
}

static void log_secret(const SSL *ssl, const char *secret)
{
    char line[1024];
    int length = snprintf(line, sizeof line, "%s\n", secret);
    (void)ssl;
    if (length < (int)sizeof line && write(keylog, line, (size_t)length) != length)
        fprintf(stderr, "client: cannot write the key log: %s\n", strerror(errno));
    OPENSSL_cleanse(line, sizeof line);
}

static bool break_off(struct connection *c, const char *why)
{
    snprintf(c->why, sizeof c->why, "%s", why);
    return c->up = false;
}

// Writes the reason of an error into c->why, in the words of the side that noticed it. Always
// returns false.
static bool explain(struct connection *c)
{
    long verified = SSL_get_verify_result(c->ssl);
    unsigned long error = ERR_peek_last_error();
    const char *reason = context_reason(error);
    c->truncated = c->recording.ended;
    if (c->recording.error == EAGAIN)
        return break_off(c, "the server has sent nothing for 10 seconds");
    if (c->recording.error)
        return break_off(c, strerror(c->recording.error));
    if (c->recording.ended && c->up)
        return break_off(c, "the connection was cut: the server has sent no close_notify");
    if (c->recording.ended)
        return break_off(c, "the server has closed the connection");
    if (verified != X509_V_OK && !c->up)
        return break_off(c, X509_verify_cert_error_string(verified));
    if (!reason)
        reason = "the connection is gone";
    return break_off(c, reason);
}

// ---- a connection --------------------------------------------------------------------------

int connect_tcp(void)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int one = 1, fd = net_connect_or_die(server_host, server_port);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience))
        die("cannot set a socket's timeouts: %s", strerror(errno));
    // Without this the request waits behind the client's Finished: scene nagle_flights.
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        die("cannot set TCP_NODELAY: %s", strerror(errno));
    return fd;
}

static void offer_protocols(struct connection *c, const char *alpn)
{
    unsigned char list[ALPN_BYTES]; // each with its length in front (RFC 7301 §3.1)
    size_t length = 0;
    for (const char *at = alpn; *at; at += *at == ',') {
        size_t part = strcspn(at, ",");
        if (part > 255 || length + 1 + part > sizeof list)
            die("too many protocols: %s", alpn);
        list[length] = (unsigned char)part;
        memcpy(list + length + 1, at, part);
        length += 1 + part;
        at += part;
    }
    if (SSL_set_alpn_protos(c->ssl, list, (unsigned)length))
        openssl_die("offer the protocols", alpn);
}

static SSL_CTX *make_context(const struct connect_settings *settings)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *groups = GROUPS, *ciphers = CIPHERS_OF_1_2;
    int oldest = TLS1_2_VERSION, newest = TLS1_3_VERSION;
    if (settings->version)
        oldest = newest = settings->version;
    if (settings->groups)
        groups = settings->groups;
    if (settings->ciphers)
        ciphers = settings->ciphers;
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, oldest) ||
        !SSL_CTX_set_max_proto_version(ctx, newest) || !SSL_CTX_set1_groups_list(ctx, groups) ||
        !SSL_CTX_set_cipher_list(ctx, ciphers))
        openssl_die("begin with the ciphers", ciphers);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    if (keylog >= 0)
        SSL_CTX_set_keylog_callback(ctx, log_secret);
    if (settings->cert && SSL_CTX_use_certificate_chain_file(ctx, settings->cert) != 1)
        openssl_die("use the certificate", settings->cert);
    if (settings->cert &&
        SSL_CTX_use_PrivateKey_file(ctx, settings->key_file, SSL_FILETYPE_PEM) != 1)
        openssl_die("use the key", settings->key_file);
    return ctx;
}

// Does the handshake. Early data is sent with the first message.
static bool shake_hands(struct connection *c, const struct connect_settings *settings)
{
    size_t written;
    ERR_clear_error();
    if (settings->early && SSL_SESSION_get_max_early_data(settings->session) > 0 &&
        !SSL_write_early_data(c->ssl, settings->early, strlen(settings->early), &written))
        return explain(c);
    if (SSL_connect(c->ssl) != 1)
        return explain(c);
    c->established_ns = now_ns();
    c->recording.deadline_ns = 0;
    c->early_taken = SSL_get_early_data_status(c->ssl) == SSL_EARLY_DATA_ACCEPTED;
    if (settings->pin && !is_pinned(c, settings->pin))
        return break_off(c, "the server's key is not the pinned one");
    return c->up = true;
}

struct connection *connection_prepare(const struct connect_settings *settings)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        die("no memory");
    c->ctx = make_context(settings);
    c->ssl = SSL_new(c->ctx);
    BIO *bio = recording_bio(&c->recording);
    if (!c->ssl || !bio)
        openssl_die("begin", "a connection");
    SSL_set_app_data(c->ssl, c);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_read_ahead(c->ssl, 1); // one read() for all bytes, not one for a header first
    SSL_set_msg_callback(c->ssl, settings->message);
    check_server(c, settings);
    if (settings->alpn)
        offer_protocols(c, settings->alpn);
    if (settings->session && !SSL_set_session(c->ssl, settings->session))
        openssl_die("resume", "a session");
    c->recording.one_by_one = settings->one_by_one;
    c->recording.fd = -1;
    return c;
}

bool connection_start(struct connection *c, const struct connect_settings *settings)
{
    int off = 0;
    c->started_ns = now_ns();
    c->recording.fd = connect_tcp();
    if (settings->nagle &&
        setsockopt(c->recording.fd, IPPROTO_TCP, TCP_NODELAY, &off, sizeof off))
        die("cannot leave Nagle's algorithm on: %s", strerror(errno));
    c->connected_ns = now_ns();
    c->recording.deadline_ns = c->connected_ns + HANDSHAKE_NS;
    return shake_hands(c, settings);
}

struct connection *connection_open(const struct connect_settings *settings)
{
    struct connection *c = connection_prepare(settings);
    connection_start(c, settings);
    return c;
}

void connection_close(struct connection *c)
{
    ERR_clear_error();
    if (c->up)
        SSL_shutdown(c->ssl);
    if (c->recording.fd >= 0)
        close(c->recording.fd);
    SSL_SESSION_free(c->session);
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    free(c);
}

bool connection_send(struct connection *c, const void *bytes, size_t length)
{
    size_t written;
    ERR_clear_error();
    return c->up && (SSL_write_ex(c->ssl, bytes, length, &written) || explain(c));
}

int connection_read(struct connection *c, void *bytes, size_t size, size_t *length)
{
    *length = 0;
    if (!c->up)
        return -1;
    ERR_clear_error();
    if (SSL_read_ex(c->ssl, bytes, size, length))
        return 1;
    if (SSL_get_error(c->ssl, 0) == SSL_ERROR_ZERO_RETURN)
        return 0;
    explain(c);
    return -1;
}
