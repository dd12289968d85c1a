// stranger.c: see stranger.h.
#include "stranger.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"

#define WAIT_S  20
#define REQUEST "GET / HTTP/1.1\r\nHost: stock\r\nConnection: close\r\n\r\n"

static int last_alert;

static void note_alert(const SSL *ssl, int where, int value)
{
    (void)ssl;
    if (where & SSL_CB_READ && where & SSL_CB_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
        last_alert = value & 0xff;
}

static SSL_CTX *make_context(const char *ca_folder, const char *folder, const char *name)
{
    char path[300];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    snprintf(path, sizeof path, "%s/ca.pem", ca_folder);
    if (!ctx || SSL_CTX_load_verify_file(ctx, path) != 1)
        die("cannot use %s", path);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_info_callback(ctx, note_alert);
    if (!name)
        return ctx;
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
        die("cannot use %s", path);
    snprintf(path, sizeof path, "%s/%s-key.pem", folder, name);
    if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
        die("cannot use %s", path);
    return ctx;
}

static void note_serial(SSL *ssl, struct stranger *stranger)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIGNUM *number = NULL;
    if (certificate)
        number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = NULL;
    if (number)
        hex = BN_bn2hex(number);
    if (hex)
        snprintf(stranger->serial, sizeof stranger->serial, "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
}

struct stranger stranger_say(const char *address, int port, const char *ca_folder,
                             const char *folder, const char *name, const char *request)
{
    struct stranger stranger = {.alert = -1};
    struct timeval wait = {WAIT_S, 0};
    char answer[2000] = "";
    size_t length;
    SSL_CTX *ctx = make_context(ca_folder, folder, name);
    SSL *ssl = SSL_new(ctx);
    int fd = net_connect(address, port);
    last_alert = -1;
    if (fd < 0 || !ssl)
        die("cannot connect to %s:%d", address, port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    SSL_set_fd(ssl, fd);
    // The server's verdict about our certificate comes with the first read (RFC 8446 §4.4.2.4).
    if (SSL_connect(ssl) == 1) {
        note_serial(ssl, &stranger);
        if (SSL_write_ex(ssl, request, strlen(request), &length) &&
            SSL_read_ex(ssl, answer, sizeof answer - 1, &length))
            sscanf(answer, "HTTP/1.1 %d", &stranger.status);
    }
    stranger.alert = last_alert;
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return stranger;
}

struct stranger stranger_ask(const char *address, int port, const char *ca_folder,
                             const char *folder, const char *name)
{
    return stranger_say(address, port, ca_folder, folder, name, REQUEST);
}
