// test_recorded.h: recordings of other programs' connections, read by dissect.c and decrypt.c.
#include "connect.h"
#include "context.h"
#include "decrypt.h"
#include "in_memory_tls.h"

#define RECORDED_BYTES  20000
#define RECORDED_SECRET "the-password-is-mellon"

static struct captured {
    size_t length[2]; // to the client, to the server
    uint8_t bytes[2][RECORDED_BYTES];
} recorded;

static struct bytes recorded_bytes(const struct captured *r, int to_server)
{
    return (struct bytes){r->bytes[to_server], r->length[to_server]};
}

// Hands over what one side has to say, and keeps it.
static void record_part(struct side *from, struct side *to, int to_server)
{
    uint8_t *at = recorded.bytes[to_server] + recorded.length[to_server];
    size_t length = side_take(from, at, RECORDED_BYTES - recorded.length[to_server]);
    recorded.length[to_server] += length;
    side_give(to, at, length);
}

// A session of 1.2 in memory: the client says the secret, the server repeats it.
static void record(const char *cipher, uint64_t client_options)
{
    char text[100];
    size_t length;
    struct side client, server;
    bool client_done = false, server_done = false;
    struct certificate_files ca = certificate_files(CERTIFICATE_FOLDER, CERTIFICATE_CA);
    struct context *context =
        context_new(&(struct context_settings){.version_min = TLS1_2_VERSION,
                                               .version_max = TLS1_2_VERSION,
                                               .ciphers = cipher,
                                               .rsa = true,
                                               .folder = CERTIFICATE_FOLDER,
                                               .tickets = true});
    struct connection *c = connection_prepare(&(struct connect_settings){
        .name = "workbench.test", .ca = ca.chain, .ciphers = cipher});
    recorded.length[0] = recorded.length[1] = 0;
    SSL_set_options(c->ssl, client_options);
    side_begin(&client, c->ssl, false);
    side_begin(&server, SSL_new(context_first(context)), true);
    while (!client_done || !server_done) {
        client_done = client_done || side_shake(&client);
        record_part(&client, &server, true);
        server_done = server_done || side_shake(&server);
        record_part(&server, &client, false);
    }
    CHECK(SSL_write_ex(client.ssl, RECORDED_SECRET, strlen(RECORDED_SECRET), &length));
    record_part(&client, &server, true);
    CHECK(SSL_read_ex(server.ssl, text, sizeof text, &length));
    CHECK(SSL_write_ex(server.ssl, text, length, &length));
    record_part(&server, &client, false);
    SSL_free(server.ssl);
    connection_close(c);
    context_free(context);
}

static EVP_PKEY *recorded_key(enum certificate which)
{
    struct certificate_files files = certificate_files(CERTIFICATE_FOLDER, which);
    FILE *file = fopen(files.key, "re");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    CHECK(key != NULL);
    if (file)
        fclose(file);
    return key;
}

static bool opens(const struct captured *r, EVP_PKEY *key, struct loot *loot)
{
    return decrypt_recording(recorded_bytes(r, true), recorded_bytes(r, false), key, loot);
}

TEST(a_recording_is_opened_with_the_key_of_the_server)
{
    static struct loot loot;
    for (int i = 0; i < 2; i++) { // with the extended master secret, and without
        record("AES128-GCM-SHA256", i ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0);
        EVP_PKEY *key = recorded_key(CERTIFICATE_SERVER_RSA);
        CHECK(opens(&recorded, key, &loot));
        CHECK_HAS(loot.plain[true], RECORDED_SECRET);
        CHECK_HAS(loot.plain[false], RECORDED_SECRET);
        EVP_PKEY_free(key);
    }
}

TEST(a_recording_is_not_opened_otherwise)
{
    static struct loot loot;
    record("AES128-GCM-SHA256", 0);
    EVP_PKEY *other = recorded_key(CERTIFICATE_OTHER_RSA), *ec = recorded_key(CERTIFICATE_CA);
    CHECK(!opens(&recorded, other, &loot));
    CHECK_HAS(loot.why, "decrypts nothing");
    CHECK(!opens(&recorded, ec, &loot));
    record("ECDHE-RSA-AES128-GCM-SHA256", 0);
    EVP_PKEY *own = recorded_key(CERTIFICATE_SERVER_RSA);
    CHECK(!opens(&recorded, own, &loot));
    CHECK_HAS(loot.why, "decrypts nothing");
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    EVP_PKEY_free(ec);
}

// True if this is the beginning of what was said, or nothing.
static bool is_part(const char *plain)
{
    return !strncmp(plain, RECORDED_SECRET, strlen(plain));
}

// Each byte of the recording changed in turn, and the recording cut off before it: what comes
// out is what was said, or a part of it, or nothing; never anything else.
TEST(a_recording_that_was_changed)
{
    static struct captured changed;
    static struct loot loot;
    int opened = 0;
    record("AES128-GCM-SHA256", 0);
    EVP_PKEY *key = recorded_key(CERTIFICATE_SERVER_RSA);
    for (int to_server = 0; to_server < 2; to_server++) {
        for (size_t i = 0; i < recorded.length[to_server]; i++) {
            changed = recorded;
            changed.bytes[to_server][i] ^= (uint8_t)(1 << i % 8);
            opened += opens(&changed, key, &loot);
            CHECK(is_part(loot.plain[0]));
            CHECK(is_part(loot.plain[1]));
            changed = recorded;
            changed.length[to_server] = i;
            opens(&changed, key, &loot);
            CHECK(is_part(loot.plain[0]));
            CHECK(is_part(loot.plain[1]));
        }
    }
    CHECK(opened > 0); // a changed ticket, or answer, leaves what the client has said
    EVP_PKEY_free(key);
}

// Bytes that are random, but begin as a ClientHello does; in memory that ends where they end.
TEST(hellos_that_are_none)
{
    static const uint8_t begin[] = {1, 0, 0, 0, 3, 3};
    uint64_t random = 4;
    for (int round = 0; round < 20000; round++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        size_t length = sizeof begin + (random >> 33) % 200;
        uint8_t *bytes = malloc(length);
        for (size_t i = 0; i < length; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            bytes[i] =
                i < sizeof begin ? begin[i] : (uint8_t)((random >> 56) & (round & 1 ? 3 : 255));
        }
        bytes[3] = (uint8_t)(length - 4);
        struct message message;
        struct hello hello;
        struct bytes all = {bytes, length};
        if (dissect_message(&all, &message) && dissect_hello(&message, &hello) &&
            hello.name.at) {
            CHECK(hello.name.at >= bytes);
            CHECK(hello.name.at + hello.name.length <= bytes + length);
        }
        free(bytes);
    }
}

TEST(pins_are_read)
{
    static const char good[] =
        "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";
    static const char *const bad[] = {
        "",
        "01",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
        "01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:a"};
    uint8_t pin[PIN_BYTES];
    CHECK(connect_read_pin(good, pin));
    CHECK_INT(pin[31], 0xef);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!connect_read_pin(bad[i], pin));
}
