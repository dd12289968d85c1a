// stage.c: see stage.h.
#include "stage.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "over_tcp.h"

static const char *server_host;
static int server_port;

void stage_server(const char *host, int port)
{
    server_host = host;
    server_port = port;
}

void stage_check(void)
{
    close(net_connect_or_die(server_host, server_port)); // TCP: over UDP nobody says yes or no
}

const char *stage_host(void)
{
    return server_host;
}

int stage_port(void)
{
    return server_port;
}

void stage_open(struct endpoint *e, struct download *list, const char *const paths[], int count)
{
    endpoint_open(e, server_host, server_port, NULL, STAGE_WINDOW, &download_user);
    downloads_begin(&e->connection, list, paths, count);
}

uint64_t stage_run(struct endpoint *e, const struct download *list, int count, uint64_t bytes,
                   int ms)
{
    int64_t until = now_ns() + ms * INT64_C(1000000);
    while (!downloads_over(list, count) && downloads_bytes(list, count) < bytes &&
           now_ns() < until && endpoint_step(e, until))
        ;
    return downloads_bytes(list, count);
}

// ---- over TCP ------------------------------------------------------------------------------

void tcp_open(struct tcp_client *tcp, const char *host, int port, struct download *list,
              const char *const paths[], int count)
{
    char lines[4096];
    size_t length = 0;
    *tcp = (struct tcp_client){.list = list, .count = count};
    tcp->fd = net_connect_or_die(host, port);
    for (int i = 0; i < count; i++) {
        download_begin(&list[i], paths[i]);
        length += (size_t)snprintf(lines + length, sizeof lines - length, "%s\n", paths[i]);
    }
    if (!write_all(tcp->fd, lines, length))
        die("cannot ask %s:%d: %s", host, port, strerror(errno));
}

// Takes the pieces that are whole, and keeps the rest.
static void take_pieces(struct tcp_client *tcp)
{
    const uint8_t *at = tcp->bytes, *end = tcp->bytes + tcp->length;
    while (end - at >= PIECE_HEAD) {
        size_t length = (size_t)at[2] << 8 | at[3];
        if ((size_t)(end - at) < PIECE_HEAD + length)
            break;
        if (at[0] >= tcp->count)
            die("the server answers a request that it was not asked");
        download_take(&tcp->list[at[0]], at + PIECE_HEAD, length, at[1] != 0);
        at += PIECE_HEAD + length;
    }
    tcp->length = (size_t)(end - at);
    memmove(tcp->bytes, at, tcp->length);
}

uint64_t tcp_run(struct tcp_client *tcp, uint64_t bytes, int ms)
{
    int64_t until = now_ns() + ms * INT64_C(1000000);
    while (!downloads_over(tcp->list, tcp->count) &&
           downloads_bytes(tcp->list, tcp->count) < bytes) {
        struct pollfd poll_fd = {tcp->fd, POLLIN, 0};
        int left_ms = (int)((until - now_ns()) / 1000000);
        if (left_ms <= 0 || poll(&poll_fd, 1, left_ms) <= 0)
            break;
        ssize_t got = read(tcp->fd, tcp->bytes + tcp->length, sizeof tcp->bytes - tcp->length);
        if (got <= 0)
            break;
        tcp->length += (size_t)got;
        take_pieces(tcp);
    }
    return downloads_bytes(tcp->list, tcp->count);
}

void tcp_close(struct tcp_client *tcp)
{
    close(tcp->fd);
}
