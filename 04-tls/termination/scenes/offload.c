// offload.c: scene offload: CPU time of a server with TLS, and of the same server with a proxy
// in front of it.
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define CLIENTS 200 // each has its own connection and a full handshake
#define ANSWER  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

static const struct claim offload = {
    "4.47", "guide §9.1, §9.3",
    "terminating TLS in a proxy takes expensive work off the backend", HOLDS, NULL};

// ---- a server, with TLS and without --------------------------------------------------------

static void answer_plain(int fd)
{
    char request[4096];
    if (read(fd, request, sizeof request) > 0)
        write_all(fd, ANSWER, strlen(ANSWER));
}

static void answer_tls(SSL_CTX *ctx, int fd)
{
    char request[4096];
    size_t length;
    SSL *ssl = SSL_new(ctx);
    if (ssl && SSL_set_fd(ssl, fd) && SSL_accept(ssl) == 1 &&
        SSL_read_ex(ssl, request, sizeof request, &length) &&
        SSL_write_ex(ssl, ANSWER, strlen(ANSWER), &length))
        SSL_shutdown(ssl);
    SSL_free(ssl);
}

static SSL_CTX *make_context(void)
{
    struct certificate_files own = ask_files(CERTIFICATE_SERVER_ECDSA);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, own.chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, own.key, SSL_FILETYPE_PEM) != 1)
        die("cannot use %s: %s", own.chain, ERR_reason_error_string(ERR_peek_error()));
    return ctx;
}

// CPU time of this process so far, in microseconds.
static double cpu_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

// Starts a process that serves CLIENTS clients. It writes to a pipe how much CPU time one of
// them takes: the median, which does not change when the machine is busy for a moment.
static pid_t start_backend(int listener, bool with_tls, int report)
{
    static double us[CLIENTS];
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    SSL_CTX *ctx = NULL;
    alarm(30);
    if (with_tls)
        ctx = make_context();
    for (int i = 0; i < CLIENTS; i++) {
        double before_us = cpu_us();
        int fd = accept(listener, NULL, NULL);
        if (with_tls)
            answer_tls(ctx, fd);
        else
            answer_plain(fd);
        close(fd);
        us[i] = cpu_us() - before_us;
    }
    double median_us = median_of(us, CLIENTS);
    _exit(!write_all(report, &median_us, sizeof median_us));
}

// ---- the measurement -----------------------------------------------------------------------

// CLIENTS clients ask, one after the other. Returns how many got an answer.
static int ask_often(void)
{
    int answered = 0;
    for (int i = 0; i < CLIENTS; i++) {
        struct reply reply = {0};
        struct connect_settings settings = ask_settings();
        struct connection *c = connection_open(&settings);
        answered += c->up && ask(c, "GET", "/", NULL, &reply) && reply.status == 200;
        connection_close(c);
    }
    return answered;
}

// Returns the backend's CPU time for each client. *proxy_us is the proxy's, if there is a
// proxy.
static double measure(bool with_proxy, double *proxy_us)
{
    int port, listener = scene_listen(&port), report[2];
    double backend_us = 0;
    pid_t proxy = 0;
    if (pipe(report))
        die("pipe: %s", strerror(errno));
    pid_t backend = start_backend(listener, !with_proxy, report[1]);
    close(report[1]);
    if (with_proxy)
        scene_start_proxy(&proxy, port);
    else
        connect_to("127.0.0.1", port);
    double before_us = process_cpu_us(proxy);
    int answered = ask_often();
    *proxy_us = (process_cpu_us(proxy) - before_us) / CLIENTS;
    if (answered < CLIENTS)
        kill(backend, SIGTERM);
    if (read(report[0], &backend_us, sizeof backend_us) != sizeof backend_us ||
        answered < CLIENTS)
        die("%d of %d clients were answered", answered, CLIENTS);
    waitpid(backend, NULL, 0);
    if (with_proxy)
        spawn_stop(proxy);
    close(report[0]);
    close(listener);
    return backend_us;
}

void scene_offload(void)
{
    double none_us, proxy_us;
    scene_check_server();
    story_say(
        "%d clients, each with a full handshake, ask a server that does TLS itself. Then they "
        "ask the same server without TLS, behind the proxy. CPU time for each client:",
        CLIENTS);
    double with_tls_us = measure(false, &none_us);
    double behind_us = measure(true, &proxy_us);
    story_head("for each client|the server|the proxy|together");
    story_row("the server does TLS itself|%.0f us|-|%.0f us", with_tls_us, with_tls_us);
    story_row("TLS ends in the proxy|%.0f us|%.0f us|%.0f us", behind_us, proxy_us,
              behind_us + proxy_us);
    printf("\n");
    story_say(
        "The work is not gone: the proxy does it. And the proxy has work of its own: a second "
        "connection, and it copies each byte twice.");
    enum verdict verdict = UNCLEAR;
    if (with_tls_us > 2 * behind_us)
        verdict = HOLDS;
    claim_report(&offload, verdict,
                 "%.0f us of the server's CPU time for each client instead of %.0f; together "
                 "with the proxy %.0f us",
                 behind_us, with_tls_us, behind_us + proxy_us);
}
