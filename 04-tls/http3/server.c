// server.c: HTTP/3 on QUIC (RFC 9114, RFC 9000): a UDP port, and no TCP.
//
// Run:    ./server             then, in another terminal: ./client, or
//         curl --http3-only --cacert ../keys/ca.pem https://localhost:8304/
// Watch:  one socket serves all clients. Whose packet it is, QUIC knows by the connection id in
//         the packet, not by the client's address.
//
// Read run() first, then h3_connection_serve() in h3_connection.c: what HTTP/3's streams are
// for. exchange.c answers requests; quic.c is what is asked of OpenSSL; http3.c reads and
// writes frames, qpack.c the fields in them.
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "certificates.h"
#include "exchange.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "timers.h"

#define CONNECTIONS_MAX 1000
#define HANDSHAKE_MS    10000
#define CLOSE_MS        500  // a client has so long to acknowledge what was sent in the end
#define STOP_MS         3000 // so long the requests that are there may go on when it stops
#define NS_PER_MS       INT64_C(1000000)

struct client {
    struct client *next;
    struct h3_connection connection;
    int64_t deadline_ns; // of the handshake; then of the next request
    uint64_t next_id;    // the connection's, when deadline_ns was set
    bool established, closing;
};

static struct client *clients;
static int client_count;
static long accepted, refused;
static int idle_ms = 60000; // a connection without a request is closed after this time

static void free_client(struct client **at)
{
    struct client *client = *at;
    *at = client->next;
    h3_connection_free(&client->connection);
    free(client);
    client_count--;
}

// All places are taken: the handshake that has lasted longest gives way, so that clients that
// never finish theirs do not lock out the others. False: all clients have finished it.
static bool make_room(void)
{
    struct client **oldest = NULL;
    for (struct client **at = &clients; *at; at = &(*at)->next) // the newest is the first
        if (!(*at)->established)
            oldest = at;
    if (oldest)
        free_client(oldest);
    return oldest != NULL;
}

static void add_client(SSL *ssl)
{
    struct client *client = calloc(1, sizeof *client);
    bool room = client_count < CONNECTIONS_MAX || make_room();
    accepted++;
    if (!room || !client || !quic_set_passive(ssl)) {
        refused++;
        quic_close(ssl, H3_EXCESSIVE_LOAD, "too many connections");
        SSL_free(ssl);
        free(client);
        return;
    }
    SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE);
    SSL_set_incoming_stream_policy(ssl, SSL_INCOMING_STREAM_POLICY_ACCEPT, 0);
    h3_connection_begin(&client->connection, &exchange_role, ssl);
    client->deadline_ns = now_ns() + HANDSHAKE_MS * NS_PER_MS;
    client->next = clients;
    clients = client;
    client_count++;
}

// The connection's own deadline: of its handshake, or, without a request, of the next one.
static void check_deadline(struct client *client)
{
    struct h3_connection *c = &client->connection;
    int64_t now = now_ns();
    bool moved = c->next_id != client->next_id || c->requests > 0;
    if (c->state == STATE_OPEN && (moved || !client->established)) {
        if (!client->established)
            log_line("a connection: %s, %s", SSL_get_version(c->ssl),
                     SSL_get_cipher_name(c->ssl));
        client->established = true;
        client->next_id = c->next_id;
        client->deadline_ns = now + idle_ms * NS_PER_MS;
    }
    if (now >= client->deadline_ns && c->state <= STATE_OPEN) {
        h3_connection_goaway(c);
        h3_connection_close(c, connection_fault(H3_NO_ERROR, "no request for a long time"));
    } else if (now >= client->deadline_ns) {
        c->state = STATE_CLOSED; // the client acknowledges nothing: it is gone
    }
    if (c->state == STATE_CLOSING && !client->closing) {
        client->closing = true;
        client->deadline_ns = now + CLOSE_MS * NS_PER_MS;
    }
    if (client->deadline_ns < exchange_next_ns)
        exchange_next_ns = client->deadline_ns;
}

// Gives each connection its turn. True: something was written, or a client has gone.
static bool serve_clients(void)
{
    bool any = false;
    exchange_next_ns = NEVER;
    for (struct client **at = &clients; *at;) {
        struct client *client = *at;
        any |= h3_connection_serve(&client->connection);
        check_deadline(client);
        if (client->connection.state != STATE_CLOSED) {
            at = &client->next;
            continue;
        }
        if (client->established)
            log_line("%s", client->connection.why);
        free_client(at);
    }
    return any;
}

// True: the program was asked to stop.
static bool asked_to_stop(int stop_fd)
{
    uint8_t bytes[256];
    return read(stop_fd, bytes, sizeof bytes) > 0;
}

// Tells the clients that no further requests are answered, and closes the connections that have
// no request any more.
static void stop_clients(void)
{
    for (struct client *client = clients; client; client = client->next) {
        struct h3_connection *c = &client->connection;
        if (c->state == STATE_OPEN)
            h3_connection_goaway(c);
        if (c->requests == 0 && c->control_sent == c->control_length)
            h3_connection_close(c, connection_fault(H3_NO_ERROR, "the server stops"));
    }
}

static void run(SSL *listener, int stop_fd)
{
    int64_t stop_ns = NEVER;
    while (stop_ns == NEVER || now_ns() < stop_ns) {
        SSL *ssl;
        SSL_handle_events(listener); // reads all datagrams that are there, and sends
        while ((ssl = SSL_accept_connection(listener, SSL_ACCEPT_CONNECTION_NO_BLOCK)))
            add_client(ssl);
        if (stop_ns != NEVER)
            stop_clients();
        bool any = serve_clients();
        ERR_clear_error();
        if (stop_ns != NEVER && !clients)
            break;
        if (stop_ns < exchange_next_ns)
            exchange_next_ns = stop_ns;
        if (any)
            exchange_next_ns = 0; // there is something to send: no wait, only a look
        if (quic_wait(listener, stop_fd, exchange_next_ns) && asked_to_stop(stop_fd)) {
            if (stop_ns != NEVER)
                break; // for the second time
            stop_ns = now_ns() + STOP_MS * NS_PER_MS;
        }
    }
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *keys, *keylog;
    static int port = 8304;
    static bool quiet, no_retry;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "UDP port; 0: any free one"},
        {"no-retry", OPTION_FLAG, &no_retry,
         .help = "believe a client's address without a Retry"},
        {"request-ms", OPTION_INT, &exchange_limits.request_ms, 1, 3600000, "ms for a request"},
        {"stall-ms", OPTION_INT, &exchange_limits.stall_ms, 1, 3600000,
         "ms until a client takes some of its answer"},
        {"idle-ms", OPTION_INT, &idle_ms, 1, 3600000, "ms without a request"},
        {"keylog", OPTION_TEXT, &keylog, .help = "FILE to write the secrets to, for Wireshark"},
        {"keys", OPTION_TEXT, &keys, .help = "folder of the lesson's certificates"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each request"},
        {0}};
    keys = certificate_folder("../" CERTIFICATE_FOLDER);
    options_parse(argc, argv, &(struct command){"", "Lesson 04: an HTTP/3 server.", options});
    log_begin(quiet);
    SSL_CTX *ctx = quic_server_context(keys, keylog);
    int stop_fd = net_stop_fd(), fd = quic_bind(host, port);
    SSL *listener = quic_listener(ctx, fd, !no_retry);
    net_set_nonblocking(stop_fd);
    net_ready(fd);
    run(listener, stop_fd);
    while (clients)
        free_client(&clients);
    SSL_free(listener);
    SSL_CTX_free(ctx);
    close(fd);
    log_end();
    printf("stopped: connections %ld, refused %ld, requests %ld\n", accepted, refused,
           exchange_count);
    return 0;
}
