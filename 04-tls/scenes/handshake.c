// handshake.c: scene handshake: each message of a handshake, in TLS 1.3 and in 1.2. Read
// see_message() first.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "timeline.h"

#define MESSAGES_MAX 24

// The messages in their order, by their types (RFC 8446 §4, RFC 5246 §7.4).
static struct {
    int count, encrypted;
    uint8_t type[MESSAGES_MAX];
    bool to_server[MESSAGES_MAX], secret[MESSAGES_MAX];
    size_t bytes, certificate_bytes;
    bool changed[2]; // this direction is encrypted from now on
} seen;

// A ServerHello with this random asks for another ClientHello: it is SHA-256 of
// "HelloRetryRequest" (RFC 8446 §4.1.3).
static bool asks_again(const uint8_t *message, size_t length)
{
    static const uint8_t again[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                    0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                    0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    enum { RANDOM_AT = 6 }; // behind type, length and version
    return message[0] == SSL3_MT_SERVER_HELLO && length >= RANDOM_AT + sizeof again &&
           !memcmp(message + RANDOM_AT, again, sizeof again);
}

static const char *message_name(int type)
{
    static const char *const names[] = {[SSL3_MT_CLIENT_HELLO] = "ClientHello",
                                        [SSL3_MT_SERVER_HELLO] = "ServerHello",
                                        [SSL3_MT_NEWSESSION_TICKET] = "NewSessionTicket",
                                        [SSL3_MT_END_OF_EARLY_DATA] = "EndOfEarlyData",
                                        [SSL3_MT_ENCRYPTED_EXTENSIONS] = "EncryptedExtensions",
                                        [SSL3_MT_CERTIFICATE] = "Certificate",
                                        [SSL3_MT_SERVER_KEY_EXCHANGE] = "ServerKeyExchange",
                                        [SSL3_MT_CERTIFICATE_REQUEST] = "CertificateRequest",
                                        [SSL3_MT_SERVER_DONE] = "ServerHelloDone",
                                        [SSL3_MT_CERTIFICATE_VERIFY] = "CertificateVerify",
                                        [SSL3_MT_CLIENT_KEY_EXCHANGE] = "ClientKeyExchange",
                                        [SSL3_MT_FINISHED] = "Finished"};
    if (type >= (int)(sizeof names / sizeof *names) || !names[type])
        return "another";
    return names[type];
}

// OpenSSL calls this for each message that it sends or has read, decrypted; and for the header
// of each record, as it is on the wire.
static void see_message(int to_server, int version, int content, const void *bytes,
                        size_t length, SSL *ssl, void *argument)
{
    const uint8_t *message = bytes;
    char label[80];
    (void)version, (void)argument;
    if (content == SSL3_RT_HEADER && message[0] == SSL3_RT_APPLICATION_DATA)
        seen.changed[to_server] = true; // in 1.3 each encrypted record has this type
    if (content == SSL3_RT_HEADER && message[0] == SSL3_RT_CHANGE_CIPHER_SPEC) {
        // This is no message of the handshake. TLS 1.2 encrypts from here on. In 1.3 it means
        // nothing; it is sent because some old boxes on the way expect it (RFC 8446 §D.4).
        timeline_arrow(now_ns(), to_server, "(ChangeCipherSpec, 1 byte)", NULL);
        seen.changed[to_server] = SSL_version(ssl) == TLS1_2_VERSION;
    }
    if (content != SSL3_RT_HANDSHAKE || seen.count == MESSAGES_MAX)
        return;
    const char *name = message_name(message[0]), *hidden = "";
    if (asks_again(message, length))
        name = "HelloRetryRequest";
    if (seen.changed[to_server])
        hidden = ", encrypted";
    snprintf(label, sizeof label, "%s, %zu bytes%s", name, length, hidden);
    timeline_arrow(now_ns(), to_server, label, NULL);
    seen.type[seen.count] = message[0];
    seen.secret[seen.count] = seen.changed[to_server];
    seen.to_server[seen.count++] = to_server;
    seen.encrypted += seen.changed[to_server];
    seen.bytes += length;
    if (message[0] == SSL3_MT_CERTIFICATE)
        seen.certificate_bytes = length;
}

// True if these were the messages, in this order. Tickets do not count: they may come or not.
static bool were(const char *types)
{
    size_t at = 0;
    for (int i = 0; i < seen.count; i++) {
        if (seen.type[i] == SSL3_MT_NEWSESSION_TICKET)
            continue;
        if (types[at] != (char)seen.type[i])
            return false;
        at++;
    }
    return types[at] == '\0';
}

// Shows one connection with one request on the timeline. True if its messages were these.
static bool show_handshake(int version, const char *types)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.message = see_message;
    memset(&seen, 0, sizeof seen);
    struct connection *c = connection_prepare(&settings);
    story_timeline();
    story_event("connect(): first comes TCP's handshake");
    if (connection_start(c, &settings))
        story_event("the handshake is done: GET /");
    if (!ask(c, "GET", "/", NULL, &reply))
        die("no answer from the server: %s", c->why);
    story_event("%d, %llu bytes", reply.status, (unsigned long long)reply.length);
    story_quiet(true);
    connection_close(c);
    return were(types);
}

static const struct claim order = {
    "4.11", "guide §3.3, §3.5", "ClientHello, ServerHello, certificate, key exchange, Finished",
    HOLDS, NULL};
static const struct claim one_message = {
    "4.12", "guide §3.5", "1.3: certificate and key parameters come in one message", NOT_HERE,
    "They come in one flight, but in several messages: the key share is in the ServerHello, "
    "and "
    "all later messages are encrypted with it, also the certificate (RFC 8446 §2)."};

void scene_handshake(void)
{
    // The types of the messages. 12 is ServerKeyExchange: TLS 1.2 sends its key parameters in a
    // message of their own, with a signature.
    static const char of_1_3[] = {1, 2, 8, 11, 15, 20, 20, 0};
    static const char of_1_2[] = {1, 2, 11, 12, 14, 16, 20, 20, 0};
    story_say(
        "Each message of the handshake, when the client sends it or has read it. TLS 1.3:");
    bool good_1_3 = show_handshake(TLS1_3_VERSION, of_1_3);
    int between = 0, hidden = 0, encrypted = seen.encrypted;
    for (int i = 0; i < seen.count && seen.type[i] != SSL3_MT_NEWSESSION_TICKET; i++) {
        between += !seen.to_server[i];
        hidden += !seen.to_server[i] && seen.secret[i];
    }
    size_t bytes_1_3 = seen.bytes, certificate_1_3 = seen.certificate_bytes;
    int count_1_3 = seen.count;
    story_say("TLS 1.2 needs one round trip more:");
    bool good_1_2 = show_handshake(TLS1_2_VERSION, of_1_2);
    story_head("|messages|bytes|certificates|encrypted");
    story_row("TLS 1.3|%d|%zu|%zu|%d", count_1_3, bytes_1_3, certificate_1_3, encrypted);
    story_row("TLS 1.2|%d|%zu|%zu|%d", seen.count, seen.bytes, seen.certificate_bytes,
              seen.encrypted);
    const char *in_1_3 = "other messages", *in_1_2 = "other messages";
    if (good_1_3)
        in_1_3 = "in this order, with the key exchange in the two Hellos";
    if (good_1_2)
        in_1_2 = "in this order, with the key exchange after the certificate";
    enum verdict verdict = UNCLEAR;
    if (good_1_3 && good_1_2)
        verdict = HOLDS;
    claim_report(&order, verdict, "1.3: %s; 1.2: %s", in_1_3, in_1_2);
    verdict = UNCLEAR;
    if (good_1_3 && between == 5 && hidden == 4)
        verdict = NOT_HERE;
    claim_report(&one_message, verdict,
                 "%d messages in the server's flight, %d of them encrypted", between, hidden);
}
