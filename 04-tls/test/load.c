// load.c: clients for bench.sh, and what the bare cryptography of a handshake costs.
//
//     build/load --port 8004 --count 1000 full        handshakes of TLS 1.3 (P-256, X25519)
//     build/load --port 8004 --count 1000 resumed     the same, each resuming a session
//     build/load --port 8004 --count 10 get PATH      the same content over and over
//     build/load --count 2000 bare                    microseconds for a signature, a key, a
//                                                     secret; and for OpenSSL's whole handshake
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "certificates.h"
#include "net.h"
#include "options.h"

#define NAME         "workbench.test"
#define CLIENTS      4   // processes at once
#define SIGNED_BYTES 130 // what a server signs in TLS 1.3, with SHA-384 (RFC 8446 §4.4.3)
#define READ_BYTES   (256 << 10)

static const char *host = "127.0.0.1";
static int port = 8004, count = 1000;

static void must(bool good, const char *doing)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (!good)
        die("cannot %s: %s", doing, reason ? reason : "connection lost");
}

static SSL_CTX *new_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    must(ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
             SSL_CTX_set1_groups_list(ctx, "X25519") &&
             SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384"),
         "begin");
    return ctx;
}

// ---- clients -------------------------------------------------------------------------------

static SSL *connect_tls(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL *ssl = SSL_new(ctx);
    int fd = net_connect_or_die(host, port), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    must(ssl && SSL_set_fd(ssl, fd) && SSL_set_tlsext_host_name(ssl, NAME) &&
             (!session || SSL_set_session(ssl, session)),
         "begin");
    must(SSL_connect(ssl) == 1, "shake hands");
    must(!session || SSL_session_reused(ssl), "resume the session");
    return ssl;
}

// Says goodbye and waits for the server to do so: what it still sends must not meet a reset.
static void disconnect(SSL *ssl)
{
    char bytes[4096];
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    shutdown(fd, SHUT_WR);
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
    SSL_free(ssl);
}

static SSL *ask(SSL_CTX *ctx, const char *path)
{
    char request[300];
    size_t sent;
    int length =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: " NAME "\r\nConnection: close\r\n\r\n", path);
    SSL *ssl = connect_tls(ctx, NULL);
    must(SSL_write_ex(ssl, request, (size_t)length, &sent), "ask");
    return ssl;
}

// Reads to the end. Returns how many bytes there were.
static size_t read_all(SSL *ssl)
{
    static char bytes[READ_BYTES];
    size_t got, length = 0;
    while (SSL_read_ex(ssl, bytes, sizeof bytes, &got))
        length += got;
    return length;
}

static SSL_SESSION *get_session(SSL_CTX *ctx)
{
    SSL *ssl = ask(ctx, "/");
    read_all(ssl); // the tickets come with it
    SSL_SESSION *session = SSL_get1_session(ssl);
    must(SSL_SESSION_is_resumable(session), "get a session");
    disconnect(ssl);
    return session;
}

static void get(SSL_CTX *ctx, const char *path)
{
    for (int i = 0; i < count; i++) {
        SSL *ssl = ask(ctx, path);
        must(read_all(ssl) > 0, "read");
        disconnect(ssl);
    }
}

static void shake_hands(SSL_CTX *ctx, bool resumed)
{
    SSL_SESSION *session = resumed ? get_session(ctx) : NULL;
    for (int client = 0; client < CLIENTS; client++) {
        if (fork() == 0) {
            for (int i = client; i < count; i += CLIENTS)
                disconnect(connect_tls(ctx, session));
            exit(0);
        }
    }
    for (int client = 0, status; client < CLIENTS; client++)
        if (wait(&status) < 0 || status)
            exit(1);
    SSL_SESSION_free(session);
}

// ---- the bare operations -------------------------------------------------------------------

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void sign(EVP_PKEY *ecdsa, EVP_PKEY *unused)
{
    unsigned char bytes[SIGNED_BYTES] = {0}, signature[100];
    size_t length = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    (void)unused;
    must(context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ecdsa) == 1 &&
             EVP_DigestSign(context, signature, &length, bytes, sizeof bytes) == 1,
         "sign");
    EVP_MD_CTX_free(context);
}

static void make_key(EVP_PKEY *unused, EVP_PKEY *also_unused)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    (void)unused, (void)also_unused;
    must(key, "make a key");
    EVP_PKEY_free(key);
}

static void derive(EVP_PKEY *unused, EVP_PKEY *x25519)
{
    unsigned char secret[32];
    size_t length = sizeof secret;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(x25519, NULL);
    (void)unused;
    must(context && EVP_PKEY_derive_init(context) == 1 &&
             EVP_PKEY_derive_set_peer(context, x25519) == 1 &&
             EVP_PKEY_derive(context, secret, &length) == 1,
         "derive");
    EVP_PKEY_CTX_free(context);
}

static void bare(void)
{
    static void (*const operations[])(EVP_PKEY *, EVP_PKEY *) = {sign, make_key, derive};
    EVP_PKEY *ecdsa = EVP_EC_gen("P-256"), *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    for (int kind = 0; kind < 3; kind++) {
        operations[kind](ecdsa, x25519); // what has to be set up is set up by the first one
        double before = cpu_us();
        for (int i = 0; i < count; i++)
            operations[kind](ecdsa, x25519);
        printf("%.2f ", (cpu_us() - before) / count);
    }
    EVP_PKEY_free(ecdsa);
    EVP_PKEY_free(x25519);
}

// The server's side of a handshake with nothing around it: no kernel, no loop. What is left is
// OpenSSL's own: keys for each direction and stage, transcript, records, tickets.
static void library(void)
{
    struct certificate_files files =
        certificate_files(CERTIFICATE_FOLDER, CERTIFICATE_SERVER_ECDSA);
    SSL_CTX *client_ctx = new_client(), *server_ctx = SSL_CTX_new(TLS_server_method());
    double spent_us = 0;
    must(server_ctx && SSL_CTX_use_certificate_chain_file(server_ctx, files.chain) == 1 &&
             SSL_CTX_use_PrivateKey_file(server_ctx, files.key, SSL_FILETYPE_PEM) == 1,
         "use the certificate");
    for (int i = 0; i < count; i++) {
        BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
        SSL *client = SSL_new(client_ctx);
        BIO_up_ref(to_server), BIO_up_ref(to_client);
        SSL_set_bio(client, to_client, to_server);
        SSL_connect(client);
        double before = cpu_us();
        SSL *server = SSL_new(server_ctx);
        SSL_set_bio(server, to_server, to_client);
        SSL_accept(server);
        spent_us += cpu_us() - before;
        must(SSL_connect(client) == 1, "shake hands");
        before = cpu_us();
        must(SSL_accept(server) == 1, "shake hands");
        SSL_free(server);
        spent_us += cpu_us() - before;
        SSL_free(client);
    }
    printf("%.2f\n", spent_us / count);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {"count", OPTION_INT, &count, 1, 10000000, "how often"},
        {0}};
    int at = options_parse(argc, argv,
                           &(struct command){"full | resumed | get PATH | bare",
                                             "Clients for bench.sh.", options});
    const char *what = at < argc ? argv[at] : "full";
    SSL_CTX *ctx = new_client();
    if (!strcmp(what, "bare"))
        bare(), library();
    else if (!strcmp(what, "get") && at + 1 < argc)
        get(ctx, argv[at + 1]);
    else
        shake_hands(ctx, !strcmp(what, "resumed"));
    SSL_CTX_free(ctx);
    return 0;
}
