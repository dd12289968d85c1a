// shaking.c: scenes handshake and roundtrips: the messages of TLS 1.2 and 1.3, and what they
// cost in time. Read see_message() first, then ways[].
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "connect.h"
#include "net.h"
#include "scenes.h"
#include "story.h"
#include "timeline.h"
#include "trips.h"

#define MESSAGES_MAX  24
#define TRIES         2
#define SESSIONS_KEPT 4
#define RTT_MIN_MS    10

// ---- handshake -----------------------------------------------------------------------------

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
    return type < (int)(sizeof names / sizeof *names) && names[type] ? names[type] : "another";
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
        seen.changed[to_server] = true; // how everything looks that 1.3 encrypts
    if (content == SSL3_RT_HEADER && message[0] == SSL3_RT_CHANGE_CIPHER_SPEC) {
        // No message of the handshake. 1.2 encrypts from here on; in 1.3 it is an ornament, for
        // old boxes on the way that would miss it (RFC 8446 §D.4).
        timeline_arrow(now_ns(), to_server, "(ChangeCipherSpec, 1 byte)", NULL);
        seen.changed[to_server] = SSL_version(ssl) == TLS1_2_VERSION;
    }
    if (content != SSL3_RT_HANDSHAKE || seen.count == MESSAGES_MAX)
        return;
    snprintf(label, sizeof label, "%s, %zu bytes%s",
             asks_again(message, length) ? "HelloRetryRequest" : message_name(message[0]),
             length, seen.changed[to_server] ? ", encrypted" : "");
    timeline_arrow(now_ns(), to_server, label, NULL);
    seen.type[seen.count] = message[0];
    seen.secret[seen.count] = seen.changed[to_server];
    seen.to_server[seen.count++] = to_server;
    seen.encrypted += seen.changed[to_server];
    seen.bytes += length;
    if (message[0] == SSL3_MT_CERTIFICATE)
        seen.certificate_bytes = length;
}

// True if these were the messages, in this order; tickets, which may come or not, aside.
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

// One connection with one request on the timeline. Returns true if the messages were these.
static bool show_handshake(int version, const char *types)
{
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.message = see_message;
    memset(&seen, 0, sizeof seen);
    struct connection *c = connection_prepare(&settings);
    story_timeline();
    story_event("connect(): first of all TCP's handshake");
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
    "4.11", "guide §3.3", "ClientHello, ServerHello, certificate, key exchange, Finished",
    HOLDS, NULL};
static const struct claim one_message = {
    "4.12", "guide §3.5", "1.3: certificate and key parameters come in one message", NOT_HERE,
    "In one flight, but in messages of their own: the key share is in the ServerHello, and all "
    "that follows it is encrypted with it already, the certificate too (RFC 8446 §2)."};

void scene_handshake(void)
{
    // ServerKeyExchange: 1.2 has its key parameters in a message of their own, signed.
    static const char of_1_3[] = {1, 2, 8, 11, 15, 20, 20, 0};
    static const char of_1_2[] = {1, 2, 11, 12, 14, 16, 20, 20, 0};
    story_say("Every message of the handshake, as the client sends it or has it. TLS 1.3:");
    bool good_1_3 = show_handshake(TLS1_3_VERSION, of_1_3);
    int between = 0, hidden = 0, encrypted = seen.encrypted;
    for (int i = 0; i < seen.count && seen.type[i] != SSL3_MT_NEWSESSION_TICKET; i++) {
        between += !seen.to_server[i];
        hidden += !seen.to_server[i] && seen.secret[i];
    }
    size_t bytes_1_3 = seen.bytes, certificate_1_3 = seen.certificate_bytes;
    int count_1_3 = seen.count;
    story_say("And TLS 1.2, which needs one round trip more:");
    bool good_1_2 = show_handshake(TLS1_2_VERSION, of_1_2);
    story_head("|messages|bytes|certificates|encrypted");
    story_row("TLS 1.3|%d|%zu|%zu|%d", count_1_3, bytes_1_3, certificate_1_3, encrypted);
    story_row("TLS 1.2|%d|%zu|%zu|%d", seen.count, seen.bytes, seen.certificate_bytes,
              seen.encrypted);
    claim_report(
        &order, good_1_3 && good_1_2 ? HOLDS : UNCLEAR, "1.3: %s; 1.2: %s",
        good_1_3 ? "in this order, the key exchange in the two Hellos" : "other messages",
        good_1_2 ? "in this order, the key exchange after the certificate" : "other messages");
    claim_report(&one_message, good_1_3 && between == 5 && hidden == 4 ? NOT_HERE : UNCLEAR,
                 "%d messages in the server's flight, %d of them encrypted", between, hidden);
}

// ---- roundtrips ----------------------------------------------------------------------------

const char *scene_no_round_trips(void)
{
    if (packet_log()->rtt_ms < RTT_MIN_MS)
        return "the way is too short to count round trips: --rtt 10 or more";
    if (packet_log()->loss > 0)
        return "a packet that is lost costs round trips as well";
    return NULL;
}

enum way { PLAIN_TCP, FULL_1_2, RESUMED_1_2, FULL_1_3, RESUMED_1_3, EARLY_1_3, WAYS };

// Of several tries the best: a busy machine takes longer, never shorter.
struct taken {
    double ms; // to the first byte of an answer; 0: it did not go this way
    int trips;
};

static const struct {
    const char *name;
    int version, round_trips; // with TCP's own and the request's
    bool resumed, early;
} ways[WAYS] = {[PLAIN_TCP] = {"plain HTTP", 0, 2, false, false},
                [FULL_1_2] = {"TLS 1.2", TLS1_2_VERSION, 4, false, false},
                [RESUMED_1_2] = {"TLS 1.2, resumed", TLS1_2_VERSION, 3, true, false},
                [FULL_1_3] = {"TLS 1.3", TLS1_3_VERSION, 3, false, false},
                [RESUMED_1_3] = {"TLS 1.3, resumed", TLS1_3_VERSION, 3, true, false},
                [EARLY_1_3] = {"TLS 1.3, with 0-RTT", TLS1_3_VERSION, 2, true, true}};

static void note(struct taken *taken, double ms, int trips)
{
    if (taken->ms == 0 || ms < taken->ms)
        taken->ms = ms;
    if (taken->trips == 0 || trips < taken->trips)
        taken->trips = trips;
}

// The port is for HTTPS: to plain HTTP the answer is a 400, but it comes as fast as any other.
static void try_plain(struct taken *taken)
{
    char text[ASK_BYTES];
    uint32_t mark = packet_log_mark();
    int64_t start_ns = now_ns();
    int fd = connect_tcp();
    ask_text(text, "GET", WORKBENCH, "/", NULL);
    if (!write_all(fd, text, strlen(text)) || read(fd, text, sizeof text) < 12 ||
        memcmp(text, "HTTP/1.1 400", 12))
        die("plain HTTP got no answer");
    note(taken, (double)(now_ns() - start_ns) / 1e6, trips_count(mark, fd, 12));
    close(fd);
}

// Sessions that the server has given, and that are not used yet: of 1.2, of 1.3. One of 1.3 is
// good for one time only.
static SSL_SESSION *sessions[2][SESSIONS_KEPT];
static int session_count[2];

static SSL_SESSION *take_session(enum way way)
{
    int *count = &session_count[ways[way].version == TLS1_3_VERSION];
    return *count ? sessions[ways[way].version == TLS1_3_VERSION][--*count] : NULL;
}

static void keep_session(enum way way, struct connection *c)
{
    int *count = &session_count[ways[way].version == TLS1_3_VERSION];
    if (c->session && *count < SESSIONS_KEPT) {
        sessions[ways[way].version == TLS1_3_VERSION][(*count)++] = c->session;
        c->session = NULL;
    }
}

static void try_way(enum way way, struct taken *taken)
{
    char text[ASK_BYTES];
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    SSL_SESSION *session = ways[way].resumed ? take_session(way) : NULL;
    ask_text(text, "GET", WORKBENCH, "/", NULL);
    settings.version = ways[way].version;
    settings.session = session;
    settings.early = ways[way].early && session ? text : NULL;
    uint32_t mark = packet_log_mark();
    struct connection *c = connection_open(&settings);
    bool as_wanted = c->up && SSL_session_reused(c->ssl) == ways[way].resumed &&
                     c->early_taken == ways[way].early;
    if (c->up && (c->early_taken || connection_send(c, text, strlen(text))))
        ask_read(c, &reply);
    if (!reply.whole)
        die("no answer from the server: %s", c->why);
    if (as_wanted)
        note(taken, (double)(reply.first_ns - c->started_ns) / 1e6,
             trips_count(mark, c->tap.fd, reply.first_at));
    keep_session(way, c);
    SSL_SESSION_free(session);
    connection_close(c);
}

static const struct claim round_trips = {"4.1", "guide §3.3, §3.5",
                                         "1.2 takes two round trips, 1.3 one, and 0-RTT none",
                                         HOLDS, NULL};
static const struct claim two = {
    "4.2", "ch. 18.3", "a TLS handshake takes about 2 round trips (elsewhere: 2-4)", NOT_HERE,
    "Two were for TLS 1.2. A full handshake of 1.3, which nearly all use today, takes one, and "
    "a resumed one of 1.2 as well (RFC 8446 §2, RFC 5246 §7.3); more only after a "
    "HelloRetryRequest."};
static const struct claim ten_ms = {
    "4.13", "guide §3.5", "TLS adds only 10 to 20 ms to the connection's setup", NOT_HERE,
    "It adds round trips (RFC 8446 §2), and what these take is a matter of distance: "
    "nothing that a faster CPU could change."};

static void show_ways(const struct taken taken[WAYS])
{
    double longest = 0;
    bool counted = !scene_no_round_trips();
    story_head("the first byte of an answer|after|round trips|TCP|TLS|request");
    for (enum way w = 0; w < WAYS; w++) {
        longest = taken[w].ms > longest ? taken[w].ms : longest;
        if (taken[w].ms == 0)
            story_row("%s|not offered", ways[w].name);
        else if (!counted)
            story_row("%s|%.1f ms", ways[w].name, taken[w].ms);
        else
            story_row("%s|%.1f ms|%d|1|%d|%s", ways[w].name, taken[w].ms, taken[w].trips,
                      taken[w].trips - 2, ways[w].early ? "1 (with TLS)" : "1");
    }
    story_say("");
    for (enum way w = 0; w < WAYS; w++)
        if (taken[w].ms > 0)
            story_bar(ways[w].name, taken[w].ms, longest, "%.0f ms", taken[w].ms);
}

static void report_ways(const struct taken taken[WAYS])
{
    int plain = taken[PLAIN_TCP].trips;
    int full_1_2 = taken[FULL_1_2].trips - plain, full_1_3 = taken[FULL_1_3].trips - plain;
    bool right = true, all = true;
    for (enum way w = 0; w < WAYS; w++) {
        all = all && taken[w].ms > 0;
        right = right && taken[w].trips == ways[w].round_trips;
    }
    if (!all)
        claim_report(&round_trips, SKIPPED, "this server does not offer all: --early-data");
    else
        claim_report(&round_trips, right ? HOLDS : UNCLEAR,
                     "more than plain HTTP: %d, %d and %d round trips; resumed %d with 1.2 and "
                     "%d with 1.3",
                     full_1_2, full_1_3, taken[EARLY_1_3].trips - plain,
                     taken[RESUMED_1_2].trips - plain, taken[RESUMED_1_3].trips - plain);
    claim_report(&two,
                 full_1_2 == 2 && full_1_3 == 1 ? NOT_HERE
                 : full_1_3 >= 2                ? HOLDS
                                                : UNCLEAR,
                 "%d with 1.2, %d with 1.3, and TCP's own before it", full_1_2, full_1_3);
    double added = taken[FULL_1_3].ms - taken[PLAIN_TCP].ms;
    if (packet_log()->rtt_ms < 30)
        claim_report(&ten_ms, SKIPPED, "over so short a way it does: --rtt 30 or more");
    else
        claim_report(&ten_ms, added > 20 ? NOT_HERE : HOLDS,
                     "with a round trip of %g ms: %.0f ms with 1.3, %.0f with 1.2",
                     packet_log()->rtt_ms, added, taken[FULL_1_2].ms - taken[PLAIN_TCP].ms);
}

void scene_roundtrips(void)
{
    struct taken taken[WAYS] = {0};
    story_say(
        "A new connection and one request, six ways; of %d tries the best. Plain HTTP gets",
        TRIES);
    story_say("its answer from the same port: a 400 that says that this is the one for HTTPS.");
    for (int i = 0; i < TRIES; i++) {
        try_plain(&taken[PLAIN_TCP]);
        for (enum way w = FULL_1_2; w < WAYS; w++)
            try_way(w, &taken[w]);
    }
    for (enum way w = FULL_1_2; w < WAYS; w++)
        for (SSL_SESSION *session; (session = take_session(w));)
            SSL_SESSION_free(session);
    show_ways(taken);
    const char *why = scene_no_round_trips();
    const struct claim *const claims[] = {&round_trips, &two, &ten_ms};
    for (int i = 0; why && i < 3; i++)
        packet_log()->tunnel ? claim_report(claims[i], SKIPPED, "%s", why)
                             : claim_skip(claims[i]);
    if (!why)
        report_ways(taken);
}
