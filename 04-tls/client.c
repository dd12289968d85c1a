// client.c: asks lesson 04's server for its first page, and checks whom it is talking to.
//
// Run:    ./server             then, in another terminal: ./client
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "certificates.h"
#include "net.h"
#include "options.h"

#define NAME "workbench.test"

static _Noreturn void fail(const char *doing)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    die("cannot %s: %s", doing, reason ? reason : "the connection is gone");
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8004;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "its port"},
        {0}};
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: " NAME "\r\nConnection: close\r\n\r\n";
    char bytes[4096];
    size_t length;
    options_parse(argc, argv, &(struct command){"", "Lesson 04: one HTTPS request.", options});
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct certificate_files ca = certificate_files(CERTIFICATE_FOLDER, CERTIFICATE_CA);
    if (!ctx || SSL_CTX_load_verify_file(ctx, ca.chain) != 1)
        fail("read " CERTIFICATE_FOLDER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL *ssl = SSL_new(ctx);
    int fd = net_connect_or_die(host, port);
    if (!ssl || !SSL_set_fd(ssl, fd) || !SSL_set_tlsext_host_name(ssl, NAME) ||
        !SSL_set1_host(ssl, NAME) || SSL_connect(ssl) != 1)
        fail("connect");
    if (!SSL_write_ex(ssl, request, sizeof request - 1, &length))
        fail("send");
    while (SSL_read_ex(ssl, bytes, sizeof bytes, &length))
        fwrite(bytes, 1, length, stdout);
    if (SSL_get_error(ssl, 0) != SSL_ERROR_ZERO_RETURN)
        fail("read to the end");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
