// in_memory_tls.c: see in_memory_tls.h.
#include "in_memory_tls.h"

#include <openssl/err.h>

#include "measure.h"
#include "net.h"

#define PART_BYTES 16384

double duo_cpu_us(void)
{
    return (double)thread_cpu_ns() / 1e3;
}

void side_begin(struct side *side, SSL *ssl, bool is_server)
{
    *side = (struct side){.ssl = ssl, .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
    if (!ssl || !side->in || !side->out)
        die("no memory");
    BIO_set_mem_eof_return(side->in, -1); // empty: not the end, but "not now"
    SSL_set_bio(ssl, side->in, side->out);
    if (is_server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
}

bool side_shake(struct side *side)
{
    ERR_clear_error();
    double start_us = duo_cpu_us();
    int result = SSL_do_handshake(side->ssl);
    side->cpu_us += duo_cpu_us() - start_us;
    if (result != 1 && SSL_get_error(side->ssl, result) != SSL_ERROR_WANT_READ)
        die("a handshake has failed: %s", ERR_reason_error_string(ERR_peek_error()));
    return result == 1;
}

size_t side_take(struct side *side, void *bytes, size_t size)
{
    size_t length = 0;
    if (!BIO_pending(side->out) || !BIO_read_ex(side->out, bytes, size, &length))
        return 0;
    side->sent += length;
    return length;
}

void side_give(struct side *side, const void *bytes, size_t length)
{
    size_t written;
    if (!BIO_write_ex(side->in, bytes, length, &written) || written != length)
        die("no memory");
}

static void hand_over(struct side *from, struct side *to)
{
    char part[PART_BYTES];
    size_t length;
    while ((length = side_take(from, part, sizeof part)))
        side_give(to, part, length);
}

void duo_shake(struct side *client, struct side *server)
{
    char nothing[1];
    size_t length;
    bool client_done = false, server_done = false;
    while (!client_done || !server_done) {
        client_done = client_done || side_shake(client);
        hand_over(client, server);
        server_done = server_done || side_shake(server);
        hand_over(server, client);
    }
    SSL_read_ex(client->ssl, nothing, sizeof nothing, &length); // takes the tickets of 1.3
}
