// wire.c: scene wire: what an onlooker sees of QUIC, and what becomes of a connection whose
// client has a new address.
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "initial.h"
#include "net.h"
#include "scenes.h"
#include "stage.h"
#include "story.h"
#include "text.h"

#define DATAGRAMS   64
#define BYTES       1500
#define SHOWN       10
#define PATIENCE_NS INT64_C(600000000) // for an answer at the new address
#define ID_TEXT     24

#define CONNECTION_ID_BYTES 8 // of this server's connection ids

static struct datagram {
    bool to_server;
    size_t length;
    uint8_t bytes[BYTES];
} seen[DATAGRAMS];
static int seen_count;
static size_t
    client_id; // the length of the client's connection ids: all their packets are alike

// ---- the onlooker --------------------------------------------------------------------------

// OpenSSL calls this for each datagram that passes the socket.
static long look(BIO *bio, int operation, const char *argument, size_t length, int argi,
                 long argl, int result, size_t *processed)
{
    bool sent = operation == (BIO_CB_SENDMMSG | BIO_CB_RETURN);
    bool received = operation == (BIO_CB_RECVMMSG | BIO_CB_RETURN);
    (void)bio, (void)length, (void)argi, (void)argl, (void)processed;
    if ((!sent && !received) || result <= 0)
        return result;
    const BIO_MMSG_CB_ARGS *all = (const void *)argument;
    for (size_t i = 0; i < *all->msgs_processed && seen_count < DATAGRAMS; i++) {
        const BIO_MSG *message = (const void *)((const char *)all->msg + i * all->stride);
        struct datagram *datagram = &seen[seen_count];
        if (message->data_len > BYTES)
            continue;
        datagram->to_server = sent;
        datagram->length = message->data_len;
        memcpy(datagram->bytes, message->data, message->data_len);
        seen_count++;
    }
    return result;
}

static const char *id_text(const uint8_t *id, size_t length, char text[ID_TEXT])
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < length && i < 4; i++)
        at += (size_t)snprintf(text + at, ID_TEXT - at, "%02x", id[i]);
    if (length > 4)
        snprintf(text + at, ID_TEXT - at, "..");
    if (length == 0)
        snprintf(text, ID_TEXT, "none");
    return text;
}

// A line for each packet in the datagram: what stands in the clear.
static void show(const struct datagram *datagram)
{
    static const char *const types[] = {"Initial", "0-RTT", "Handshake", "Retry"};
    const char *arrow = "<-";
    if (datagram->to_server)
        arrow = "->";
    for (size_t at = 0; at < datagram->length;) {
        struct packet_head head;
        char to[ID_TEXT], from[ID_TEXT];
        if (!packet_head_read(datagram->bytes + at, datagram->length - at, &head))
            return;
        printf("    %s%s%s ", paint(CYAN), arrow, paint(PLAIN));
        if (head.is_long && datagram->to_server)
            client_id = head.from_length;
        size_t id = client_id;
        if (datagram->to_server)
            id = CONNECTION_ID_BYTES;
        if (head.is_long)
            printf("%-10s to %-10s from %-10s", types[head.type],
                   id_text(head.to, head.to_length, to),
                   id_text(head.from, head.from_length, from));
        else
            printf("1-RTT      to %-10s %-15s", id_text(datagram->bytes + at + 1, id, to), "");
        printf(" %5zu bytes\n", head.end);
        at += head.end;
        arrow = "  ";
    }
}

// ---- the connection ------------------------------------------------------------------------

static struct h3_client client;

static bool get(int64_t patience_ns)
{
    struct answer answer = {0};
    int64_t until_ns = now_ns() + patience_ns;
    stage_ask(&client, &answer, "/");
    while (client.pending && h3_step(&client, until_ns))
        ;
    bool answered = answer.state == ANSWER_WHOLE && answer.status == 200;
    if (client.pending)
        h3_cancel(&client, &answer);
    return answered;
}

// The client's socket becomes another one, with another port: as when a phone goes from one
// network to another, or a NAT forgets its mapping.
static void change_address(void)
{
    struct sockaddr_storage server;
    socklen_t length = net_address(stage_host, stage_port, SOCK_DGRAM, &server);
    int old = SSL_get_fd(client.connection.ssl);
    int new = socket(server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (new < 0 || connect(new, (struct sockaddr *)&server, length) || dup2(new, old) < 0)
        die("cannot make another socket: %s", strerror(errno));
    close(new);
}

static const struct claim built_in = {
    "4.81", "guide §3.4", "QUIC mandates TLS 1.3: encryption is a core feature", HOLDS, NULL};

static const struct claim survives = {
    "4.46", "guide §3.4",
    "connections survive a change of the network, by their connection ids", NOT_HERE,
    "QUIC can do that (RFC 9000 §9), OpenSSL 3.5 does not: its server reads what comes from "
    "the new "
    "address, but goes on sending to the old one; its client has no call for it."};

// True if none of the packets behind the handshake has these bytes of the answer in the clear.
static bool is_hidden(const char *text)
{
    for (int i = 0; i < seen_count; i++)
        if (memmem(seen[i].bytes, seen[i].length, text, strlen(text)))
            return false;
    return seen_count > 0;
}

void scene_wire(void)
{
    char name[INITIAL_NAME] = "";
    SSL_CTX *ctx = stage_context();
    enum verdict moved = NOT_HERE;
    story_say("One request. Of each packet an onlooker can read this much: its kind, and the "
              "connection ids of both sides. With TCP, it could also read numbers, "
              "acknowledgements, and the end of a connection.");
    h3_open(&client, ctx, stage_host, stage_port, WORKBENCH);
    BIO_set_callback_ex(SSL_get_wbio(client.connection.ssl), look);
    if (!h3_handshake(&client, now_ns() + STAGE_PATIENCE_NS))
        die("no connection: %s", client.connection.why);
    bool before = get(STAGE_PATIENCE_NS);
    for (int i = 0; i < seen_count && i < SHOWN; i++)
        show(&seen[i]);
    bool named = seen_count > 0 && initial_server_name(seen[0].bytes, seen[0].length, name);
    story_say("");
    story_say(
        "The first packet, with the keys that its connection id gives: the client asks for "
        "\"%s\".",
        name);
    bool no_text = is_hidden("hello, world") && is_hidden("workbench.test");
    change_address();
    bool after = get(PATIENCE_NS);
    ERR_clear_error();
    if (after)
        moved = HOLDS;
    bool right = before && no_text && named && !strcmp(name, WORKBENCH);
    claim_report(
        &built_in, holds_if(right),
        "%s; the answer and the names are in none of %d datagrams in the clear. But the "
        "server's name can be computed out of the first one",
        SSL_get_version(client.connection.ssl), seen_count);
    if (!before)
        moved = UNCLEAR;
    claim_report(&survives, moved, "the client has a new port: %s",
                 after ? "its next request is answered" : "its next request gets no answer");
    h3_close(&client);
    SSL_CTX_free(ctx);
}
