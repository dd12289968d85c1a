// cost.c: scene cost: the bytes and the CPU time of a handshake, full and resumed; and the CPU
// time of its mathematics alone. Client and server are both in this program (in_memory_tls.h),
// without a network, and with the same settings as ./client and ./server.
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "cipher_speed.h"
#include "claim.h"
#include "context.h"
#include "in_memory_tls.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define HANDSHAKES  51 // handshakes of each kind; the cheapest one counts
#define MEASURE_US  30000
#define HASH_BYTES  32
#define RSA_PAYLOAD 245 // bytes that RSA-2048 can encrypt at once (RFC 8017 §7.2.1)

// ---- handshakes ----------------------------------------------------------------------------

enum kind {
    RSA_FULL,
    RSA_COMPRESSED,
    RSA_RESUMED,
    ECDSA_FULL,
    ECDSA_RESUMED,
    OLD_FULL,
    OLD_RESUMED,
    KINDS
};

static const struct {
    const char *name;
    bool rsa, resumed;
    int version;
} kinds[KINDS] = {[RSA_FULL] = {"1.3, RSA-2048", true, false, TLS1_3_VERSION},
                  [RSA_COMPRESSED] = {"1.3, RSA-2048, compressed", true, false, TLS1_3_VERSION},
                  [RSA_RESUMED] = {"1.3, RSA-2048, resumed", true, true, TLS1_3_VERSION},
                  [ECDSA_FULL] = {"1.3, ECDSA P-256", false, false, TLS1_3_VERSION},
                  [ECDSA_RESUMED] = {"1.3, ECDSA P-256, resumed", false, true, TLS1_3_VERSION},
                  [OLD_FULL] = {"1.2, ECDSA P-256", false, false, TLS1_2_VERSION},
                  [OLD_RESUMED] = {"1.2, ECDSA P-256, resumed", false, true, TLS1_2_VERSION}};

struct price {
    size_t to_server, to_client; // bytes
    double server_us, client_us; // CPU time: the lowest
    int certificates;            // in all handshakes together
};

static int certificates;

static void see_message(int to_server, int version, int content, const void *bytes,
                        size_t length, SSL *ssl, void *argument)
{
    (void)to_server, (void)version, (void)length, (void)ssl, (void)argument;
    if (content == SSL3_RT_HANDSHAKE && *(const uint8_t *)bytes == SSL3_MT_CERTIFICATE)
        certificates++;
}

// The lowest value: other work of the machine makes a handshake slower, but never faster.
static double lowest(const double *values, int count)
{
    double low = values[0];
    for (int i = 1; i < count; i++)
        if (values[i] < low)
            low = values[i];
    return low;
}

// One handshake. It resumes *session, if that is not NULL; then *session is the new one.
static void shake(enum kind kind, SSL_CTX *ctx, SSL_SESSION **session, struct side *client,
                  struct side *server)
{
    struct connect_settings settings = ask_settings();
    settings.version = kinds[kind].version;
    settings.session = *session;
    settings.message = see_message;
    struct connection *c = connection_prepare(&settings);
    side_begin(client, c->ssl, false);
    side_begin(server, SSL_new(ctx), true);
    duo_shake(client, server);
    if (SSL_session_reused(c->ssl) != (*session != NULL))
        die("a session was not resumed");
    if (c->session) { // one of 1.2 stays good, and there is no new one
        SSL_SESSION_free(*session);
        *session = c->session;
        c->session = NULL;
    }
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); // it has ended well
    SSL_set_shutdown(server->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    connection_close(c);
    SSL_free(server->ssl);
}

// Lets a server compress its certificates (RFC 8879). False: this OpenSSL cannot do that.
static bool compress_certificates(SSL_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    return SSL_CTX_compress_certs(ctx, 0) == 1;
#else
    (void)ctx;
    return false;
#endif
}

// Returns zeros if this OpenSSL has no such handshakes.
static struct price measure_kind(enum kind kind, const char *folder)
{
    struct price price = {0};
    struct side client, server;
    double client_us[HANDSHAKES], server_us[HANDSHAKES];
    SSL_SESSION *session = NULL;
    struct context *context =
        context_new(&(struct context_settings){.version_min = TLS1_2_VERSION,
                                               .version_max = TLS1_3_VERSION,
                                               .rsa = kinds[kind].rsa,
                                               .ecdsa = !kinds[kind].rsa,
                                               .folder = folder,
                                               .anti_replay = true,
                                               .tickets = true});
    if (kind == RSA_COMPRESSED && !compress_certificates(context_first(context))) {
        context_free(context);
        return price;
    }
    shake(kind, context_first(context), &session, &client, &server); // warms up
    certificates = 0;
    for (int i = 0; i < HANDSHAKES; i++) {
        if (!kinds[kind].resumed) {
            SSL_SESSION_free(session);
            session = NULL;
        }
        shake(kind, context_first(context), &session, &client, &server);
        client_us[i] = client.cpu_us;
        server_us[i] = server.cpu_us;
    }
    price = (struct price){client.sent, server.sent, lowest(server_us, HANDSHAKES),
                           lowest(client_us, HANDSHAKES), certificates};
    SSL_SESSION_free(session);
    context_free(context);
    return price;
}

// ---- the mathematics -----------------------------------------------------------------------

enum operation { RSA_SIGN, RSA_VERIFY, ECDSA_SIGN, ECDSA_VERIFY, X25519, RSA_OPEN, OPERATIONS };

static const char *const operation_name[OPERATIONS] = {
    "RSA-2048, sign", "RSA-2048, verify", "ECDSA P-256, sign", "ECDSA P-256, verify",
    "X25519, key and secret"};

struct tools {
    EVP_PKEY *key[OPERATIONS];
    uint8_t hash[HASH_BYTES], signature[OPERATIONS][512], box[512];
    size_t signature_length[OPERATIONS], box_length;
};

static bool sign(EVP_PKEY *key, const uint8_t *hash, uint8_t *signature, size_t *length)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_sign_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
                EVP_PKEY_sign(ctx, signature, length, hash, HASH_BYTES) > 0;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool verify(EVP_PKEY *key, const uint8_t *hash, const uint8_t *signature, size_t length)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
                EVP_PKEY_verify(ctx, signature, length, hash, HASH_BYTES) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool agree(EVP_PKEY *other)
{
    uint8_t secret[32];
    size_t length = sizeof secret;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY_CTX *ctx = NULL;
    if (key)
        ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
                EVP_PKEY_derive_set_peer(ctx, other) > 0 &&
                EVP_PKEY_derive(ctx, secret, &length) > 0;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}

// Encrypts RSA_PAYLOAD bytes with RSA itself.
static bool rsa_encrypt(EVP_PKEY *key, const uint8_t *in, uint8_t *out, size_t *length)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
                EVP_PKEY_encrypt(ctx, out, length, in, RSA_PAYLOAD) > 0;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool rsa_decrypt(EVP_PKEY *key, const uint8_t *in, size_t in_length, uint8_t *out,
                        size_t *length)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_decrypt_init(ctx) > 0 &&
                EVP_PKEY_decrypt(ctx, out, length, in, in_length) > 0;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool operate(enum operation operation, struct tools *tools)
{
    uint8_t out[512];
    size_t length = sizeof out;
    EVP_PKEY *key = tools->key[operation];
    switch (operation) {
    case RSA_SIGN:
    case ECDSA_SIGN:
        return sign(key, tools->hash, out, &length);
    case RSA_VERIFY:
    case ECDSA_VERIFY:
        return verify(key, tools->hash, tools->signature[operation],
                      tools->signature_length[operation]);
    case X25519:
        return agree(key);
    default:
        return rsa_decrypt(key, tools->box, tools->box_length, out, &length);
    }
}

static void make_tools(struct tools *tools)
{
    static const uint8_t text[RSA_PAYLOAD];
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
    EVP_PKEY *const keys[OPERATIONS] = {
        rsa, rsa, ec, ec, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), rsa};
    memset(tools, 0, sizeof *tools);
    memcpy(tools->key, keys, sizeof keys);
    tools->box_length = sizeof tools->box;
    bool good =
        rsa && ec && keys[X25519] && rsa_encrypt(rsa, text, tools->box, &tools->box_length);
    for (enum operation i = RSA_VERIFY; good && i <= ECDSA_VERIFY;
         i += ECDSA_VERIFY - RSA_VERIFY) {
        tools->signature_length[i] = sizeof tools->signature[i];
        good = sign(keys[i], tools->hash, tools->signature[i], &tools->signature_length[i]);
    }
    if (!good)
        die("OpenSSL lacks RSA, P-256 or X25519");
}

// Returns how many of these operations a second of CPU time can do.
static double measure_operation(enum operation operation, struct tools *tools)
{
    int times = 0;
    double start_us = duo_cpu_us(), took_us = 0;
    for (; took_us < MEASURE_US; took_us = duo_cpu_us() - start_us, times++)
        if (!operate(operation, tools))
            die("OpenSSL does not do %s", operation_name[operation]);
    return times / took_us * 1e6;
}

// --------------------------------------------------------------------------------------------

static const struct claim asymmetric = {"4.6", "guide §3.3, §3.5",
                                        "asymmetric encryption is far too slow for large data",
                                        HOLDS, NULL};
static const struct claim resumption = {"4.7", "guide §3.5, load balancing",
                                        "a resumed session avoids the full handshake", HOLDS,
                                        NULL};

static void report_resumption(const struct price prices[KINDS])
{
    const struct price *full = &prices[RSA_FULL], *again = &prices[RSA_RESUMED];
    double bytes = (double)(again->to_client + again->to_server) /
                   (double)(full->to_client + full->to_server);
    double server = again->server_us / full->server_us;
    bool sent = again->certificates || prices[ECDSA_RESUMED].certificates ||
                prices[OLD_RESUMED].certificates;
    enum verdict verdict = UNCLEAR;
    if (sent || server >= 2) // certificates are counted; a time on a busy machine is not exact
        verdict = NOT_HERE;
    else if (full->certificates && bytes < 0.7)
        verdict = HOLDS;
    claim_report(
        &resumption, verdict,
        "no certificate and no signature: with RSA %.0f %% of the bytes and %.0f %% of "
        "the server's CPU time. 1.2 also saves a round trip, 1.3 does not (scene "
        "round_trips)",
        bytes * 100, server * 100);
}

static const struct claim compression = {
    "4.108", "guide §3.5", "certificate compression reduces the certificate's size", HOLDS,
    NULL};

static void report_compression(const struct price *full, const struct price *compressed)
{
    if (compressed->to_client)
        claim_report(&compression, holds_if(compressed->to_client < full->to_client),
                     "%zu bytes to the client in place of %zu: keys and signatures cannot be "
                     "compressed (RFC 8879)",
                     compressed->to_client, full->to_client);
}

static const struct claim instructions = {
    "4.105", "guide §3.5", "AES-NI makes symmetric encryption nearly free", HOLDS, NULL};

// The speeds of AES-256-GCM with the CPU's instructions for it and without them, in MB a
// second; what a handshake takes.
static void report_aes(double with, double without, double handshake_us)
{
    double record_us = RECORD_BYTES / with;
    if (!cpu_has_aes())
        return;
    if (getenv("OPENSSL_ia32cap"))
        claim_report(&instructions, SKIPPED, "OPENSSL_ia32cap is set: %.0f MB a second", with);
    else
        claim_report(
            &instructions, holds_if(with > 3 * without && 5 * record_us < handshake_us),
            "%.1f times as fast as without: a record of 16 KB takes %.0f us, not %.0f; "
            "the handshake before it takes the server %.0f us",
            with / without, record_us, RECORD_BYTES / without, handshake_us);
}

void scene_cost(void)
{
    struct price prices[KINDS];
    struct tools tools;
    double per_second[OPERATIONS];
    const char *folder = ask_folder();
    story_say("Client and server are in one program, without a network. Of %d handshakes the "
              "cheapest one counts.",
              HANDSHAKES);
    story_head("a handshake of TLS|to server|to client|server CPU|client CPU");
    for (enum kind i = 0; i < KINDS; i++) {
        prices[i] = measure_kind(i, folder);
        if (prices[i].to_client)
            story_row("%s|%zu bytes|%zu bytes|%.0f us|%.0f us", kinds[i].name,
                      prices[i].to_server, prices[i].to_client, prices[i].server_us,
                      prices[i].client_us);
    }
    if (!prices[RSA_COMPRESSED].to_client)
        story_say("(This OpenSSL cannot compress certificates: claim 4.108 needs 3.2.)");
    make_tools(&tools);
    story_head("one core|a second|each");
    for (enum operation i = 0; i < OPERATIONS; i++) {
        per_second[i] = measure_operation(i, &tools);
        if (operation_name[i])
            story_row("%s|%.0f|%.0f us", operation_name[i], per_second[i], 1e6 / per_second[i]);
    }
    double rsa = per_second[RSA_OPEN] * RSA_PAYLOAD / 1e6;
    double aes = cipher_speed(EVP_aes_256_gcm());
    double chacha = cipher_speed(EVP_chacha20_poly1305()), plain_aes = 0;
    if (cpu_has_aes())
        plain_aes = aes_speed_without_instructions();
    story_head("to encrypt data, in records of 16 KB|MB a second");
    story_row("AES-256-GCM|%.0f", aes);
    if (cpu_has_aes())
        story_row("the same without AES-NI|%.0f", plain_aes);
    else
        story_row("(no AES-NI here: no claim 4.105)|");
    story_row("ChaCha20-Poly1305|%.0f", chacha);
    story_row("RSA-2048, decrypt by %d bytes|%.1f", RSA_PAYLOAD, rsa);
    EVP_PKEY_free(tools.key[RSA_SIGN]);
    EVP_PKEY_free(tools.key[ECDSA_SIGN]);
    EVP_PKEY_free(tools.key[X25519]);
    double best = aes;
    if (chacha > best)
        best = chacha;
    double slower = best / rsa;
    enum verdict verdict = UNCLEAR;
    if (slower > 50)
        verdict = HOLDS;
    else if (slower < 2)
        verdict = NOT_HERE;
    claim_report(&asymmetric, verdict,
                 "RSA decrypts %.0f times as slowly as the best cipher encrypts; one RSA "
                 "signature takes as long as %.0f KB of AES",
                 slower, aes * 1e3 / per_second[RSA_SIGN]);
    report_resumption(prices);
    report_compression(&prices[RSA_FULL], &prices[RSA_COMPRESSED]);
    report_aes(aes, plain_aes, prices[ECDSA_FULL].server_us);
}
