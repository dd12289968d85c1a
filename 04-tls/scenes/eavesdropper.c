// eavesdropper.c: scene eavesdropper: what a machine on the way can read of a connection
// without any key, in TLS 1.2 and in 1.3.
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "claim.h"
#include "dissect.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define SECRET      "the-password-is-mellon"
#define RECORDS_MAX 40
#define TEXT        120
#define ANSWER      3000 // bytes of content: more than the certificates have
#define MORE        23

// What a recording shows without any key.
struct found {
    char name[TEXT];                 // the server's name, in the ClientHello (SNI)
    char offered[TEXT];              // the protocols that the client offers (ALPN)
    char chosen[TEXT];               // the protocol that the server chooses
    char certificate[TEXT];          // the common name of the server's certificate
    int lengths[RECORDS_MAX], count; // the server's records of data, in bytes
    bool secret;                     // the request stands there in plain text
};

static void put_text(char to[TEXT], struct bytes text)
{
    size_t length = text.length;
    if (length > TEXT - 1)
        length = TEXT - 1;
    snprintf(to, TEXT, "%.*s", (int)length, text.at);
}

static void read_certificate(struct bytes handshake, char to[TEXT])
{
    struct message message;
    struct bytes der;
    if (!dissect_find(handshake, MESSAGE_CERTIFICATE, &message) ||
        !dissect_certificate(&message, &der))
        return;
    const unsigned char *at = der.at;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, to, TEXT);
    X509_free(certificate);
}

static void read_hellos(struct bytes to_server, struct bytes to_client, struct found *found)
{
    static uint8_t from_client[DISSECT_MESSAGES], from_server[DISSECT_MESSAGES];
    struct message message;
    struct hello hello;
    struct bytes client = dissect_handshake(to_server, from_client);
    struct bytes server = dissect_handshake(to_client, from_server);
    if (dissect_find(client, MESSAGE_CLIENT_HELLO, &message) &&
        dissect_hello(&message, &hello)) {
        put_text(found->name, hello.name);
        snprintf(found->offered, TEXT, "%s", hello.protocols);
    }
    if (dissect_find(server, MESSAGE_SERVER_HELLO, &message) &&
        dissect_hello(&message, &hello)) {
        snprintf(found->chosen, TEXT, "%s", hello.protocols);
    }
    read_certificate(server, found->certificate);
}

static bool contains(struct bytes bytes, const char *text)
{
    return memmem(bytes.at, bytes.length, text, strlen(text));
}

static void listen_to(const struct recording *recording, struct found *found)
{
    *found = (struct found){.count = 0};
    struct bytes to_server = {recording->bytes[true], recording_kept(recording, true)};
    struct bytes to_client = {recording->bytes[false], recording_kept(recording, false)};
    struct record record;
    found->secret = contains(to_server, SECRET) || contains(to_server, "HTTP/1.1") ||
                    contains(to_client, SECRET) || contains(to_client, "HTTP/1.1");
    read_hellos(to_server, to_client, found);
    while (dissect_record(&to_client, &record))
        if (record.type == RECORD_DATA && found->count < RECORDS_MAX)
            found->lengths[found->count++] = (int)record.body.length;
}

// Opens a connection, sends two requests, and looks at the bytes as a machine on the way sees
// them.
static void overhear(int version, int length, struct found *found)
{
    char path[TEXT];
    struct reply reply = {0};
    struct connect_settings settings = ask_settings();
    settings.version = version;
    settings.alpn = "http/1.1,echo/1";
    snprintf(path, sizeof path, "/bytes?n=%d", length);
    struct connection *c = connection_open(&settings);
    if (!ask(c, "GET", path, NULL, &reply) || reply.length != (uint64_t)length)
        die("no answer from the server: %s", c->why);
    if (!ask(c, "POST", "/echo", SECRET, &reply) || strcmp(reply.content, SECRET))
        die("no answer from the server: %s", c->why);
    listen_to(&c->recording, found);
    connection_close(c);
}

// Writes the sizes of the server's records of data, with a space before each.
static const char *sizes(const struct found *found, char text[TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < found->count; i++)
        if (length < TEXT - 8)
            length += (size_t)snprintf(text + length, TEXT - length, " %d", found->lengths[i]);
    return text;
}

// The longest of the server's records: the answer.
static int longest(const struct found *found)
{
    int length = 0;
    for (int i = 0; i < found->count; i++)
        if (found->lengths[i] > length)
            length = found->lengths[i];
    return length;
}

// One line: what was read in TLS 1.2, and in TLS 1.3.
static void show(const char *what, const char *older, const char *newer)
{
    if (!*older)
        older = "(encrypted)";
    if (!*newer)
        newer = "(encrypted)";
    story_say("%-34s%-24s%s", what, older, newer);
}

static const char *readable(bool secret)
{
    if (secret)
        return "readable";
    return "";
}

static const struct claim encrypted = {
    "4.16", "guide §3.3, §3.5", "encryption: only the intended recipient can read the data",
    HOLDS, NULL};
static const struct claim everything = {"4.17", "load balancing",
                                        "TLS encrypts everything above it", HOLDS, NULL};

void scene_eavesdropper(void)
{
    struct found older, newer, longer;
    char text[TEXT];
    overhear(TLS1_2_VERSION, ANSWER, &older);
    overhear(TLS1_3_VERSION, ANSWER, &newer);
    overhear(TLS1_3_VERSION, ANSWER + MORE, &longer);
    story_say(
        "GET /bytes?n=%d, and a POST with a password. A machine on the way, without any key, "
        "can read this:",
        ANSWER);
    story_say("");
    show("", "TLS 1.2", "TLS 1.3");
    show("the server's name (SNI)", older.name, newer.name);
    show("the protocols that are offered", older.offered, newer.offered);
    show("the protocol that is chosen", older.chosen, newer.chosen);
    show("the server's certificate", older.certificate, newer.certificate);
    show("method, path, fields, content", readable(older.secret), readable(newer.secret));
    story_say("");
    story_say("The server's records of data in TLS 1.3, in bytes:");
    story_say("   %s   n=%d", sizes(&newer, text), ANSWER);
    story_say("   %s   n=%d", sizes(&longer, text), ANSWER + MORE);
    enum verdict verdict = HOLDS;
    if (older.secret || newer.secret)
        verdict = NOT_HERE;
    claim_report(&encrypted, verdict,
                 "neither the password nor \"HTTP/1.1\" is among the bytes");
    int grown = longest(&longer) - longest(&newer);
    bool seen = !strcmp(older.name, WORKBENCH) && !strcmp(newer.name, WORKBENCH) &&
                strstr(newer.offered, "http/1.1") && grown == MORE;
    bool hidden = *older.certificate && !*newer.certificate && *older.chosen && !*newer.chosen;
    claim_report(&everything, holds_if(!older.secret && !newer.secret && seen && hidden),
                 "HTTP yes; but not TLS's own: the name %s (RFC 6066 §3), and in 1.2 the "
                 "certificate; nor the length: of an answer that is %d bytes longer the record "
                 "is %d longer, unless it is padded (RFC 8446 §5.4)",
                 newer.name, MORE, grown);
}
