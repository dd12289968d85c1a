// probe.h: a TLS client for the tests: it can be told to be old, picky or ill-mannered.
#ifndef PROBE_H
#define PROBE_H

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "certificates.h"
#include "context.h"
#include "net.h"
#include "test.h"

#define NAME       "workbench.test"
#define GET_FACTS  "GET / HTTP/1.1\r\nHost: " NAME "\r\n\r\n"
#define GET_COUNT  "GET /transfers HTTP/1.1\r\nHost: " NAME "\r\n\r\n"
#define POST       "POST /transfer HTTP/1.1\r\nHost: " NAME "\r\nContent-Length: 0\r\n\r\n"
#define ANSWER_MAX 20000

#ifndef PROBE_KEYS // where the certificates are
#define PROBE_KEYS CERTIFICATE_FOLDER
#endif

// How to connect. What is left out is as it should be.
struct probe {
    const char *name; // the name to ask for and to expect; default NAME
    const char *keys; // folder of certificates
    int version;      // this one only
    const char *ciphers, *suites, *groups, *signatures;
    const char *protocols; // ALPN, as in the message: "\x8http/1.1"
    bool with_client;      // show the certificate:
    enum certificate client;
    SSL_SESSION *session; // to resume
};

static char probe_reason[300]; // why the last one did not come about, as OpenSSL says it
static char probe_answer[ANSWER_MAX + 1];
static char probe_secrets[8192]; // of all connections, as in a key log

static inline void probe_note_secret(const SSL *ssl, const char *line)
{
    size_t length = strlen(probe_secrets);
    (void)ssl;
    snprintf(probe_secrets + length, sizeof probe_secrets - length, "%s\n", line);
}

static inline void probe_note_reason(const SSL *ssl)
{
    unsigned long error = ERR_peek_error();
    long verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    snprintf(probe_reason, sizeof probe_reason, "%s: %s",
             error ? context_reason(error) : "connection lost",
             X509_verify_cert_error_string(verified));
    ERR_clear_error();
}

// A client as described; not connected. Ends the program if OpenSSL does not take it.
static inline SSL *probe_new(const struct probe *p)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *keys = p->keys ? p->keys : PROBE_KEYS;
    const char *name = p->name ? p->name : NAME;
    struct certificate_files ca = certificate_files(keys, CERTIFICATE_CA);
    struct certificate_files own = certificate_files(keys, p->client);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_keylog_callback(ctx, probe_note_secret);
    SSL_CTX_set_min_proto_version(ctx, p->version);
    SSL_CTX_set_max_proto_version(ctx, p->version);
    bool good = SSL_CTX_load_verify_file(ctx, ca.chain);
    good = good && (!p->with_client ||
                    (SSL_CTX_use_certificate_chain_file(ctx, own.chain) == 1 &&
                     SSL_CTX_use_PrivateKey_file(ctx, own.key, SSL_FILETYPE_PEM) == 1));
    good = good && (!p->ciphers || SSL_CTX_set_cipher_list(ctx, p->ciphers));
    good = good && (!p->suites || SSL_CTX_set_ciphersuites(ctx, p->suites));
    good = good && (!p->groups || SSL_CTX_set1_groups_list(ctx, p->groups));
    good = good && (!p->signatures || SSL_CTX_set1_sigalgs_list(ctx, p->signatures));
    if (p->protocols) // which returns 0 if all is well
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)p->protocols,
                                (unsigned)strlen(p->protocols));
    SSL *ssl = good ? SSL_new(ctx) : NULL;
    if (!ssl || !SSL_set_tlsext_host_name(ssl, name) || !SSL_set1_host(ssl, name) ||
        (p->session && !SSL_set_session(ssl, p->session))) {
        ERR_print_errors_fp(stdout);
        exit(1);
    }
    SSL_set_connect_state(ssl);
    SSL_CTX_free(ctx);
    return ssl;
}

// Connects. NULL: refused, by one side or the other; then probe_reason says why.
static inline SSL *probe_open(int port, const struct probe *p)
{
    int fd = net_connect("127.0.0.1", port), on = 1;
    SSL *ssl = fd >= 0 ? probe_new(p) : NULL;
    signal(SIGPIPE, SIG_IGN);
    ERR_clear_error();
    snprintf(probe_reason, sizeof probe_reason, "no connection");
    if (!ssl)
        return NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_set_fd(ssl, fd);
    if (SSL_do_handshake(ssl) == 1)
        return ssl;
    probe_note_reason(ssl);
    SSL_free(ssl);
    close(fd);
    return NULL;
}

// Reads an answer, as its Content-Length says, into probe_answer. Returns its status; 0, and
// probe_reason, if it is not whole. One byte at a time: what comes after it is left.
static inline int probe_read(SSL *ssl)
{
    size_t length = 0, got, end = ANSWER_MAX;
    while (length < end && SSL_read_ex(ssl, probe_answer + length, 1, &got)) {
        probe_answer[++length] = '\0';
        const char *content = end == ANSWER_MAX ? strstr(probe_answer, "\r\n\r\n") : NULL;
        const char *field = content ? strstr(probe_answer, "Content-Length: ") : NULL;
        if (content)
            end = length + (field ? strtoul(field + 16, NULL, 10) : 0);
        end = end < ANSWER_MAX ? end : ANSWER_MAX; // of a long one only the beginning
    }
    if (length < end)
        probe_note_reason(ssl);
    return length == end ? atoi(probe_answer + strlen("HTTP/1.1 ")) : 0;
}

static inline bool probe_write(SSL *ssl, const char *bytes, size_t length)
{
    size_t sent;
    ERR_clear_error();
    return SSL_write_ex(ssl, bytes, length, &sent) && sent == length;
}

// Sends a request and reads its answer, as probe_read(). A POST to a server that closes may be
// answered before it is sent.
static inline int probe_ask(SSL *ssl, const char *request)
{
    if (!probe_write(ssl, request, strlen(request)))
        probe_note_reason(ssl);
    return probe_read(ssl);
}

static inline void probe_close(SSL *ssl)
{
    if (!ssl)
        return;
    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

// One request on a connection of its own. Returns the status, 0 if there was no answer.
static inline int probe_once(int port, const struct probe *p, const char *request)
{
    SSL *ssl = probe_open(port, p);
    int status = ssl ? probe_ask(ssl, request) : 0;
    probe_close(ssl);
    return status;
}

// Gets a session that can be resumed.
static inline SSL_SESSION *probe_session(int port, const struct probe *p)
{
    SSL *ssl = probe_open(port, p);
    if (!ssl || probe_ask(ssl, GET_FACTS) != 200) // the tickets come with the answer
        return NULL;
    SSL_SESSION *session = SSL_get1_session(ssl);
    probe_close(ssl);
    return session;
}

// Waits until the other side has closed a connection, whatever it says before.
static inline bool probe_is_closed(int fd)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        ;
    return got <= 0;
}

// The file that a server's output goes to; what is in it.
static inline char *probe_log(const char *file)
{
    static char text[1 << 20];
    FILE *log = fopen(file, "re");
    size_t length = log ? fread(text, 1, sizeof text - 1, log) : 0;
    text[length] = '\0';
    if (log)
        fclose(log);
    return text;
}

// Sends bytes on a connection of their own and says no more; what comes back, until the server
// closes, is in probe_answer. Returns how much that is.
static inline size_t send_and_end(int port, const char *bytes, size_t length)
{
    int fd = net_connect_or_die("127.0.0.1", port);
    size_t got = 0;
    signal(SIGPIPE, SIG_IGN);
    write_all(fd, bytes, length);
    shutdown(fd, SHUT_WR);
    for (ssize_t part = 1; part > 0 && got < ANSWER_MAX;) {
        part = read(fd, probe_answer + got, ANSWER_MAX - got);
        if (part > 0)
            got += (size_t)part;
    }
    probe_answer[got] = '\0';
    close(fd);
    return got;
}

#endif
