// handshake.c: scene handshake: each message of a handshake, in TLS 1.3 and in 1.2. Read
// see_message() first.
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "connect.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"
#include "timeline.h"

#define MESSAGES_MAX 24
#define PACKETS_MAX  200

// One connection with one request. The messages in their order, by their types (RFC 8446 §4,
// RFC 5246 §7.4).
struct handshake {
    int count, encrypted;
    uint8_t type[MESSAGES_MAX];
    bool to_server[MESSAGES_MAX], secret[MESSAGES_MAX];
    size_t bytes, certificate_bytes;
    bool changed[2]; // this direction is encrypted from now on
    size_t record;   // bytes of the last record to the server, with its header
    int segments;    // of the server's first flight, if there is a wire
    int ip_header;   // bytes, in front of the request, if there is a wire; and of TCP's header
    int tcp_header;
};

static struct handshake seen;
static bool drawn; // on the timeline

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
    if (content == SSL3_RT_HEADER && to_server)
        seen.record = length + (size_t)(message[3] << 8) + message[4];
    if (content == SSL3_RT_HEADER && message[0] == SSL3_RT_APPLICATION_DATA)
        seen.changed[to_server] = true; // in 1.3 each encrypted record has this type
    if (content == SSL3_RT_HEADER && message[0] == SSL3_RT_CHANGE_CIPHER_SPEC) {
        // This is no message of the handshake. TLS 1.2 encrypts from here on. In 1.3 it means
        // nothing; it is sent because some old boxes on the way expect it (RFC 8446 §D.4).
        if (drawn)
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
    if (drawn)
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
static bool were(const struct handshake *handshake, const char *types)
{
    size_t at = 0;
    for (int i = 0; i < handshake->count; i++) {
        if (handshake->type[i] == SSL3_MT_NEWSESSION_TICKET)
            continue;
        if (types[at] != (char)handshake->type[i])
            return false;
        at++;
    }
    return types[at] == '\0';
}

// Looks at the packets since `mark`.
static void look_at_packets(uint32_t mark)
{
    static struct packet packets[PACKETS_MAX];
    bool client_sends = false, begun[2] = {false, false};
    uint32_t next_seq[2] = {0, 0}; // of the server, of the client
    int flights = 0;               // of the client
    int port = 0;                  // of the client: the connection before may still be closing
    uint32_t count = packet_log_read(mark, packets, PACKETS_MAX);
    for (const struct packet *p = packets; p < packets + count; p++) {
        uint32_t end_seq = p->seq + p->payload;
        if (p->to_server && (p->flags & TCP_SYN))
            port = p->source_port;
        if (p->payload == 0 || (p->source_port != port && p->destination_port != port))
            continue;
        if (begun[p->to_server] && (int32_t)(end_seq - next_seq[p->to_server]) <= 0)
            continue; // a busy machine has sent it again
        begun[p->to_server] = true;
        next_seq[p->to_server] = end_seq;
        if (p->to_server) {
            seen.ip_header = p->length - p->header - p->payload;
            seen.tcp_header = p->header;
        }
        flights += p->to_server && !client_sends;
        client_sends = p->to_server;
        seen.segments += !p->to_server && flights == 1;
    }
}

// One connection with one request. The server shows its RSA certificate if `signatures` (a list
// of OpenSSL's; NULL: all) has no others.
static struct handshake shake_hands(int version, const char *signatures)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.message = see_message;
    seen = (struct handshake){0};
    struct connection *c = connection_prepare(&settings);
    if (signatures && !SSL_set1_sigalgs_list(c->ssl, signatures))
        die("OpenSSL does not know %s", signatures);
    uint32_t mark = packet_log_mark();
    if (connection_start(c, &settings) && drawn)
        story_event("the handshake is done: GET /");
    if (!ask(c, "GET", "/", NULL, &reply))
        die("no answer from the server: %s", c->why);
    if (drawn)
        story_event("%d, %llu bytes", reply.status, (unsigned long long)reply.length);
    if (packet_log()->tunnel)
        look_at_packets(mark);
    struct handshake result = seen;
    connection_close(c);
    return result;
}

// The same on the timeline.
static struct handshake show_handshake(int version)
{
    story_timeline();
    story_event("connect(): first comes TCP's handshake");
    drawn = true;
    struct handshake shown = shake_hands(version, NULL);
    drawn = false;
    story_quiet(true);
    return shown;
}

static void show_row(const char *name, const struct handshake *handshake)
{
    char segments[20] = "?";
    if (packet_log()->tunnel)
        snprintf(segments, sizeof segments, "%d", handshake->segments);
    story_row("%s|%d|%zu|%zu|%d|%s", name, handshake->count, handshake->bytes,
              handshake->certificate_bytes, handshake->encrypted, segments);
}

static const struct claim order = {
    "4.11", "guide §3.3, §3.5", "ClientHello, ServerHello, certificate, key exchange, Finished",
    HOLDS, NULL};
static const struct claim one_message = {
    "4.12", "guide §3.5", "1.3: certificate and key parameters come in one message", NOT_HERE,
    "They come in one flight, but in several messages: the key share is in the ServerHello, "
    "and "
    "all later messages are encrypted with it, also the certificate (RFC 8446 §2)."};

static const struct claim large = {"4.106", "guide §3.3, §3.5",
                                   "certificates can be large, requiring multiple TCP segments",
                                   HOLDS, NULL};
static const struct claim headers = {
    "4.107", "load balancing", "around the data: 20 bytes of IP, 20 of TCP, 5 and more of TLS",
    NOT_HERE,
    "TCP's header has 12 bytes of options in each segment: Linux sends timestamps (RFC 7323), "
    "as most systems do. And a record has 17 bytes more than its header: type and tag."};

// What the packets show: needs the wire.
static void report_packets(const struct handshake *ecdsa, const struct handshake *rsa)
{
    char request[ASK_BYTES];
    size_t record = ecdsa->record - strlen(ask_text(request, "GET", WORKBENCH, "/", NULL));
    enum verdict verdict = UNCLEAR;
    if (!packet_log()->tunnel) {
        claim_skip(&large);
        claim_skip(&headers);
        return;
    }
    if (packet_log()->loss > 0)
        claim_report(&large, SKIPPED, "on this link packets are lost, and sent again");
    else
        claim_report(
            &large,
            holds_if(rsa->segments > 1 && rsa->certificate_bytes > ecdsa->certificate_bytes),
            "with RSA %zu bytes of certificates, and %d segments; with ECDSA %zu bytes, "
            "and %d",
            rsa->certificate_bytes, rsa->segments, ecdsa->certificate_bytes, ecdsa->segments);
    if (ecdsa->tcp_header == 32 && record == 22)
        verdict = NOT_HERE;
    else if (ecdsa->tcp_header == 20)
        verdict = HOLDS;
    claim_report(&headers, verdict, "around the request: %d bytes of IP, %d of TCP, %zu of TLS",
                 ecdsa->ip_header, ecdsa->tcp_header, record);
}

void scene_handshake(void)
{
    // The types of the messages. 12 is ServerKeyExchange: TLS 1.2 sends its key parameters in a
    // message of their own, with a signature.
    static const char of_1_3[] = {1, 2, 8, 11, 15, 20, 20, 0};
    static const char of_1_2[] = {1, 2, 11, 12, 14, 16, 20, 20, 0};
    story_say(
        "Each message of the handshake, when the client sends it or has read it. TLS 1.3:");
    struct handshake newer = show_handshake(TLS1_3_VERSION);
    int between = 0, hidden = 0;
    for (int i = 0; i < newer.count && newer.type[i] != SSL3_MT_NEWSESSION_TICKET; i++) {
        between += !newer.to_server[i];
        hidden += !newer.to_server[i] && newer.secret[i];
    }
    story_say("TLS 1.2 needs one round trip more:");
    struct handshake older = show_handshake(TLS1_2_VERSION);
    struct handshake rsa = shake_hands(TLS1_3_VERSION, "rsa_pss_rsae_sha256");
    story_head("|messages|bytes|the chain|encrypted|segments");
    show_row("TLS 1.3", &newer);
    show_row("TLS 1.2", &older);
    show_row("TLS 1.3, RSA", &rsa);
    story_say("(The chain: bytes of certificates. Segments: of the server's first flight.)");
    bool good_1_3 = were(&newer, of_1_3), good_1_2 = were(&older, of_1_2);
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
    report_packets(&newer, &rsa);
}
