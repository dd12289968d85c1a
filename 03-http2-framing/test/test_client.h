// test_client.h: what a client may be told: answers that are malformed, servers that break the
// rules, and ./client against a server that says just that.
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include "h2_receive.h"
#include "test_frames.h"

#define S            "SETTINGS.0.0. "
#define H(fields)    S "HEADERS.4.1.{" fields "} "
#define OK           H(":status=200")
#define STREAM(code) FAULT_STREAM, code
#define CONN(code)   FAULT_CONNECTION, code
#define FINE_ANSWER  FAULT_NONE, NO_ERROR

// What a server says to a GET on stream 1; what is wrong with it, and with which error a client
// has to say so; a part of the words of ./client.
static const struct {
    const char *what, *frames;
    enum fault_scope scope;
    enum error_code code;
    const char *words;
} answers_to_get[] = {
    // Answers that are right
    {"an answer", OK "DATA.1.1.6869", FINE_ANSWER, "hi"},
    {"one without content", S "HEADERS.5.1.{:status=204}", FINE_ANSWER, ":status: 204"},
    {"the length of what a 304 stands for", S "HEADERS.5.1.{:status=304,content-length=5}",
     FINE_ANSWER, ":status: 304"},
    {"100, 103 and then 200",
     H(":status=100") "HEADERS.4.1.{:status=103,link=x} HEADERS.4.1.{:status=200} "
                      "DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    {"trailers", OK "DATA.0.1.6869 HEADERS.5.1.{x=y}", FINE_ANSWER, "x: y"},
    {"padding", OK "DATA.9.1.0268690000", FINE_ANSWER, "hi"},
    {"a header block in three frames",
     S "HEADERS.0.1. CONTINUATION.0.1.88 CONTINUATION.4.1. DATA.1.1.6869", FINE_ANSWER, "hi"},
    {"unknown frames, PING, PRIORITY",
     S "99.9.7.01 PING.0.0.0011223344556677 PRIORITY.0.1.0000000010 "
       "HEADERS.4.1.{:status=200} DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    {"GOAWAY, and the answer still comes",
     S "GOAWAY.0.0.0000000100000000 HEADERS.4.1.{:status=200} "
       "DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    {"GOAWAY in two steps",
     S "GOAWAY.0.0.7fffffff00000000 HEADERS.4.1.{:status=200} "
       "GOAWAY.0.0.0000000100000000 DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    {"the content of content-length", H(":status=200,content-length=2") "DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    {"windows up to 2^31-1",
     S "WINDOW_UPDATE.0.0.7fff0000 WINDOW_UPDATE.0.1.7fff0000 "
       "HEADERS.4.1.{:status=200} DATA.1.1.6869",
     FINE_ANSWER, "hi"},
    // Malformed answers (§8.1.1, §8.2, §8.3.2)
    {"no :status", S "HEADERS.5.1.{server=x}", STREAM(PROTOCOL_ERROR),
     "does not begin with :status"},
    {"no fields at all", S "HEADERS.5.1.", STREAM(PROTOCOL_ERROR),
     "does not begin with :status"},
    {"two :status", H(":status=200,:status=200"), STREAM(PROTOCOL_ERROR), "two :status"},
    {":status behind a field", H("server=x,:status=200"), STREAM(PROTOCOL_ERROR), ":status"},
    {":status 099", H(":status=099"), STREAM(PROTOCOL_ERROR), "no status"},
    {":status 20", H(":status=20"), STREAM(PROTOCOL_ERROR), "no status"},
    {":status 2000", H(":status=2000"), STREAM(PROTOCOL_ERROR), "no status"},
    {":status +20", H(":status=+20"), STREAM(PROTOCOL_ERROR), "no status"},
    {":status 101", H(":status=101"), STREAM(PROTOCOL_ERROR), "status 101"},
    {":path in an answer", H(":status=200,:path=/"), STREAM(PROTOCOL_ERROR), "pseudo-header"},
    {"an unknown pseudo-header field", H(":status=200,:x=y"), STREAM(PROTOCOL_ERROR),
     "pseudo-header"},
    {"an upper-case name", H(":status=200,X=y"), STREAM(PROTOCOL_ERROR), "field name"},
    {"an empty name", H(":status=200,=y"), STREAM(PROTOCOL_ERROR), "field name"},
    {"a value with a line feed", H(":status=200,x=a\nb"), STREAM(PROTOCOL_ERROR),
     "field value"},
    {"connection", H(":status=200,connection=close"), STREAM(PROTOCOL_ERROR), "HTTP/1.1"},
    {"keep-alive", H(":status=200,keep-alive=5"), STREAM(PROTOCOL_ERROR), "HTTP/1.1"},
    {"transfer-encoding", H(":status=200,transfer-encoding=chunked"), STREAM(PROTOCOL_ERROR),
     "HTTP/1.1"},
    {"te", H(":status=200,te=trailers"), STREAM(PROTOCOL_ERROR), "belongs to requests"},
    {"content-length too small", H(":status=200,content-length=1") "DATA.1.1.6869",
     STREAM(PROTOCOL_ERROR), "more content than content-length"},
    {"content-length too large", H(":status=200,content-length=3") "DATA.1.1.6869",
     STREAM(PROTOCOL_ERROR), "less content than content-length"},
    {"content-length and no content", S "HEADERS.5.1.{:status=200,content-length=3}",
     STREAM(PROTOCOL_ERROR), "less content than content-length"},
    {"content-length too large, with trailers",
     H(":status=200,content-length=3") "DATA.0.1.6869 HEADERS.5.1.{x=y}",
     STREAM(PROTOCOL_ERROR), "less content than content-length"},
    {"two content-lengths", H(":status=200,content-length=2,content-length=2"),
     STREAM(PROTOCOL_ERROR), "two content-length"},
    {"content-length that is none", H(":status=200,content-length=0x2"), STREAM(PROTOCOL_ERROR),
     "no length"},
    {"content in a 204", H(":status=204") "DATA.1.1.61", STREAM(PROTOCOL_ERROR), "content"},
    {"content in a 304", H(":status=304") "DATA.1.1.61", STREAM(PROTOCOL_ERROR), "content"},
    {"103 that ends the stream", S "HEADERS.5.1.{:status=103}", STREAM(PROTOCOL_ERROR), "1xx"},
    {"DATA before HEADERS", S "DATA.1.1.6869", STREAM(PROTOCOL_ERROR),
     "before the final status"},
    {"DATA behind 103", H(":status=103") "DATA.1.1.6869", STREAM(PROTOCOL_ERROR),
     "before the final status"},
    {"trailers that do not end the answer", OK "HEADERS.4.1.{x=y}", STREAM(PROTOCOL_ERROR),
     "trailers"},
    {"a second answer", OK "HEADERS.4.1.{:status=200}", STREAM(PROTOCOL_ERROR), "trailers"},
    {"a pseudo-header field among trailers", OK "HEADERS.5.1.{:status=200}",
     STREAM(PROTOCOL_ERROR), "among trailers"},
    {"an upper-case name among trailers", OK "HEADERS.5.1.{X=y}", STREAM(PROTOCOL_ERROR),
     "field name"},
    {"header fields of more than 16 KB",
     S "HEADERS.5.1.{:status=200}0001625f95*620001617fbb7d16186*62", STREAM(CANCEL), "16 KB"},
    // Streams (§5.1, §6.4, §6.8)
    {"HEADERS on a stream that was not asked for", S "HEADERS.5.3.{:status=200}",
     CONN(PROTOCOL_ERROR), "request that was not made"},
    {"HEADERS on stream 2", S "HEADERS.5.2.{:status=200}", CONN(PROTOCOL_ERROR),
     "request that was not made"},
    {"DATA on stream 0", S "DATA.0.0.61", CONN(PROTOCOL_ERROR), "needs a stream"},
    {"RST_STREAM on an idle stream", S "RST_STREAM.0.3.00000008", CONN(PROTOCOL_ERROR), "idle"},
    {"WINDOW_UPDATE on an idle stream", S "WINDOW_UPDATE.0.3.00000008", CONN(PROTOCOL_ERROR),
     "idle"},
    {"GOAWAY that takes back an earlier one",
     S "GOAWAY.0.0.0000000100000000 GOAWAY.0.0.0000000300000000", CONN(PROTOCOL_ERROR),
     "takes back"},
    {"PUSH_PROMISE", S "PUSH_PROMISE.4.1.00000002828684", CONN(PROTOCOL_ERROR),
     "ENABLE_PUSH is 0"},
    // The connection (§3.4, §4, §6.5)
    {"PING first", "PING.0.0.0011223344556677", CONN(PROTOCOL_ERROR), "not SETTINGS"},
    {"SETTINGS ACK first", "SETTINGS.1.0.", CONN(PROTOCOL_ERROR), "not SETTINGS"},
    {"HEADERS first", "HEADERS.5.1.{:status=200}", CONN(PROTOCOL_ERROR), "not SETTINGS"},
    {"ENABLE_PUSH=1", "SETTINGS.0.0.000200000001", CONN(PROTOCOL_ERROR), "ENABLE_PUSH=1"},
    {"ENABLE_PUSH=0", "SETTINGS.0.0.000200000000 HEADERS.5.1.{:status=200}", FINE_ANSWER,
     "200"},
    {"MAX_FRAME_SIZE too small", "SETTINGS.0.0.000500003fff", CONN(PROTOCOL_ERROR),
     "MAX_FRAME_SIZE"},
    {"SETTINGS of five bytes", "SETTINGS.0.0.0001000000", CONN(FRAME_SIZE_ERROR), "six bytes"},
    {"a frame of 16,385 bytes", S "DATA.0.1.16385*61", CONN(FRAME_SIZE_ERROR), "longer"},
    {"PING of 7 bytes", S "PING.0.0.00112233445566", CONN(FRAME_SIZE_ERROR), "eight bytes"},
    {"HTTP/1.1", "72.84.1429483313.", CONN(PROTOCOL_ERROR), "not SETTINGS"},
    // Header blocks (§4.3, §6.10)
    {"PING in the middle of a block", S "HEADERS.0.1.88 PING.0.0.0011223344556677",
     CONN(PROTOCOL_ERROR), "in the middle"},
    {"CONTINUATION without HEADERS", S "CONTINUATION.4.1.88", CONN(PROTOCOL_ERROR),
     "CONTINUATION without"},
    {"CONTINUATION on another stream", S "HEADERS.0.1.88 CONTINUATION.4.3.88",
     CONN(PROTOCOL_ERROR), "in the middle"},
    {"a block that is no HPACK", S "HEADERS.5.1.80", CONN(COMPRESSION_ERROR), "HPACK"},
    // Windows (§6.9)
    {"WINDOW_UPDATE of zero", S "WINDOW_UPDATE.0.0.00000000", CONN(PROTOCOL_ERROR), "zero"},
    {"WINDOW_UPDATE of zero on the stream", S "WINDOW_UPDATE.0.1.00000000",
     STREAM(PROTOCOL_ERROR), "zero"},
    {"the connection's window above 2^31-1", S "WINDOW_UPDATE.0.0.7fff0001",
     CONN(FLOW_CONTROL_ERROR), "above 2^31-1"},
    {"a stream's window above 2^31-1", S "WINDOW_UPDATE.0.1.7fff0001",
     STREAM(FLOW_CONTROL_ERROR), "above 2^31-1"},
    {"SETTINGS push a window above 2^31-1",
     S "WINDOW_UPDATE.0.1.7fff0000 SETTINGS.0.0.000400010000", CONN(FLOW_CONTROL_ERROR),
     "above 2^31-1"},
    {"INITIAL_WINDOW_SIZE 2^31", "SETTINGS.0.0.000480000000", CONN(FLOW_CONTROL_ERROR),
     "2^31-1"},
    // What holds a client for ever (§10.5)
    {"CONTINUATION without end", S "HEADERS.0.1.88 100xCONTINUATION.0.1.",
     CONN(ENHANCE_YOUR_CALM), "too long"},
    {"a block of 48 KB", S "HEADERS.0.1.16384*88 2xCONTINUATION.0.1.16384*88",
     CONN(ENHANCE_YOUR_CALM), "too long"},
    {"103 without end", S "1100xHEADERS.4.1.{:status=103}", CONN(ENHANCE_YOUR_CALM),
     "too many"},
    {"PING without end", S "1100xPING.0.0.0011223344556677", CONN(ENHANCE_YOUR_CALM),
     "too many"},
    {"SETTINGS without end", "1100xSETTINGS.0.0.", CONN(ENHANCE_YOUR_CALM), "too many"},
    {"empty DATA without end", OK "1100xDATA.0.1.", CONN(ENHANCE_YOUR_CALM), "too many"},
    {"DATA of padding without end", OK "1100xDATA.8.1.0100", CONN(ENHANCE_YOUR_CALM),
     "too many"},
};

static struct h2_receiver receiver;
static struct response responses[4];

// The first fault that a client finds in the script.
static struct fault receive_script(void)
{
    struct fault fault = fault_none();
    memset(responses, 0, sizeof responses);
    h2_receiver_begin(&receiver, responses, 4);
    h2_asked(&receiver, 1);
    for (size_t at = 0; at < script.length && !fault.scope;) {
        struct frame frame;
        struct h2_news news;
        frame_read_header(script.bytes + at, &frame);
        fault = h2_receive(&receiver, &frame, &news);
        at += FRAME_HEADER_BYTES + frame.length;
    }
    bool whole = responses[0].ended && !responses[0].reset;
    h2_receiver_end(&receiver);
    CHECK(fault.scope || whole);
    return fault;
}

// All cases in which a client finds this fault, or none.
static void tell_a_client(enum fault_scope scope)
{
    char command[100];
    for (size_t i = 0; i < sizeof answers_to_get / sizeof *answers_to_get; i++) {
        if (answers_to_get[i].scope != scope)
            continue;
        script.length = 0;
        script_add(&script, answers_to_get[i].frames);
        struct fault fault = receive_script();
        int port = test_fake_server((const char *)script.bytes, script.length, false);
        sprintf(command, "./client --port %d /", port);
        int status = test_run(command);
        if (fault.scope != scope || fault.code != answers_to_get[i].code ||
            status != (scope != FAULT_NONE) || !strstr(test_output, answers_to_get[i].words))
            FAIL("%s: scope %d, %s: %s; ./client exits %d and says\n%.300s",
                 answers_to_get[i].what, (int)fault.scope, error_code_name(fault.code),
                 fault.why, status, test_output);
    }
}

TEST(right_answers_are_taken)
{
    tell_a_client(FAULT_NONE);
}

TEST(malformed_answers_are_refused)
{
    tell_a_client(FAULT_STREAM);
}

TEST(servers_that_break_the_rules)
{
    tell_a_client(FAULT_CONNECTION);
}

TEST(frames_behind_the_end_of_an_answer)
{
    static const char *const wrong[] = {"DATA.0.1.61", "HEADERS.5.1.{:status=200}"};
    for (int i = 0; i < 2; i++) {
        script.length = 0;
        script_add(&script, OK "DATA.1.1.61");
        script_add(&script, wrong[i]);
        struct fault fault = receive_script();
        CHECK_INT(fault.scope, FAULT_CONNECTION);
        CHECK_INT(fault.code, STREAM_CLOSED);
    }
    script.length = 0;
    script_add(&script, OK "DATA.1.1.61 RST_STREAM.0.1.00000000 WINDOW_UPDATE.0.1.00000001");
    CHECK_INT(receive_script().scope, FAULT_NONE); // the answer stands
    CHECK(!responses[0].reset);
    CHECK_INT(responses[0].content_bytes, 1);
}

TEST(what_a_client_replies)
{
    static const struct {
        const char *frame, *reply;
    } cases[] = {{"PING.0.0.0011223344556677", "PING.1.0.0011223344556677"},
                 {"PING.1.0.0011223344556677", ""},
                 {"SETTINGS.0.0.000100000000", "SETTINGS.1.0."},
                 {"SETTINGS.1.0.", ""},
                 {"DATA.1.1.61", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hpack_encoder encoder;
        uint8_t reply[100];
        struct frame frame;
        hpack_encoder_begin(&encoder);
        script.length = 0;
        script_add(&script, cases[i].frame);
        frame_read_header(script.bytes, &frame);
        size_t length = (size_t)(h2_reply(&receiver, &encoder, &frame, reply) - reply);
        script.length = 0;
        script_add(&script, cases[i].reply);
        CHECK_INT(length, script.length);
        CHECK(!memcmp(reply, script.bytes, length));
        hpack_table_free(&encoder.table);
    }
}

static int client_of(const char *frames, const char *arguments)
{
    char command[200];
    script.length = 0;
    script_add(&script, frames);
    int port = test_fake_server((const char *)script.bytes, script.length, false);
    sprintf(command, "./client --port %d %s", port, arguments);
    return test_run(command);
}

// A client says what it did, to which server, why it failed and how much had come.
TEST(what_the_client_says)
{
    CHECK_INT(client_of(OK "DATA.0.1.686868", "/x"), 1);
    CHECK_HAS(test_output, "client: GET /x from 127.0.0.1:");
    CHECK_HAS(test_output, "the connection ended (3 bytes of content had come)");
    CHECK_INT(client_of(S "RST_STREAM.0.1.00000008", "/"), 1);
    CHECK_HAS(test_output, ": CANCEL (0 bytes");
    CHECK_INT(client_of(S "RST_STREAM.0.1.00001234", "/"), 1);
    CHECK_HAS(test_output, ": code 4660 (0 bytes");
    CHECK_INT(client_of(S "GOAWAY.0.0.000000000000000b1b5b33316d", "/"), 1);
    CHECK_HAS(test_output, "the server goes away, and has not looked at it");
    CHECK_HAS(test_output, "GOAWAY ENHANCE_YOUR_CALM: .[31m");
    // Two requests, of which the server looks at one.
    CHECK_INT(client_of(S "GOAWAY.0.0.0000000100000000 HEADERS.5.1.{:status=200}", "/a /b"), 1);
    CHECK_HAS(test_output, "stream 1: /a: status 200, 0 bytes");
    CHECK_HAS(test_output, "GET /b from");
    CHECK_INT(client_of("SETTINGS.0.0.000300000001 HEADERS.5.1.{:status=200} "
                        "GOAWAY.0.0.0000000300000000 HEADERS.5.3.{:status=200}",
                        "/a /b"),
              0);
    CHECK_HAS(test_output, "stream 3: /b: status 200");
    CHECK_INT(client_of("", "/"), 1);
    CHECK_HAS(test_output, "the connection ended");
    const char *http1 = "HTTP/1.1 400 Bad Request\r\n\r\n";
    char command[100];
    sprintf(command, "./client --port %d", test_fake_server(http1, strlen(http1), false));
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "the server answers in HTTP/1");
}

// With --frames each frame has the arrow of its way.
TEST(the_client_shows_frames_both_ways)
{
    CHECK_INT(client_of(OK "DATA.1.1.686868", "--frames /x"), 0);
    CHECK_HAS(test_output, "-> SETTINGS ENABLE_PUSH=0\n");
    CHECK_HAS(test_output, "-> HEADERS stream 1 END_STREAM END_HEADERS ");
    CHECK_HAS(test_output, "<- SETTINGS");
    CHECK_HAS(test_output, "<- DATA stream 1 END_STREAM 3 bytes\n");
    CHECK_HAS(test_output, "-> SETTINGS ACK\n");
    CHECK_HAS(test_output, "-> WINDOW_UPDATE stream 0 +3\n");
    CHECK(!strstr(test_output, "<- HEADERS stream 1 END_STREAM"));
}

TEST(what_the_client_takes)
{
    char command[200];
    pid_t pid;
    int port = test_start(&pid, "./server --quiet --port 0");
    sprintf(command, "./client --port %d / >/dev/full", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "No space left on device");
    sprintf(command,
            "f=$(mktemp); { ./client --port %d '/img/1?size=9000000' 2>$f; echo $? >>$f; } | "
            "head -c 1; cat $f; rm $f",
            port);
    test_run(command);
    CHECK_HAS(test_output, "Broken pipe");
    CHECK_HAS(test_output, "1\n");
    sprintf(command, "./client --port %d /stream?n=3\\&ms=1", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "content-type: text/plain\n\npiece      1 of      3\n");
    CHECK_INT(test_run("./client --port 1 $(printf '/%20000s' '' | tr ' ' x)"), 1);
    sprintf(command, "./client --port %d $(printf '/%%20000s' '' | tr ' ' x)", port);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, "the path is too long for one frame");
    sprintf(command, "./client --port %d $(yes / | head -n 3000) | sort | uniq -c | wc -l",
            port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "3000\n");
    CHECK_INT(test_stop(pid), 0);
    if (test_run("grep -q ' lo$' /proc/net/if_inet6"))
        return;                                                      // no IPv6 here
    port = test_start(&pid, "./server --quiet --host ::1 --port 0"); // :authority has brackets
    sprintf(command, "./client --host ::1 --port %d /", port);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "hello, world");
    CHECK_INT(test_stop(pid), 0);
}

#endif
