// test_streams.h: what EventSource makes of a stream (HTML standard §9.2.6), as a table; and
// the rule that reading one keeps, whatever the bytes are. Shared by test.c and fuzz.c.
#ifndef TEST_STREAMS_H
#define TEST_STREAMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eventstream.h"

#define STREAM_SEEN 65536

// Reads a stream in two parts that meet at `cut` (EACH_BYTE: byte by byte), and writes down the
// events, as name/id/data with '|' behind, and the last id. False: it was refused.
static bool read_stream(const char *bytes, size_t length, size_t cut, char seen[STREAM_SEEN],
                        char last_id[EVENT_NAME])
{
    struct event_stream stream = {0};
    struct stream_event got;
    size_t used = 0, end = cut, at = 0;
    ssize_t part = 0;
    if (cut == EACH_BYTE)
        end = 1;
    *seen = '\0';
    while (used < length && part >= 0) {
        if (used == end && cut == EACH_BYTE)
            end++;
        else if (used == end)
            end = length;
        char *copy = malloc(end - used + 1); // so that a sanitizer sees any read beyond it
        memcpy(copy, bytes + used, end - used);
        part = event_stream_read(&stream, copy, end - used, &got);
        if (part >= 0 && got.name && at < STREAM_SEEN)
            at += (size_t)snprintf(seen + at, STREAM_SEEN - at, "%s/%s/%.*s|", got.name, got.id,
                                   (int)got.data.length, got.data.at);
        free(copy);
        if (part > 0)
            used += (size_t)part;
    }
    memcpy(last_id, stream.last_id, EVENT_NAME);
    event_stream_cut(&stream);
    return part >= 0;
}

// True if it does not matter where a stream is cut.
static inline bool stream_keeps_the_rule(const char *bytes, size_t length, size_t cut)
{
    static char whole[STREAM_SEEN], parts[STREAM_SEEN];
    char whole_id[EVENT_NAME], parts_id[EVENT_NAME];
    bool good = read_stream(bytes, length, length, whole, whole_id);
    return good == read_stream(bytes, length, cut, parts, parts_id) && !strcmp(whole, parts) &&
           !strcmp(whole_id, parts_id);
}

#define STREAM(bytes) bytes, sizeof bytes - 1

// clang-format off
static const struct {
    const char *bytes;
    size_t length;
    const char *events; // each as name/id/data; with '|' behind it
    const char *last_id;
} streams[] = {
    // the standard's own examples
    {STREAM("data: YHOO\ndata: +2\ndata: 10\n\n"), "message//YHOO\n+2\n10|", ""},
    {STREAM(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
     "message/1/first event|message//second event|message// third event|", ""},
    {STREAM("data\n\ndata\ndata\n\ndata:"), "message//|message//\n|", ""},
    {STREAM("data:test\n\ndata: test\n\n"), "message//test|message//test|", ""},
    // line ends of all kinds
    {STREAM("data: a\rdata: b\r\rdata: c\r\ndata: d\r\n\r\n"), "message//a\nb|message//c\nd|", ""},
    {STREAM("data: a\n\rdata: b\r\n\r\n"), "message//a|message//b|", ""},
    {STREAM("\n\n\r\r\r\n\r\ndata: a\n\n\n\n"), "message//a|", ""},
    // fields
    {STREAM("event: price\ndata: 1\n\ndata: 2\n\n"), "price//1|message//2|", ""},
    {STREAM("event: a\nevent: b\ndata: 1\n\n"), "b//1|", ""},
    {STREAM("event: a\n\ndata: 1\n\n"), "message//1|", ""},
    {STREAM("event\ndata: 1\n\n"), "message//1|", ""},
    {STREAM("id: 7\ndata: a\n\ndata: b\n\n"), "message/7/a|message/7/b|", "7"},
    {STREAM("id: 7\n\ndata: b\n\n"), "message/7/b|", "7"},
    {STREAM("id: 7\ndata: b\n"), "", ""},
    {STREAM("id: 7\ndata: a\n\nid: 8\ndata: b\n"), "message/7/a|", "7"},
    {STREAM("id: 7\n\nid: 8\0\ndata: a\n\n"), "message/7/a|", "7"},
    {STREAM("id: 7\n\nid:\ndata: a\n\n"), "message//a|", ""},
    {STREAM("Data: a\nDATA: b\n data: c\nnothing: d\ndata : e\n\n"), "", ""},
    {STREAM(":\n:comment\n: data: a\ndata: b\n\n"), "message//b|", ""},
    {STREAM("data: a:b: c\n\n"), "message//a:b: c|", ""},
    {STREAM("data:\n\n"), "message//|", ""},
    {STREAM("data: \n\n"), "message//|", ""},
    {STREAM("data:\t\n\n"), "message//\t|", ""},
    {STREAM("data: {\"a\":\"\xc3\xa9\"}\n\n"), "message//{\"a\":\"\xc3\xa9\"}|", ""},
    {STREAM("retry: 2500\nretry: x\nretry: -1\nretry: 1 \nretry:\ndata: r\n\n"), "message//r|", ""},
    // the mark at the beginning, and elsewhere
    {STREAM("\xef\xbb\xbf" "data: a\n\ndata: b\n\n"), "message//a|message//b|", ""},
    {STREAM("\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\ndata: b\n\n"), "message//b|", ""},
    {STREAM("\n\xef\xbb\xbf" "data: a\n\n"), "", ""},
    {STREAM("\xef\xbb" "data: a\n\n"), "", ""},
};
// clang-format on

#endif
