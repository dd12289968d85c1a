// tampering.c: scene tampering: a machine on the way changes one bit of a message. Client and
// server are both in this program (in_memory_tls.h): between them stands the attacker.
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "context.h"
#include "http.h"
#include "in_memory_tls.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define HEADER  5   // bytes in front of a record: its type, version, length
#define ROOM    512 // bytes of a message, and of the record around it
#define CONTENT "pay 100 to bob"

static const char message[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n" CONTENT;

#define LENGTH (sizeof message - 1)

struct changed {
    int tries, taken; // the client has got a message that was not sent
    int refused;      // it refuses the record: bad_record_mac
    int told;         // and tells the server so, which ends the connection as well
    size_t record;    // bytes of the record on the way
    char cipher[40];
    bool aead; // the cipher encrypts and authenticates in one step
};

// Plain HTTP: changes one bit of each byte of the content in turn.
static struct changed change_plain(void)
{
    struct changed changed = {.record = LENGTH};
    for (size_t at = LENGTH - strlen(CONTENT); at < LENGTH; at++) {
        char bytes[sizeof message];
        struct http_head head;
        memcpy(bytes, message, sizeof message);
        bytes[at] ^= 1;
        int whole = http_read_response(bytes, LENGTH, &head);
        changed.tries++;
        changed.taken += whole > 0 && head.status == 200 && head.content_length == 14 &&
                         memcmp(bytes, message, LENGTH) != 0;
    }
    return changed;
}

// Whether the reason is one of those that OpenSSL names: since 3.2 more than one. Forgets them.
static bool failed_with(int reason)
{
    unsigned long error;
    bool found = false;
    while ((error = ERR_get_error()))
        found = found || (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == reason);
    return found;
}

// The server sends the message in a record, in which one bit of byte number `at` behind the
// header is changed. False: the record has no such byte.
static bool change_byte(SSL_CTX *ctx, int version, size_t at, struct changed *changed)
{
    struct connect_settings settings = ask_settings();
    struct side client, server;
    uint8_t record[ROOM];
    char text[ROOM];
    size_t got = 0;
    settings.version = version;
    struct connection *c = connection_prepare(&settings);
    side_begin(&client, c->ssl, false);
    side_begin(&server, SSL_new(ctx), true);
    duo_shake(&client, &server);
    if (SSL_write_ex(server.ssl, message, LENGTH, &got) != 1)
        die("OpenSSL does not encrypt");
    changed->record = side_take(&server, record, sizeof record);
    bool there = HEADER + at < changed->record;
    if (there) {
        record[HEADER + at] ^= 1;
        side_give(&client, record, changed->record);
        ERR_clear_error();
        changed->tries++;
        if (SSL_read_ex(client.ssl, text, sizeof text, &got))
            changed->taken++;
        else if (failed_with(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC))
            changed->refused++;
        side_give(&server, record, side_take(&client, record, sizeof record));
        ERR_clear_error();
        if (!SSL_read_ex(server.ssl, text, sizeof text, &got))
            changed->told += failed_with(SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
    }
    const SSL_CIPHER *cipher = SSL_get_current_cipher(client.ssl);
    changed->aead = SSL_CIPHER_is_aead(cipher);
    snprintf(changed->cipher, sizeof changed->cipher, "%s", SSL_CIPHER_get_name(cipher));
    ERR_clear_error();
    SSL_free(server.ssl);
    connection_close(c);
    return there;
}

static struct changed change_tls(int version)
{
    struct changed changed = {0};
    struct context *context =
        context_new(&(struct context_settings){.version_min = TLS1_2_VERSION,
                                               .version_max = TLS1_3_VERSION,
                                               .ecdsa = true,
                                               .folder = ask_folder()});
    for (size_t at = 0; change_byte(context_first(context), version, at, &changed); at += 2)
        ;
    context_free(context);
    return changed;
}

static void show(const char *what, const struct changed *changed)
{
    story_row("%s|%zu|%d|%d|%d", what, changed->record, changed->tries, changed->taken,
              changed->refused);
}

static const struct claim integrity = {
    "4.100", "guide §3.3, §3.5",
    "integrity: data has not been tampered with during transmission", HOLDS, NULL};
static const struct claim hmac = {
    "4.101", "load balancing", "TLS's integrity is an HMAC", NOT_HERE,
    "The cipher itself makes a tag of 16 bytes (AEAD): TLS 1.3 has no other ciphers (RFC 8446 "
    "§5.2). An HMAC of each record was TLS 1.2 with CBC; 1.3 uses HMAC for keys and Finished."};

void scene_tampering(void)
{
    story_say(
        "The server answers: \"%s\". A machine on the way changes one bit, in each try of "
        "another byte.",
        CONTENT);
    struct changed plain = change_plain();
    struct changed old = change_tls(TLS1_2_VERSION), tls = change_tls(TLS1_3_VERSION);
    story_head("the answer in|bytes|changed|taken as good|refused");
    show("plain HTTP", &plain);
    show("TLS 1.2", &old);
    show("TLS 1.3", &tls);
    bool all = tls.tries > (int)LENGTH / 2 && old.tries > (int)LENGTH / 2;
    claim_report(&integrity,
                 holds_if(all && plain.taken == plain.tries && tls.refused == tls.tries &&
                          old.refused == old.tries && tls.told == tls.tries &&
                          old.told == old.tries),
                 "of %d changed records the client refused %d, and told the server why; of %d "
                 "changed answers in plain HTTP it took %d",
                 tls.tries + old.tries, tls.refused + old.refused, plain.tries, plain.taken);
    claim_report(&hmac, tls.aead && old.aead ? NOT_HERE : HOLDS,
                 "%s and %s need none; a record of 1.3 has %zu bytes more than the message: "
                 "header 5, type 1, tag 16",
                 tls.cipher, old.cipher, tls.record - LENGTH);
}
