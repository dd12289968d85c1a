// test_streams.h: many streams on one connection, in the fake loop: their turns, windows,
// deadlines, limits and ends; and what the routes answer.
#ifndef TEST_STREAMS_H
#define TEST_STREAMS_H

#include "test_conversations.h"

TEST(answers_interleave)
{
    fake_tell(
        "HEADERS.5.1.{GET,:path=/img/1?size=12288} HEADERS.5.3.{GET,:path=/img/2?size=5000} "
        "HEADERS.5.5.{GET,:path=/img/3?size=4096} HEADERS.5.7.{GET}");
    CHECK_HAS(told.text, "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 4096 bytes\n"
                         "DATA stream 5 END_STREAM 4096 bytes\n"
                         "DATA stream 7 END_STREAM 13 bytes\n"
                         "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 END_STREAM 904 bytes\n"
                         "DATA stream 1 END_STREAM 4096 bytes\n");
    fake_end();
}

// §6.9.2's example, and on: a window that SETTINGS make smaller is below zero for a while.
TEST(windows_below_zero)
{
    fake_tell("WINDOW_UPDATE.0.0.00100000 HEADERS.5.1.{GET,:path=/img/1?size=100000}");
    CHECK_INT(told.streams[0].bytes, 65535);
    fake_go_on("SETTINGS.0.0.0004000003e8"); // 1,000: 64,535 too many are sent
    CHECK_INT(told.streams[0].bytes, 65535);
    fake_go_on("WINDOW_UPDATE.0.1.0000fc17"); // 64,535: now it is zero
    CHECK_INT(told.streams[0].bytes, 65535);
    fake_go_on("WINDOW_UPDATE.0.1.00000001");
    CHECK_INT(told.streams[0].bytes, 65536);
    fake_go_on("SETTINGS.0.0.0004000003f2"); // 1,010: ten more
    CHECK_INT(told.streams[0].bytes, 65546);
    fake_go_on("HEADERS.5.3.{GET,:path=/img/1?size=100000}"); // a new stream begins with that
    CHECK_INT(told.streams[1].bytes, 1010);
    fake_go_on(
        "SETTINGS.0.0.00047fffffff"); // all of it, as far as the connection's window goes
    CHECK(told.streams[0].ended);
    CHECK(told.streams[1].ended);
    fake_end();
}

TEST(the_connections_window)
{
    fake_tell("SETTINGS.0.0.00047fffffff HEADERS.5.1.{GET,:path=/img/1?size=100000} "
              "HEADERS.5.3.{GET,:path=/img/2?size=100000}");
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes, 65535);
    CHECK(labs(told.streams[0].bytes - told.streams[1].bytes) <= 4096);
    fake_go_on(
        "HEADERS.5.5.{:method=HEAD,:authority=a,:scheme=http,:path=/img/1} HEADERS.5.7.{GET}");
    CHECK(told.streams[2].ended);
    CHECK_INT(told.streams[2].bytes, 0); // no DATA: nothing to wait for
    CHECK_INT(told.streams[3].status, 200);
    CHECK(!told.streams[3].ended);
    fake_go_on("WINDOW_UPDATE.0.0.00003000"); // three more pieces, whose turn it is
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes + told.streams[3].bytes,
              65535 + 0x3000);
    CHECK(told.streams[3].ended);
    fake_go_on("WINDOW_UPDATE.0.0.00100000");
    CHECK(told.streams[0].ended);
    CHECK(told.streams[1].ended);
    CHECK_INT(told.streams[0].bytes, 100000);
    fake_end();
}

TEST(windows_are_given_back)
{
    fake_tell("HEADERS.4.1.{POST} 60xDATA.0.1.16384*61 DATA.1.1.16384*61");
    CHECK_INT(told.streams[0].status, 200);
    CHECK(told.window_updates >= 58); // for the stream and for the connection
    fake_end();
    struct streams streams;
    streams_begin(&streams);
    struct stream *stream = stream_open(&streams, 1);
    CHECK_INT(streams_receive(&streams, stream, 65535).scope, FAULT_NONE);
    CHECK_INT(streams_receive(&streams, stream, 1).scope, FAULT_CONNECTION);
    CHECK_INT(streams_return(&streams, NULL, 65535), 65535);
    CHECK_INT(streams_receive(&streams, stream, 1).scope, FAULT_STREAM);
    CHECK_INT(streams_return(&streams, stream, 32766), 0); // not yet worth a frame
    CHECK_INT(streams_return(&streams, stream, 1), 32767);
    CHECK_INT(streams_receive(&streams, stream, 32767).scope, FAULT_NONE);
    streams_close_all(&streams);
}

TEST(answers_that_wait_for_their_time)
{
    fake_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.5.3.{GET,:path=/stream?n=3&ms=200} "
              "HEADERS.5.5.{GET}");
    CHECK(told.streams[2].ended);
    CHECK_INT(told.streams[1].status, 200);
    CHECK_INT(told.streams[0].status, 0);
    CHECK_INT(told.streams[1].bytes, 23);
    for (int ms = 100; ms <= 500; ms += 100) {
        fake_wait(100);
        fake_listen(&told);
        CHECK_INT(told.streams[1].bytes, 23 * (1 + ms / 200)); // a line every 200 ms
        CHECK_INT(told.streams[1].ended, ms >= 400);
        CHECK_INT(told.streams[0].ended, ms >= 500);
    }
    CHECK_INT(service.requests, 3);
    fake_end();
}

TEST(deadlines)
{
    fake_begin(); // no preface
    story_clear(&told);
    fake_say((const uint8_t *)PREFACE, 10);
    fake_wait(9000); // the server waits for ten seconds
    CHECK(!fake.connection.conn.closing);
    fake_wait(1001);
    fake_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 0 PROTOCOL_ERROR no preface in time");
    fake_end();

    fake_tell("HEADERS.5.1.{GET}"); // 60 s after the last request: a PING is none
    fake_wait(59000);
    fake_go_on("PING.0.0.0011223344556677");
    CHECK(!fake.connection.conn.closing);
    fake_go_on("HEADERS.5.3.{GET}");
    fake_wait(59000);
    fake_go_on("PING.0.0.0011223344556677 SETTINGS.0.0. PRIORITY.0.5.0000000010");
    CHECK(!fake.connection.conn.closing);
    fake_wait(1001);
    fake_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 3 NO_ERROR idle");
    CHECK(fake.connection.conn.closing);
    fake_end();

    fake_tell("SETTINGS.0.0.000400000000 HEADERS.5.1.{GET}"); // a window of zero, for 30 s
    fake_wait(29000);
    fake_go_on("PING.0.0.0011223344556677"); // which is no progress
    fake_wait(1001);
    fake_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM requests that do not move");
    fake_end();

    fake_tell("HEADERS.5.1.{GET,:path=/slow?ms=60000}"); // the server lets the client wait
    fake_wait(59000);
    CHECK(!fake.connection.conn.closing);
    fake_wait(1001);
    fake_listen(&told);
    CHECK(told.streams[0].ended);
    fake_end();
}

// A byte now and then does not buy a request more time; 1,000 bytes a second do.
TEST(slow_clients)
{
    fake_tell("HEADERS.4.1.{POST}");
    for (int s = 0; s < 29; s += 10) {
        fake_go_on("DATA.0.1.61");
        fake_wait(s < 20 ? 10000 : 9990);
    }
    CHECK(!fake.connection.conn.closing); // 3 bytes have bought 2 ms
    fake_wait(13);
    fake_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM requests that do not move");
    fake_end();

    fake_tell("SETTINGS.0.0.000400000000 HEADERS.5.1.{GET,:path=/img/1}");
    for (int s = 0; s < 29; s += 10) {
        fake_go_on("WINDOW_UPDATE.0.1.00000001");
        fake_wait(s < 20 ? 10000 : 9990);
    }
    CHECK(!fake.connection.conn.closing);
    fake_wait(13);
    CHECK(fake.connection.conn.closing);
    fake_end();

    fake_tell("HEADERS.4.1.{POST}");
    for (int s = 0; s < 500; s += 10) {
        fake_go_on("DATA.0.1.10000*61");
        fake_wait(10000);
    }
    fake_go_on("DATA.1.1.");
    CHECK_INT(told.streams[0].status, 200);
    CHECK(!told.going_away);
    fake_end();

    // The time counts from the first request that waits: what came before does not matter.
    fake_tell("HEADERS.5.1.{GET}");
    fake_wait(50000);
    fake_go_on("HEADERS.4.3.{POST}");
    fake_wait(29000);
    CHECK(!fake.connection.conn.closing);
    fake_wait(1001);
    CHECK(fake.connection.conn.closing);
    fake_end();
}

// HTTP/1.1: a deadline for a whole request, and a longer one between requests.
TEST(slow_clients_of_http_1)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    fake_begin();
    for (int s = 0; s < 10; s++) { // a byte a second
        CHECK(!fake.connection.conn.closing);
        fake_say((const uint8_t *)head + s, 1);
        fake_wait(1001);
    }
    fake.wire[fake.wire_length] = '\0';
    CHECK_HAS((const char *)fake.wire, "HTTP/1.1 408 ");
    CHECK(fake.connection.conn.closing);
    fake_end();
    fake_begin();
    fake_say((const uint8_t *)head, strlen(head));
    fake.wire[fake.wire_length] = '\0';
    CHECK_HAS((const char *)fake.wire, "HTTP/1.1 200 OK");
    fake_wait(59000);
    CHECK(!fake.connection.conn.closing);
    fake_wait(1001);
    CHECK(fake.connection.conn.closing);
    fake_end();
}

// What honest clients do after each answer costs them nothing.
TEST(honest_clients_are_never_thrown_out)
{
    static const char *const after[] = {
        "WINDOW_UPDATE.0.0.0000000d", "PING.0.0.0011223344556677",
        ("WINDOW_UPDATE.0.0.0000000d PING.0.0.0011223344556677 WINDOW_UPDATE.0.1.0000000d "
         "PRIORITY.0.1.0000000010")};
    char text[400];
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        fake_tell("WINDOW_UPDATE.0.0.7ffe0000");
        for (uint32_t id = 1; id < 40000 && !told.going_away; id += 2) {
            sprintf(text, "HEADERS.5.%u.{GET} %s", id, after[i]);
            fake_go_on(text);
            fake.wire_length = fake.read_at = 0;
        }
        CHECK_INT(told.going_away, 0);
        CHECK_INT(service.requests, 20000);
        fake_end();
    }
    fake_tell("HEADERS.5.1.{GET,:path=/stream?n=5000&ms=1}"); // 5,000 small frames of DATA
    for (int ms = 0; ms < 5000 && !told.going_away; ms++) {
        fake_go_on("WINDOW_UPDATE.0.0.00000017 WINDOW_UPDATE.0.1.00000017");
        fake_wait(1);
    }
    fake_listen(&told);
    CHECK_INT(told.going_away, 0);
    CHECK(told.streams[0].ended);
    fake_end();
    // But not for what the client's own window makes small (CVE-2019-9511).
    fake_tell("SETTINGS.0.0.000400000000 HEADERS.5.1.{GET,:path=/img/1?size=5000}");
    fake_go_on("3000xWINDOW_UPDATE.0.1.00000001");
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    fake_end();
}

// A hundred streams have 64 KB each on their way: more frames of DATA than BUDGET_MAX. A proxy
// answers all of them at once, with two WINDOW_UPDATE frames each.
TEST(windows_that_are_opened_all_at_once)
{
    char text[100];
    fake_tell("WINDOW_UPDATE.0.0.7ffe0000");
    for (uint32_t id = 1; id < 200; id += 2) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/img/1?size=100000}", id);
        fake_go_on(text);
    }
    CHECK_INT(told.streams[63].bytes, 65535);
    for (uint32_t id = 1; id < 200; id += 2) {
        sprintf(text, "16xWINDOW_UPDATE.0.%u.00001000 16xWINDOW_UPDATE.0.0.00000001", id);
        fake_go_on(text);
        fake.wire_length = fake.read_at = 0;
    }
    CHECK_INT(told.going_away, 0);
    CHECK_INT(fake.connection.streams.count, 0);
    CHECK_INT(service.requests, 100);
    // For 10 MB the client may send so many, and no more.
    fake_go_on("30000xWINDOW_UPDATE.0.0.00000001");
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    fake_end();
}

// Writes the frames with the stream's number for each @.
static void on_stream(char *text, const char *frames, uint32_t id)
{
    for (; *frames; frames++)
        text += *frames == '@' ? sprintf(text, "%u", id) : sprintf(text, "%c", *frames);
}

// Whatever costs the server more than the client is taken from the client's budget.
TEST(costly_frames)
{
    static const struct {
        const char *what, *frames;
        uint32_t most; // times
    } costly[] = {
        {"31 empty CONTINUATIONs a request",
         "HEADERS.1.@.{GET} 30xCONTINUATION.0.@. CONTINUATION.4.@.", 40},
        {"a header list that is too long", "HEADERS.5.@.{GET}0001617fbb7d16186*62", 60},
        {"DATA on a stream that we have reset", "HEADERS.4.@.{x=y} 100xDATA.0.@.61", 12},
        {"malformed requests", "HEADERS.5.@.{GET,X=y}", 260},
    };
    for (size_t i = 0; i < sizeof costly / sizeof *costly; i++) {
        char text[400];
        uint32_t times = 0;
        fake_tell("");
        for (; times < 1000 && !fake.connection.conn.closing; times++) {
            uint32_t id = 2 * times + 1;
            on_stream(text, costly[i].frames, id);
            fake_go_on(text);
        }
        if (times > costly[i].most || !strstr(told.text, "ENHANCE_YOUR_CALM"))
            FAIL("%s: %u times", costly[i].what, times);
        fake_end();
    }
}

TEST(a_stop_lets_requests_finish)
{
    fake_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.4.3.{POST}");
    stop(&fake.connection.conn);
    fake_run();
    fake_listen(&told);
    CHECK_HAS(told.text,
              "GOAWAY last stream 2147483647 NO_ERROR the server stops\nPING 8 bytes");
    fake_go_on("HEADERS.5.5.{GET} DATA.0.3.61"); // stream 5 was on its way: it is answered
    CHECK(told.streams[2].ended);
    CHECK_INT(told.streams[2].status, 200);
    fake_go_on("PING.1.0.0011223344556677");
    CHECK_HAS(told.text, "GOAWAY last stream 5 NO_ERROR");
    fake_go_on("HEADERS.5.7.{GET} DATA.1.3.62"); // stream 7 comes too late: ignored
    CHECK(told.streams[1].ended);
    CHECK_INT(told.streams[1].bytes, 2);
    CHECK_INT(told.streams[3].status, 0);
    CHECK(!fake.connection.conn.closing);
    fake_wait(500);
    fake_listen(&told);
    CHECK(told.streams[0].ended);
    CHECK(fake.connection.conn.closing);
    CHECK_INT(told.going_away, 2);
    fake_end();

    fake_tell(""); // a client that does not answer the PING
    stop(&fake.connection.conn);
    fake_run();
    CHECK(!fake.connection.conn.closing);
    fake_wait(1000);
    fake_listen(&told);
    CHECK_INT(told.going_away, 2);
    CHECK(fake.connection.conn.closing); // nothing to wait for
    fake_end();

    fake_begin(); // in the middle of a preface: no GOAWAY, the end
    story_clear(&told);
    fake_say((const uint8_t *)PREFACE, 10);
    stop(&fake.connection.conn);
    fake_run();
    fake_listen(&told);
    CHECK(fake.connection.conn.closing);
    CHECK_INT(told.going_away, 0);
    fake_end();
}

TEST(rapid_reset)
{
    char text[200];
    fake_tell("");
    int count = 0;
    for (uint32_t id = 1; !fake.connection.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        fake_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK_BETWEEN(count, 100, 999);
    fake_end();
    fake_tell(""); // the other way round: requests that make the server reset (CVE-2025-8671)
    count = 0;
    for (uint32_t id = 1; !fake.connection.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} WINDOW_UPDATE.0.%u.00000000", id,
                id);
        fake_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK_BETWEEN(count, 100, 999);
    fake_end();
    fake_tell(""); // a client that cancels now and then may go on for ever
    for (uint32_t id = 1; id < 4000; id += 2) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        fake_go_on(text);
        fake_wait(25);
    }
    CHECK(!fake.connection.conn.closing);
    CHECK_INT(fake.connection.streams.count, 0);
    fake_end();
}

TEST(a_hundred_streams_and_one_more)
{
    char text[200];
    fake_tell("");
    for (uint32_t id = 1; id <= 201; id += 2) {
        sprintf(text, "HEADERS.4.%u.{POST}", id);
        fake_go_on(text);
    }
    CHECK_HAS(told.text, "RST_STREAM stream 201 REFUSED_STREAM");
    CHECK_INT(fake.connection.streams.count, 100);
    fake_go_on("DATA.1.201.6162 DATA.1.1.6162"); // 201: on its way, ignored
    fake_go_on("HEADERS.5.203.{GET}");
    CHECK_HAS(told.text, "HEADERS stream 203");
    CHECK(!strstr(told.text, "RST_STREAM"));
    CHECK(!told.going_away);
    fake_end();
}

// How the next test ends each stream.
static enum stream_end end_of_stream(uint32_t id)
{
    if (id % 4 != 1)
        return STREAM_SKIPPED;
    if (id % 3 == 0)
        return STREAM_RESET;
    return STREAM_ENDED;
}

// What happened to a stream is remembered for the last 512 of them.
TEST(how_streams_have_ended)
{
    struct streams streams;
    streams_begin(&streams);
    for (uint32_t id = 1; id < 4001; id += 4) // the client skips every other stream
        stream_close(&streams, stream_open(&streams, id), end_of_stream(id));
    for (uint32_t id = 3997 - 1020; id < 3998; id += 2)
        CHECK_INT(stream_end_of(&streams, id), end_of_stream(id));
    CHECK_INT(stream_end_of(&streams, 1), STREAM_ENDED);
    stream_refuse(&streams, 2000001);
    CHECK_INT(stream_end_of(&streams, 2000001), STREAM_RESET);
    CHECK_INT(stream_end_of(&streams, 1999999), STREAM_SKIPPED);
    CHECK_INT(streams.count, 0);
}

TEST(bodies_that_are_too_long)
{
    fake_tell("HEADERS.4.1.{POST} 65xDATA.0.1.16384*61"); // 1 MB and 16 KB
    CHECK_INT(told.streams[0].status, 413);
    CHECK_INT((long)fake.connection.body_bytes, 0);
    fake_go_on("65xDATA.0.1.16384*61 HEADERS.5.3.{GET}"); // and one more: this is enough
    CHECK_HAS(told.text, "RST_STREAM stream 1 NO_ERROR");
    fake_go_on("DATA.1.1.61 HEADERS.5.5.{GET}"); // what was on its way does no harm
    CHECK(told.streams[1].ended);
    CHECK(told.streams[2].ended);
    CHECK(!told.going_away);
    fake_end();
    fake_tell("HEADERS.4.1.{GET} 65xDATA.0.1.16384*61"); // the page does not want it, and still
    CHECK_INT(told.streams[0].status, 413);
    fake_end();
}

// Says DATA of `length` bytes on a stream, as far as its window goes; returns how many.
static uint32_t say_data(uint32_t id, uint32_t length)
{
    char text[100];
    struct stream *stream = stream_find(&fake.connection.streams, id);
    uint32_t window = stream ? stream->receive_window : 0;
    length = length < window ? length : window;
    if (length)
        sprintf(text, "DATA.0.%u.%u*61", id, length);
    if (length)
        fake_go_on(text);
    return length;
}

// Flow control shares the memory: twenty bodies of 100 KB at once are all answered, and while
// they take more than 1 MB the oldest one goes on.
TEST(many_bodies_at_once)
{
    enum { BODIES = 20, LENGTH = 100000, PIECE = 10000 };
    uint32_t sent[BODIES] = {0};
    size_t most = 0;
    char text[400];
    fake_tell("SETTINGS.0.0.00047fffffff WINDOW_UPDATE.0.0.7fff0000");
    for (uint32_t i = 0; i < BODIES; i++) {
        sprintf(text, "HEADERS.4.%u.{POST}", 2 * i + 1);
        fake_go_on(text);
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < BODIES; i++) {
            uint32_t left = LENGTH - sent[i];
            uint32_t said = say_data(2 * i + 1, left < PIECE ? left : PIECE);
            moved |= said > 0;
            sent[i] += said;
            if (fake.connection.body_bytes > most)
                most = fake.connection.body_bytes;
            sprintf(text, "DATA.1.%u.", 2 * i + 1);
            if (said && sent[i] == LENGTH)
                fake_go_on(text);
            fake.wire_length = fake.read_at = 0;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        CHECK(told.streams[i].ended);
        CHECK_INT(told.streams[i].status, 200);
        CHECK_INT(told.streams[i].bytes, LENGTH);
    }
    CHECK_BETWEEN(most, SHARE_BYTES + 1, BODIES * (size_t)(1 << 17) - 1);
    CHECK_INT((long)fake.connection.body_bytes, 0);
    CHECK_INT(told.going_away, 0);
    fake_end();
}

// The oldest body gets window, does not use it, and others wait: it is reset, and they go on.
TEST(a_body_that_crawls_while_others_wait)
{
    char text[100];
    fake_tell("");
    for (uint32_t id = 1; id <= 39; id += 2) {
        sprintf(text, "HEADERS.4.%u.{POST}", id);
        fake_go_on(text);
    }
    for (int round = 0; round < 4; round++)
        for (uint32_t id = 3; id <= 39; id += 2)
            say_data(id, 16384);
    say_data(1, 100);
    CHECK(fake.connection.withheld);
    CHECK_INT(fake.connection.favoured, 1);
    fake_wait(3000);
    say_data(1, 100);
    fake_wait(2099);
    CHECK(stream_find(&fake.connection.streams, 1));
    fake_wait(2);
    fake_listen(&told);
    CHECK_HAS(told.text, "RST_STREAM stream 1 ENHANCE_YOUR_CALM");
    CHECK_INT(told.going_away, 0);
    CHECK_INT(fake.connection.favoured, 3);
    CHECK_INT((long)say_data(3, 16384), 16384); // it has window again
    fake_end();
}

// An echo that its client does not take gives way to new bodies of others.
TEST(an_echo_that_is_not_taken)
{
    static struct body others[BODIES_MAX >> 20];
    static const uint8_t megabyte[1 << 20];
    struct conn other = {0};
    size_t sum = 0;
    fake_tell("SETTINGS.0.0.000400000000 HEADERS.4.1.{POST} 3xDATA.0.1.16384*61 DATA.1.1.61 "
              "HEADERS.4.3.{POST} DATA.0.3.16384*61");
    CHECK_INT(told.streams[0].status, 200);
    fake_wait(10000);
    memset(others, 0, sizeof others);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(body_append(&others[i], 0, megabyte, sizeof megabyte, &other, &sum));
    fake_wait(1);
    fake_listen(&told);
    CHECK_HAS(told.text, "RST_STREAM stream 1 ENHANCE_YOUR_CALM");
    fake_go_on("DATA.1.3.61 WINDOW_UPDATE.0.3.00010000");
    CHECK_INT(told.streams[1].status, 503);
    CHECK_INT((long)fake.connection.body_bytes, 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        body_free(&others[i]);
    CHECK_INT((long)sum, 0);
    fake_end();
}

TEST(a_smaller_table_counts_when_it_is_acknowledged)
{
    service.table_bytes = 100;
    fake_begin();
    story_clear(&told);
    script.length = 0;
    script_bytes(&script, PREFACE, PREFACE_BYTES);
    script_add(
        &script,
        "SETTINGS.0.0. HEADERS.5.1.828684010161 SETTINGS.1.0. HEADERS.5.3.3f45828684010161");
    fake_say(script.bytes, script.length);
    fake_listen(&told);
    CHECK(told.streams[0].ended);
    CHECK(told.streams[1].ended);
    CHECK(!told.going_away);
    fake_go_on("HEADERS.5.5.3fe11f828684");
    CHECK_HAS(told.text, "COMPRESSION_ERROR");
    fake_end();
    service.table_bytes = TABLE_SIZE_DEFAULT;
}

TEST(pages)
{
    static const struct {
        const char *fields;
        int status;
        long bytes;
    } pages[] = {
        {"{GET}", 200, 13},
        {"{:method=HEAD,:authority=a,:scheme=http,:path=/}", 200, 0},
        {"{GET,:path=/?x=y}", 200, 13},
        {"{GET,:path=/img/1}", 200, 10000},
        {"{GET,:path=/img/1?size=0}", 200, 0},
        {"{GET,:path=/img/1?x&size=7&y}", 200, 7},
        {"{GET,:path=/img/1?size=}", 400, -1},
        {"{GET,:path=/img/1?size=-1}", 400, -1},
        {"{GET,:path=/img/1?size=67108865}", 400, -1},
        {"{GET,:path=/img/1?size=99999999999999999999}", 400, -1},
        {"{GET,:path=/img/}", 404, -1},
        {"{GET,:path=/img/x}", 404, -1},
        {"{GET,:path=/img/1/2}", 404, -1},
        {"{GET,:path=/slow?ms=0}", 200, -1},
        {"{GET,:path=/slow?ms=60001}", 400, -1},
        {"{GET,:path=/stream?n=3&ms=0}", 200, 69},
        {"{GET,:path=/page?ms=0}", 200, 17},
        {"{GET,:path=/page?ms=60001}", 400, -1},
        {"{GET,:path=/events?ms=60001}", 400, -1},
        {"{GET,:path=/stream?n=0}", 200, 0},
        {"{GET,:path=/stream?n=10001}", 400, -1},
        {"{GET,:path=/nothing}", 404, -1},
        {"{GET,:path=//}", 404, -1},
        {"{GET,:path=/echo}", 200, 0},
        {"{:method=POST,:authority=a,:scheme=http,:path=/}", 405, -1},
        {"{:method=DELETE,:authority=a,:scheme=http,:path=/img/1}", 405, -1},
        {"{:method=POST,:authority=a,:scheme=http,:path=/nothing}", 404, -1},
        {"{:method=OPTIONS,:authority=a,:scheme=http,:path=/}", 204, 0},
        {"{:method=OPTIONS,:authority=a,:scheme=http,:path=*}", 204, 0},
        {"{:method=TRACE,:authority=a,:scheme=http,:path=/}", 501, -1},
        {"{:method=get,:authority=a,:scheme=http,:path=/}", 501, -1},
        {"{:method=CONNECT,:authority=a:1}", 501, -1},
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char text[200];
        sprintf(text, "HEADERS.5.1.%s", pages[i].fields);
        fake_tell(text);
        if (told.streams[0].status != pages[i].status || !told.streams[0].ended ||
            (pages[i].bytes >= 0 && told.streams[0].bytes != pages[i].bytes))
            FAIL("%s: %d, %ld bytes", pages[i].fields, told.streams[0].status,
                 told.streams[0].bytes);
        fake_end();
    }
}

TEST(an_image_is_the_same_in_any_pieces)
{
    static uint8_t whole[5000], pieces[5000];
    struct answer answer;
    page((struct http_text){"GET", 3}, (struct http_text){"/img/9?size=5000", 16}, 0, &answer);
    CHECK_INT((long)answer_read(&answer, whole, sizeof whole, 0), 5000);
    CHECK(!memcmp(whole, "\x89PNG\r\n\x1a\n", 8));
    page((struct http_text){"GET", 3}, (struct http_text){"/img/9?size=5000", 16}, 0, &answer);
    for (size_t at = 0; at < sizeof pieces;)
        at += answer_read(&answer, pieces + at, 1 + random_below(20), 0);
    CHECK(!memcmp(whole, pieces, sizeof whole));
    page((struct http_text){"GET", 3}, (struct http_text){"/img/8?size=5000", 16}, 0, &answer);
    answer_read(&answer, pieces, sizeof pieces, 0);
    CHECK(memcmp(whole + 8, pieces + 8, 64));
}

#endif
