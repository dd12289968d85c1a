// test_streams.h: many streams on one connection, in the lab: their turns, windows, deadlines,
// limits and ends; and what the routes answer.
#ifndef TEST_STREAMS_H
#define TEST_STREAMS_H

#include "test_lab.h"

TEST(answers_interleave)
{
    lab_tell(
        "HEADERS.5.1.{GET,:path=/img/1?size=12288} HEADERS.5.3.{GET,:path=/img/2?size=5000} "
        "HEADERS.5.5.{GET,:path=/img/3?size=4096} HEADERS.5.7.{GET}");
    CHECK_HAS(told.text, "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 4096 bytes\n"
                         "DATA stream 5 END_STREAM 4096 bytes\n"
                         "DATA stream 7 END_STREAM 13 bytes\n"
                         "DATA stream 1 4096 bytes\n"
                         "DATA stream 3 END_STREAM 904 bytes\n"
                         "DATA stream 1 END_STREAM 4096 bytes\n");
    lab_end();
}

// §6.9.2's example, and on: a window that SETTINGS make smaller is below zero for a while.
TEST(windows_below_zero)
{
    lab_tell("WINDOW_UPDATE.0.0.00100000 HEADERS.5.1.{GET,:path=/img/1?size=100000}");
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("SETTINGS.0.0.0004000003e8"); // 1,000: 64,535 too many are sent
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("WINDOW_UPDATE.0.1.0000fc17"); // 64,535: now it is zero
    CHECK_INT(told.streams[0].bytes, 65535);
    lab_go_on("WINDOW_UPDATE.0.1.00000001");
    CHECK_INT(told.streams[0].bytes, 65536);
    lab_go_on("SETTINGS.0.0.0004000003f2"); // 1,010: ten more
    CHECK_INT(told.streams[0].bytes, 65546);
    lab_go_on("HEADERS.5.3.{GET,:path=/img/1?size=100000}"); // a new stream begins with that
    CHECK_INT(told.streams[1].bytes, 1010);
    lab_go_on("SETTINGS.0.0.00047fffffff"); // all of it, as far as the connection's window goes
    CHECK(told.streams[0].ended && told.streams[1].ended);
    lab_end();
}

TEST(the_connections_window)
{
    lab_tell("SETTINGS.0.0.00047fffffff HEADERS.5.1.{GET,:path=/img/1?size=100000} "
             "HEADERS.5.3.{GET,:path=/img/2?size=100000}");
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes, 65535);
    CHECK(labs(told.streams[0].bytes - told.streams[1].bytes) <= 4096);
    lab_go_on("HEADERS.5.5.{:method=HEAD,:scheme=http,:path=/img/1} HEADERS.5.7.{GET}");
    CHECK(told.streams[2].ended && told.streams[2].bytes == 0); // no DATA: nothing to wait for
    CHECK(told.streams[3].status == 200 && !told.streams[3].ended);
    lab_go_on("WINDOW_UPDATE.0.0.00003000"); // three more pieces, whose turn it is
    CHECK_INT(told.streams[0].bytes + told.streams[1].bytes + told.streams[3].bytes,
              65535 + 0x3000);
    CHECK(told.streams[3].ended);
    lab_go_on("WINDOW_UPDATE.0.0.00100000");
    CHECK(told.streams[0].ended && told.streams[1].ended);
    CHECK_INT(told.streams[0].bytes, 100000);
    lab_end();
}

TEST(windows_are_given_back)
{
    lab_tell("HEADERS.4.1.{POST} 60xDATA.0.1.16384*61 DATA.1.1.16384*61");
    CHECK_INT(told.streams[0].status, 200);
    CHECK(told.window_updates >= 58); // for the stream and for the connection
    lab_end();
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
    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.5.3.{GET,:path=/stream?n=3&ms=200} "
             "HEADERS.5.5.{GET}");
    CHECK(told.streams[2].ended && told.streams[1].status == 200);
    CHECK_INT(told.streams[0].status, 0);
    CHECK_INT(told.streams[1].bytes, 23);
    for (int ms = 100; ms <= 500; ms += 100) {
        lab_wait(100);
        lab_listen(&told);
        CHECK_INT(told.streams[1].bytes, ms < 200 ? 23 : ms < 400 ? 46 : 69);
        CHECK_INT(told.streams[1].ended, ms >= 400);
        CHECK_INT(told.streams[0].ended, ms >= 500);
    }
    CHECK_INT(lab.service.requests, 3);
    lab_end();
}

TEST(deadlines)
{
    lab_begin(); // no preface
    story_clear(&told);
    lab.deadline_ns = lab.now_ns; // which the server has set
    lab_wait(1);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 0 PROTOCOL_ERROR no preface in time");
    lab_end();

    lab_tell("HEADERS.5.1.{GET}"); // 60 s after the last frame
    lab_wait(59000);
    lab_go_on("PING.0.0.0011223344556677");
    lab_wait(59000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 NO_ERROR idle");
    CHECK(lab.conn.closing);
    lab_end();

    lab_tell("SETTINGS.0.0.000400000000 HEADERS.5.1.{GET}"); // a window of zero, for 30 s
    lab_wait(29000);
    lab_go_on("PING.0.0.0011223344556677"); // which is no progress
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM requests that do not move");
    lab_end();

    lab_tell("HEADERS.4.1.{POST}"); // a body that does not come
    lab_wait(29000);
    lab_go_on("DATA.0.1.61");
    lab_wait(29000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 1 ENHANCE_YOUR_CALM");
    lab_end();

    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=60000}"); // it is we who let the client wait
    lab_wait(59000);
    CHECK(!lab.conn.closing);
    lab_wait(1001);
    lab_listen(&told);
    CHECK(told.streams[0].ended);
    lab_end();
}

TEST(a_stop_lets_requests_finish)
{
    lab_tell("HEADERS.5.1.{GET,:path=/slow?ms=500} HEADERS.4.3.{POST}");
    session_stop(&lab.session);
    lab_run();
    lab_listen(&told);
    CHECK_HAS(told.text, "GOAWAY last stream 3 NO_ERROR");
    lab_go_on("HEADERS.5.5.{GET} DATA.0.5.61 DATA.1.3.6162"); // 5 comes too late: ignored
    CHECK(told.streams[1].ended && told.streams[1].bytes == 2);
    CHECK(told.streams[2].status == 0 && !lab.conn.closing);
    lab_wait(500);
    lab_listen(&told);
    CHECK(told.streams[0].ended && lab.conn.closing);
    CHECK_INT(told.going_away, 1);
    lab_end();
    lab_tell("");
    session_stop(&lab.session);
    lab_run();
    CHECK(lab.conn.closing); // nothing to wait for
    lab_end();
}

TEST(rapid_reset)
{
    char text[200];
    lab_tell("");
    int count = 0;
    for (uint32_t id = 1; !lab.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK(count >= 100 && count < 1000);
    lab_end();
    lab_tell(""); // and the other way round: requests that make us reset (CVE-2025-8671)
    count = 0;
    for (uint32_t id = 1; !lab.conn.closing && count < 10000; id += 2, count++) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} WINDOW_UPDATE.0.%u.00000000", id,
                id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "ENHANCE_YOUR_CALM");
    CHECK(count >= 100 && count < 1000);
    lab_end();
    lab_tell(""); // a client that cancels now and then may go on for ever
    for (uint32_t id = 1; id < 4000; id += 2) {
        sprintf(text, "HEADERS.5.%u.{GET,:path=/slow?ms=60000} RST_STREAM.0.%u.00000008", id,
                id);
        lab_go_on(text);
        lab_wait(25);
    }
    CHECK(!lab.conn.closing);
    CHECK_INT(lab.session.streams.count, 0);
    lab_end();
}

TEST(a_hundred_streams_and_one_more)
{
    char text[200];
    lab_tell("");
    for (uint32_t id = 1; id <= 201; id += 2) {
        sprintf(text, "HEADERS.4.%u.{POST}", id);
        lab_go_on(text);
    }
    CHECK_HAS(told.text, "RST_STREAM stream 201 REFUSED_STREAM");
    CHECK_INT(lab.session.streams.count, 100);
    lab_go_on("DATA.1.201.6162 DATA.1.1.6162"); // 201: on its way, ignored
    lab_go_on("HEADERS.5.203.{GET}");
    CHECK_HAS(told.text, "HEADERS stream 203");
    CHECK(!strstr(told.text, "RST_STREAM") && !told.going_away);
    lab_end();
}

// What happened to a stream is remembered for the last 512 of them.
TEST(how_streams_have_ended)
{
    struct streams streams;
    streams_begin(&streams);
    for (uint32_t id = 1; id < 4001; id += 4) // every other one is skipped
        stream_close(&streams, stream_open(&streams, id), id % 3 ? STREAM_ENDED : STREAM_RESET);
    for (uint32_t id = 3997 - 1020; id < 3998; id += 2)
        CHECK_INT(stream_end_of(&streams, id), id % 4 != 1 ? STREAM_SKIPPED
                                               : id % 3    ? STREAM_ENDED
                                                           : STREAM_RESET);
    CHECK_INT(stream_end_of(&streams, 1), STREAM_ENDED);
    stream_refuse(&streams, 2000001);
    CHECK_INT(stream_end_of(&streams, 2000001), STREAM_RESET);
    CHECK_INT(stream_end_of(&streams, 1999999), STREAM_SKIPPED);
    CHECK_INT(streams.count, 0);
}

TEST(bodies_that_are_too_long)
{
    lab_tell("HEADERS.4.1.{POST} 65xDATA.0.1.16384*61"); // 1 MB and 16 KB
    CHECK_INT(told.streams[0].status, 413);
    CHECK_INT(lab.session.held, 0);
    lab_go_on("65xDATA.0.1.16384*61 HEADERS.5.3.{GET}"); // and one more: this is enough
    CHECK_HAS(told.text, "RST_STREAM stream 1 NO_ERROR");
    lab_go_on("DATA.1.1.61 HEADERS.5.5.{GET}"); // what was on its way disturbs nobody
    CHECK(told.streams[1].ended && told.streams[2].ended && !told.going_away);
    lab_end();
    lab_tell("HEADERS.4.1.{POST} HEADERS.4.3.{POST} 60xDATA.0.1.16384*61 60xDATA.0.3.16384*61");
    CHECK_INT(told.streams[1].status, 413); // 1 MB for all bodies of a connection at once
    lab_go_on("DATA.1.1. 15xWINDOW_UPDATE.0.0.00010000 15xWINDOW_UPDATE.0.1.00010000");
    CHECK(told.streams[0].ended);
    CHECK_INT(told.streams[0].bytes, 60 * 16384);
    CHECK_INT(lab.session.held, 0);
    lab_end();
    lab_tell("HEADERS.4.1.{GET} 65xDATA.0.1.16384*61"); // nobody wants it, and still
    CHECK_INT(told.streams[0].status, 413);
    lab_end();
}

TEST(a_smaller_table_counts_when_it_is_acknowledged)
{
    lab_begin();
    session_closed(&lab.session);
    lab.out_length = 0;
    lab.service.table_bytes = 100;
    session_begin(&lab.session, &lab.conn, &lab.service);
    story_clear(&told);
    script.length = 0;
    script_bytes(&script, PREFACE, PREFACE_BYTES);
    script_add(&script,
               "SETTINGS.0.0. HEADERS.5.1.828684 SETTINGS.1.0. HEADERS.5.3.3f45828684");
    lab_say(script.bytes, script.length);
    lab_listen(&told);
    CHECK(told.streams[0].ended && told.streams[1].ended && !told.going_away);
    lab_go_on("HEADERS.5.5.3fe11f828684");
    CHECK_HAS(told.text, "COMPRESSION_ERROR");
    lab_end();
}

TEST(pages)
{
    static const struct {
        const char *fields;
        int status;
        long bytes;
    } pages[] = {
        {"{GET}", 200, 13},
        {"{:method=HEAD,:scheme=http,:path=/}", 200, 0},
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
        {"{GET,:path=/stream?n=0}", 200, 0},
        {"{GET,:path=/stream?n=10001}", 400, -1},
        {"{GET,:path=/nothing}", 404, -1},
        {"{GET,:path=//}", 404, -1},
        {"{GET,:path=/echo}", 200, 0},
        {"{:method=POST,:scheme=http,:path=/}", 405, -1},
        {"{:method=DELETE,:scheme=http,:path=/img/1}", 405, -1},
        {"{:method=POST,:scheme=http,:path=/nothing}", 404, -1},
        {"{:method=OPTIONS,:scheme=http,:path=/}", 204, 0},
        {"{:method=OPTIONS,:scheme=http,:path=*}", 204, 0},
        {"{:method=TRACE,:scheme=http,:path=/}", 501, -1},
        {"{:method=get,:scheme=http,:path=/}", 501, -1},
        {"{:method=CONNECT,:authority=a:1}", 501, -1},
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char text[200];
        sprintf(text, "HEADERS.5.1.%s", pages[i].fields);
        lab_tell(text);
        if (told.streams[0].status != pages[i].status || !told.streams[0].ended ||
            (pages[i].bytes >= 0 && told.streams[0].bytes != pages[i].bytes))
            FAIL("%s: %d, %ld bytes", pages[i].fields, told.streams[0].status,
                 told.streams[0].bytes);
        lab_end();
    }
}

TEST(an_image_is_the_same_in_any_pieces)
{
    static uint8_t whole[5000], pieces[5000];
    struct answer answer;
    route((struct http_text){"GET", 3}, (struct http_text){"/img/9?size=5000", 16}, 0, &answer);
    CHECK_INT((long)answer_read(&answer, whole, sizeof whole, 0), 5000);
    CHECK(!memcmp(whole, "\x89PNG\r\n\x1a\n", 8));
    route((struct http_text){"GET", 3}, (struct http_text){"/img/9?size=5000", 16}, 0, &answer);
    for (size_t at = 0; at < sizeof pieces;)
        at += answer_read(&answer, pieces + at, 1 + random_below(20), 0);
    CHECK(!memcmp(whole, pieces, sizeof whole));
    route((struct http_text){"GET", 3}, (struct http_text){"/img/8?size=5000", 16}, 0, &answer);
    answer_read(&answer, pieces, sizeof pieces, 0);
    CHECK(memcmp(whole + 8, pieces + 8, 64));
}

#endif
