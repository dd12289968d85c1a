// interleaved.c: a program for scenes: six downloads over one connection of TLS over TCP, piece
// by piece in turn. So HTTP/2 and all that runs on TCP sends what it has to send at once.
//
//     in each record: one byte, the number of the download, and then bytes of it
//
// Run:    ./interleaved --port 8306      (started by run.sh, for the scene independent)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "context.h"
#include "interleaved.h"
#include "log.h"
#include "net.h"
#include "options.h"

#define BACKLOG 16

static SSL_CTX *make_context(const char *folder)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        die("cannot begin with OpenSSL");
    certificates_make(folder);
    context_add_own(ctx, folder, CERTIFICATE_SERVER_ECDSA);
    return ctx;
}

// The client's first message: how many bytes each download has, and which congestion control.
static bool read_wish(SSL *ssl, struct interleaved_wish *wish)
{
    size_t length;
    return SSL_read_ex(ssl, wish, sizeof *wish, &length) && length == sizeof *wish;
}

static void serve(SSL_CTX *ctx, int fd)
{
    static uint8_t piece[1 + INTERLEAVED_PIECE];
    struct interleaved_wish wish;
    size_t written;
    SSL *ssl = SSL_new(ctx);
    bool good = ssl && SSL_set_fd(ssl, fd) && SSL_accept(ssl) == 1 && read_wish(ssl, &wish);
    if (good)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, wish.control,
                   (socklen_t)strlen(wish.control));
    for (uint32_t sent = 0; good && sent < wish.bytes; sent += INTERLEAVED_PIECE)
        for (uint8_t i = 0; i < INTERLEAVED_DOWNLOADS && good; i++) {
            size_t length = INTERLEAVED_PIECE;
            if (length > wish.bytes - sent)
                length = wish.bytes - sent;
            piece[0] = i;
            good = SSL_write_ex(ssl, piece, 1 + length, &written);
        }
    if (good)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *keys;
    static int port = 8306;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: any free one"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {0}};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    options_parse(argc, argv,
                  &(struct command){"", "Six downloads over one connection of TLS.", options});
    log_begin(true);
    SSL_CTX *ctx = make_context(keys);
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, BACKLOG);
    struct pollfd fds[2] = {{.fd = listener, .events = POLLIN},
                            {.fd = stop_fd, .events = POLLIN}};
    net_ready(listener);
    while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            serve(ctx, fd);
    }
    SSL_CTX_free(ctx);
    return 0;
}
