// forward_secrecy.c: scene forward_secrecy: an attacker records a session today, and steals the
// server's private key years later. Can it read the recording then? decrypt.c is the attacker's
// program.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "decrypt.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define WITH_RSA   "AES128-GCM-SHA256" // as OpenSSL calls TLS_RSA_WITH_AES_128_GCM_SHA256
#define WITH_ECDHE "ECDHE-RSA-AES128-GCM-SHA256"
#define SECRET     "card=4111-1111-1111-1111&pin=0815"
#define HEX_SHOWN  16 // bytes

static EVP_PKEY *steal_key(void)
{
    struct certificate_files files = ask_files(CERTIFICATE_SERVER_RSA);
    FILE *file = fopen(files.key, "re");
    EVP_PKEY *key = NULL;
    if (file)
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    if (!key)
        die("cannot read the server's key %s", files.key);
    fclose(file);
    return key;
}

// One session with a request that no other program should read. NULL if the server does not
// agree to this cipher.
static struct connection *record_session(const char *cipher, int version)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.ciphers = cipher;
    struct connection *c = connection_open(&settings);
    if (c->up && ask(c, "POST", "/echo", SECRET, &reply) && !strcmp(reply.content, SECRET))
        return c;
    connection_close(c);
    return NULL;
}

static void show_hex(const char *what, const uint8_t *bytes, size_t length)
{
    char hex[2 * HEX_SHOWN + 4];
    for (size_t i = 0; i < HEX_SHOWN; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    if (length > HEX_SHOWN)
        strcat(hex, "...");
    story_say("    %-20s %s  %zu bytes", what, hex, length);
}

// Shows the first lines of a decrypted text, with its sender before the first one.
static void show_plain(const char *sender, const char *text)
{
    char line[81];
    for (int i = 0; i < 8 && *text; i++) {
        size_t length = strcspn(text, "\r\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        story_say("    %-7s | %s", sender, line);
        sender = "";
        text += length + (text[length] == '\r');
        text += *text == '\n';
    }
}

// The attacker's part: decrypts the recording with the key. Returns how many bytes it can read.
static size_t open_session(struct connection *c, EVP_PKEY *key, struct loot *loot)
{
    const struct recording *recording = &c->recording;
    decrypt_recording((struct bytes){recording->bytes[true], recording_kept(recording, true)},
                      (struct bytes){recording->bytes[false], recording_kept(recording, false)},
                      key, loot);
    connection_close(c);
    if (loot->why)
        return 0;
    return loot->length[0] + loot->length[1];
}

static void show_loot(const struct loot *loot)
{
    story_say("");
    if (loot->why) {
        story_say("The key does not open the recording: %s.", loot->why);
        return;
    }
    story_say("From the recording, with the key, step by step:");
    show_hex("premaster secret", loot->premaster, PREMASTER_BYTES);
    show_hex("master secret", loot->master, MASTER_BYTES);
    show_hex("the client's key", loot->key[true], DECRYPT_KEY_BYTES);
    show_hex("the server's key", loot->key[false], DECRYPT_KEY_BYTES);
    story_say("");
    show_plain("client", loot->plain[true]);
    show_plain("server", loot->plain[false]);
}

static const char *result(const struct loot *loot)
{
    if (loot->why)
        return loot->why;
    return "plaintext";
}

static const struct claim forward = {
    "4.3", "guide §3.3, §3.5", "RSA key exchange lacks forward secrecy; Diffie-Hellman has it",
    HOLDS, NULL};

static const struct claim never_sent = {
    "4.99", "guide §3.3",
    "by Diffie-Hellman or RSA both derive the key without ever sending it", NOT_HERE,
    "With RSA the client sends the secret, encrypted, from which both derive the keys (RFC "
    "5246 "
    "§7.4.7.1). By Diffie-Hellman only public keys travel."};

static void report_sent(const struct loot *rsa, const struct loot *ecdhe, bool secret,
                        bool others)
{
    enum verdict verdict = UNCLEAR;
    if (secret && !others && rsa->key_bytes > 0)
        verdict = NOT_HERE;
    claim_report(&never_sent, verdict,
                 "with RSA %zu bytes travel, and whoever can decrypt them has the keys; by "
                 "Diffie-Hellman %zu bytes, of no use to the thief",
                 rsa->key_bytes, ecdhe->key_bytes);
}

void scene_forward_secrecy(void)
{
    static struct loot with_rsa, with_ecdhe, with_1_3;
    struct connection *old = record_session(WITH_RSA, TLS1_2_VERSION);
    if (!old) {
        claim_report(&forward, SKIPPED,
                     "this server does not accept RSA key exchange, and rightly so: --ciphers "
                     "ECDHE+AESGCM:" WITH_RSA);
        claim_report(&never_sent, SKIPPED, "the same");
        return;
    }
    struct connection *ecdhe = record_session(WITH_ECDHE, TLS1_2_VERSION);
    struct connection *modern = record_session(NULL, TLS1_3_VERSION);
    if (!ecdhe || !modern)
        die("the server does not agree to " WITH_ECDHE ", or not to TLS 1.3");
    story_say(
        "For this scene only, the server accepts RSA key exchange (--ciphers), as servers did "
        "until 2014. Three sessions are recorded; then the server's private key is stolen.");
    EVP_PKEY *key = steal_key();
    size_t opened = open_session(old, key, &with_rsa);
    size_t opened_ecdhe = open_session(ecdhe, key, &with_ecdhe);
    size_t opened_1_3 = open_session(modern, key, &with_1_3);
    EVP_PKEY_free(key);
    show_loot(&with_rsa);
    story_say("");
    story_say("%-16s%s", "recorded", "what the client sent, and what the stolen key decrypts");
    if (with_rsa.why)
        story_say("TLS 1.2, RSA    %s", with_rsa.why);
    else
        story_say("TLS 1.2, RSA    %s: %zu bytes; %zu bytes of plaintext", with_rsa.key_message,
                  with_rsa.key_bytes, opened);
    if (!with_ecdhe.key_message)
        story_say("TLS 1.2, ECDHE  %s", result(&with_ecdhe));
    else
        story_say("TLS 1.2, ECDHE  %s: %zu bytes; %s", with_ecdhe.key_message,
                  with_ecdhe.key_bytes, result(&with_ecdhe));
    story_say("TLS 1.3         a public key, in its Hello; %s", result(&with_1_3));
    bool secret = !with_rsa.why && strstr(with_rsa.plain[true], SECRET) &&
                  strstr(with_rsa.plain[false], SECRET);
    bool held = secret && !opened_ecdhe && !opened_1_3;
    enum verdict verdict = UNCLEAR;
    const char *because = "";
    if (opened_ecdhe || opened_1_3)
        verdict = NOT_HERE;
    if (held) {
        verdict = HOLDS;
        because = ". With ECDHE the stolen key was only used to sign; the keys of the exchange "
                  "are deleted";
    }
    claim_report(&forward, verdict,
                 "bytes of plaintext: with RSA %zu, with ECDHE %zu, with 1.3 %zu%s", opened,
                 opened_ecdhe, opened_1_3, because);
    report_sent(&with_rsa, &with_ecdhe, secret, opened_ecdhe || opened_1_3);
}
