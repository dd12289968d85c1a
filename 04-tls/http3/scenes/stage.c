// stage.c: see stage.h.
#include "stage.h"

#include <stdarg.h>
#include <stdio.h>

#include "ask.h"
#include "net.h"

const char *stage_host = "127.0.0.1";
int stage_port = 8304;

SSL_CTX *stage_context(void)
{
    struct certificate_files ca = ask_files(CERTIFICATE_CA);
    return quic_client_context(ca.chain, NULL);
}

void stage_connect(struct h3_client *client, SSL_CTX *ctx, const char *host, int port)
{
    h3_open(client, ctx, host, port, WORKBENCH);
    if (!h3_handshake(client, now_ns() + STAGE_PATIENCE_NS))
        die("no connection to %s, UDP port %d: %s", host, port, client->connection.why);
}

void stage_ask(struct h3_client *client, struct answer *answer, const char *format, ...)
{
    char path[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    if (!h3_ask(client, answer, "GET", path))
        die("the server allows no further request: GET %s", path);
}

bool stage_await(struct h3_client *client)
{
    while (client->pending && h3_step(client, now_ns() + STAGE_PATIENCE_NS))
        ;
    return client->pending == 0;
}
