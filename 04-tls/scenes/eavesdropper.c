// eavesdropper.c: scene eavesdropper: what every machine on the way can read, in TLS 1.2 and in
// 1.3, and what it cannot.
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

// What a recording tells without any key.
struct found {
    char version[12], name[TEXT], offered[TEXT], chosen[TEXT], certificate[TEXT];
    int lengths[RECORDS_MAX], count; // of the records of data, > 0 to the server, < 0 from it
    bool secret;                     // the request, in plain text
};

static void put_text(char to[TEXT], struct bytes text)
{
    snprintf(to, TEXT, "%.*s", (int)(text.length < TEXT ? text.length : TEXT - 1), text.at);
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
        snprintf(found->version, sizeof found->version, "%s",
                 hello.version == 0x0304 ? "TLS 1.3" : "TLS 1.2");
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
    for (int to_server = 1; to_server >= 0; to_server--) {
        struct bytes bytes = {recording->bytes[to_server],
                              recording_kept(recording, to_server)};
        struct record record;
        found->secret = found->secret || contains(bytes, SECRET) || contains(bytes, "HTTP/1.1");
        while (dissect_record(&bytes, &record))
            if (record.type == RECORD_DATA && found->count < RECORDS_MAX)
                found->lengths[found->count++] = (int)record.body.length * (to_server ? 1 : -1);
    }
    read_hellos((struct bytes){recording->bytes[true], recording_kept(recording, true)},
                (struct bytes){recording->bytes[false], recording_kept(recording, false)},
                found);
}

// One connection with one request, as a machine on the way sees it. The server may have
// certificates for many names, and protocols.
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

// The sizes of the server's records of data, for people.
static const char *sizes(const struct found *found, char text[TEXT])
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < found->count; i++)
        if (found->lengths[i] < 0 && length < TEXT - 8)
            length += (size_t)snprintf(text + length, TEXT - length, "%s%d", length ? " " : "",
                                       -found->lengths[i]);
    return text;
}

// The longest of the server's records: the answer.
static int longest(const struct found *found)
{
    int length = 0;
    for (int i = 0; i < found->count; i++)
        if (-found->lengths[i] > length)
            length = -found->lengths[i];
    return length;
}

static void show(const char *what, const char *old, const char *new)
{
    story_say("%-34s%-24s%s", what, *old ? old : "(encrypted)", *new ? new : "(encrypted)");
}

static const struct claim encrypted = {
    "4.16", "guide §3.3", "encryption: only the intended recipient can read the data", HOLDS,
    NULL};
static const struct claim everything = {
    "4.17", "load balancing", "TLS encrypts everything above it", NOT_HERE,
    "Not whom you talk to: the name is sent before there are any keys (RFC 6066 §3; Encrypted "
    "ClientHello is meant to end that), and lengths are as they are unless somebody pads (RFC "
    "8446 §5.4)."};

void scene_eavesdropper(void)
{
    struct found old, new, longer;
    char text[TEXT];
    overhear(TLS1_2_VERSION, ANSWER, &old);
    overhear(TLS1_3_VERSION, ANSWER, &new);
    overhear(TLS1_3_VERSION, ANSWER + MORE, &longer);
    story_say(
        "GET /bytes?n=%d, and a POST with a password. Read from the bytes on the wire, by",
        ANSWER);
    story_say("somebody who has no key:");
    story_say("");
    show("", "TLS 1.2", "TLS 1.3");
    show("the name of the server (SNI)", old.name, new.name);
    show("protocols that are offered", old.offered, new.offered);
    show("the one that is chosen", old.chosen, new.chosen);
    show("the server's certificate", old.certificate, new.certificate);
    show("method, path, fields, content", old.secret ? "readable" : "",
         new.secret ? "readable" : "");
    story_say("");
    story_say("The server's records of data in 1.3, in bytes:");
    story_say("    %s   n=%d", sizes(&new, text), ANSWER);
    story_say("    %s   n=%d", sizes(&longer, text), ANSWER + MORE);
    claim_report(&encrypted, old.secret || new.secret ? NOT_HERE : HOLDS,
                 "neither the password nor \"HTTP/1.1\" is among the bytes");
    int grown = longest(&longer) - longest(&new);
    bool seen = !strcmp(old.name, WORKBENCH) && !strcmp(new.name, WORKBENCH) &&
                strstr(new.offered, "http/1.1") && grown == MORE;
    bool hidden = *old.certificate && !*new.certificate &&*old.chosen && !*new.chosen;
    claim_report(&everything, seen && hidden ? NOT_HERE : UNCLEAR,
                 "the name %s in both; an answer %d bytes longer makes a record %d longer; "
                 "the certificate in 1.2, not in 1.3",
                 new.name, MORE, grown);
}
