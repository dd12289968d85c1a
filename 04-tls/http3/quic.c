// quic.c: see quic.h. Read quic_wait() first: a loop around it is a QUIC program.
#include "quic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "http3.h"
#include "net.h"
#include "timers.h"

#define SOCKET_BYTES (2 << 20) // of datagrams that may wait in the kernel, each way

static int keylog_fd = -1;

static _Noreturn void fail(const char *doing, const char *what)
{
    const char *reason = context_reason(ERR_peek_error());
    if (!reason)
        reason = strerror(errno);
    die("cannot %s %s: %s", doing, what, reason);
}

// ---- contexts ------------------------------------------------------------------------------

static void log_secret(const SSL *ssl, const char *secret)
{
    (void)ssl;
    if (dprintf(keylog_fd, "%s\n", secret) < 0)
        fprintf(stderr, "cannot write the key log: %s\n", strerror(errno));
}

static SSL_CTX *new_context(const SSL_METHOD *method, const char *keylog)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx || !SSL_CTX_set1_groups_list(ctx, GROUPS))
        fail("begin with", "OpenSSL's QUIC");
    if (keylog && keylog_fd < 0)
        keylog_fd = context_open_keylog(keylog);
    if (keylog && keylog_fd < 0)
        fail("open the key log", keylog);
    if (keylog)
        SSL_CTX_set_keylog_callback(ctx, log_secret);
    return ctx;
}

// The server speaks HTTP/3 and nothing else. A client that does not offer it gets TLS's alert
// no_application_protocol (RFC 9001 §8.1).
static int select_h3(SSL *ssl, const unsigned char **chosen, unsigned char *length,
                     const unsigned char *offered, unsigned offered_length, void *unused)
{
    static const unsigned char ours[] = "\x2" PROTOCOL_H3;
    (void)ssl, (void)unused;
    if (SSL_select_next_proto((unsigned char **)chosen, length, ours, sizeof ours - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

// OpenSSL 3.5 tells the client nothing of an alert that it raises while it reads the
// connection's first packet. So a client that will get one has to wait for the next call.
static int delay_alert(SSL *ssl, int *alert, void *unused)
{
    const unsigned char *list, *chosen;
    unsigned char chosen_length;
    size_t length;
    (void)alert;
    bool good = SSL_client_hello_get0_ext(
                    ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list, &length) &&
                length > 2 &&
                select_h3(ssl, &chosen, &chosen_length, list + 2, (unsigned)length - 2,
                          unused) == SSL_TLSEXT_ERR_OK;
    if (good || SSL_get_app_data(ssl))
        return SSL_CLIENT_HELLO_SUCCESS;
    SSL_set_app_data(ssl, "has waited");
    return SSL_CLIENT_HELLO_RETRY;
}

SSL_CTX *quic_server_context(const char *folder, const char *keylog)
{
    SSL_CTX *ctx = new_context(OSSL_QUIC_server_method(), keylog);
    certificates_make(folder);
    context_add_own(ctx, folder, CERTIFICATE_SERVER_RSA);
    context_add_own(ctx, folder, CERTIFICATE_SERVER_ECDSA);
    SSL_CTX_set_alpn_select_cb(ctx, select_h3, NULL);
    SSL_CTX_set_client_hello_cb(ctx, delay_alert, NULL);
    return ctx;
}

SSL_CTX *quic_client_context(const char *ca, const char *keylog)
{
    SSL_CTX *ctx = new_context(OSSL_QUIC_client_method(), keylog);
    if (ca && SSL_CTX_load_verify_file(ctx, ca) != 1)
        die("cannot read the CA %s (./server makes the lesson's own)", ca);
    if (ca)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

// ---- sockets -------------------------------------------------------------------------------

static int new_socket(const struct sockaddr_storage *address)
{
    int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bytes = SOCKET_BYTES;
    if (fd < 0)
        die("cannot make a UDP socket: %s", strerror(errno));
    // The kernel gives less where net.core.rmem_max is lower: that is no error.
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return fd;
}

int quic_bind(const char *host, int port)
{
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = new_socket(&address);
    if (bind(fd, (struct sockaddr *)&address, length))
        net_die_listening(host, port);
    return fd;
}

bool quic_set_passive(SSL *ssl)
{
    return SSL_set_blocking_mode(ssl, 0) &&
           SSL_set_event_handling_mode(ssl, SSL_VALUE_EVENT_HANDLING_MODE_EXPLICIT);
}

// OpenSSL calls this for what passes the listener's socket. When the kernel refuses to send
// (there is no way to that client at this time, or a firewall forbids it), OpenSSL would give
// up all connections and the listener, for good. But a packet that was not sent is only a lost
// packet.
static long forgive(BIO *bio, int operation, const char *argument, size_t length, int argi,
                    long argl, int result, size_t *processed)
{
    (void)bio, (void)length, (void)argi, (void)argl, (void)processed;
    if (operation != (BIO_CB_SENDMMSG | BIO_CB_RETURN) || result > 0 || errno == EAGAIN)
        return result;
    const BIO_MMSG_CB_ARGS *all = (const void *)argument;
    *all->msgs_processed = all->num_msg;
    ERR_clear_error();
    return 1;
}

SSL *quic_listener(SSL_CTX *ctx, int fd, bool validate)
{
    uint64_t flags = SSL_LISTENER_FLAG_NO_VALIDATE;
    if (validate)
        flags = 0;
    SSL *listener = SSL_new_listener(ctx, flags);
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    if (!listener || !bio)
        fail("begin with", "a QUIC listener");
    BIO_set_callback_ex(bio, forgive);
    SSL_set_bio(listener, bio, bio);
    if (!SSL_set_blocking_mode(listener, 0) || !SSL_listen(listener))
        fail("listen with", "QUIC");
    return listener;
}

static void check_server(SSL *ssl, const char *name)
{
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (!SSL_set1_host(ssl, name)) // an address is compared with the certificate's addresses
        fail("check for", name);
    struct sockaddr_storage unused;
    if (!inet_pton(AF_INET, name, &unused) && !inet_pton(AF_INET6, name, &unused) &&
        !SSL_set_tlsext_host_name(ssl, name))
        fail("ask for", name);
}

SSL *quic_connection(SSL_CTX *ctx, const char *host, int port, const char *name)
{
    static const unsigned char protocols[] = "\x2" PROTOCOL_H3;
    struct sockaddr_storage address;
    socklen_t length = net_address(host, port, SOCK_DGRAM, &address);
    int fd = new_socket(&address);
    // OpenSSL asks the socket for the server's address. And a connected socket hears of "port
    // unreachable", too.
    if (connect(fd, (struct sockaddr *)&address, length))
        die("cannot send to %s, port %d: %s", host, port, strerror(errno));
    SSL *ssl = SSL_new(ctx);
    BIO *bio = BIO_new_dgram(fd, BIO_CLOSE);
    if (!ssl || !bio)
        fail("begin", "a connection");
    SSL_set_bio(ssl, bio, bio);
    // A server may open streams at any time, and no stream is there by default.
    if (!quic_set_passive(ssl) || SSL_set_alpn_protos(ssl, protocols, sizeof protocols - 1) ||
        !SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE) ||
        !SSL_set_incoming_stream_policy(ssl, SSL_INCOMING_STREAM_POLICY_ACCEPT, 0))
        fail("prepare", "a connection");
    check_server(ssl, name);
    return ssl;
}

// ---- waiting -------------------------------------------------------------------------------

// When QUIC's next timer is due: a packet may be lost, an acknowledgement is late, ...
static int64_t next_timer(SSL *ssl, int64_t now)
{
    struct timeval left;
    int infinite;
    if (!SSL_get_event_timeout(ssl, &left, &infinite) || infinite)
        return NEVER;
    return now + left.tv_sec * INT64_C(1000000000) + left.tv_usec * INT64_C(1000);
}

bool quic_wait(SSL *ssl, int other_fd, int64_t until_ns)
{
    struct pollfd fds[2] = {{.fd = SSL_get_fd(ssl)}, {.fd = other_fd, .events = POLLIN}};
    int64_t now = now_ns(), timer = next_timer(ssl, now);
    if (timer < until_ns)
        until_ns = timer;
    if (SSL_net_read_desired(ssl))
        fds[0].events |= POLLIN;
    if (SSL_net_write_desired(ssl))
        fds[0].events |= POLLOUT;
    struct timespec left = {0};
    if (until_ns > now) {
        left.tv_sec = (until_ns - now) / INT64_C(1000000000);
        left.tv_nsec = (until_ns - now) % INT64_C(1000000000);
    }
    return ppoll(fds, 2, &left, NULL) > 0 && fds[1].revents != 0; // NEVER: in 292 years
}

// ---- the end of a connection ---------------------------------------------------------------

bool quic_is_closed(SSL *ssl, char why[QUIC_WHY_BYTES], bool *by_peer)
{
    SSL_CONN_CLOSE_INFO info;
    if (!SSL_get_conn_close_info(ssl, &info, sizeof info))
        return false;
    char number[40];
    const char *who = "the peer", *name = http3_error_name(info.error_code);
    if (!name)
        name = number;
    snprintf(number, sizeof number, "error 0x%llx", (unsigned long long)info.error_code);
    *by_peer = !(info.flags & SSL_CONN_CLOSE_FLAG_LOCAL);
    if (!*by_peer)
        who = "this side";
    if (info.flags & SSL_CONN_CLOSE_FLAG_TRANSPORT) {
        if (info.error_code == (uint64_t)OSSL_QUIC_LOCAL_ERR_IDLE_TIMEOUT) {
            snprintf(why, QUIC_WHY_BYTES, "no packet has come for %d s", QUIC_IDLE_MS / 1000);
            return true;
        }
        // An error of the socket: a host has said that no program listens on that port.
        if (info.error_code == OSSL_QUIC_ERR_INTERNAL_ERROR && !*by_peer) {
            snprintf(why, QUIC_WHY_BYTES, "the network refuses (is the server running?)");
            return true;
        }
        name = "an error of QUIC";
    }
    int length = snprintf(why, QUIC_WHY_BYTES, "%s has closed the connection: %s", who, name);
    if (info.reason_len)
        snprintf(why + length, (size_t)(QUIC_WHY_BYTES - length), ", %.*s",
                 (int)info.reason_len, info.reason);
    return true;
}

bool quic_close(SSL *ssl, uint64_t code, const char *why)
{
    SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = code, .quic_reason = why};
    uint64_t flags = SSL_SHUTDOWN_FLAG_NO_BLOCK;
    if (code != H3_NO_ERROR)
        flags |= SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH;
    return SSL_shutdown_ex(ssl, flags, &args, sizeof args) != 0; // below 0: it was closed
}
