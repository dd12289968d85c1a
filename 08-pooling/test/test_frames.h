// test_frames.h: rules that the readers of frames and of queries keep, whatever the bytes are.
// Shared by test.c and fuzz.c.
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "db.h"
#include "query.h"

// The fields of a frame lie within it, one behind the other; written again they are the same
// bytes; and of no part of the frame was it said that it is whole.
static const char *frame_fault(const char *bytes, size_t size, const struct frame *frame)
{
    static char again[2 * FRAME_MAX_BYTES], text[FIELDS_MAX][FRAME_MAX_BYTES + 1];
    const char *fields[FIELDS_MAX], *end = bytes + FRAME_HEADER_BYTES;
    struct frame part;
    if (size < FRAME_HEADER_BYTES || size > 4 + FRAME_MAX_BYTES)
        return "a frame is shorter or longer than any can be";
    for (size_t length = 0; length < size; length++)
        if (frame_read(bytes, length, &part))
            return "a part of a frame is taken for a whole one";
    for (int i = 0; i < frame->count; i++) {
        if (frame->fields[i].at != end + 2)
            return "fields are not one behind the other";
        end = frame->fields[i].at + frame->fields[i].length;
        memcpy(text[i], frame->fields[i].at, frame->fields[i].length);
        text[i][frame->fields[i].length] = '\0';
        fields[i] = text[i];
    }
    if (frame->count < 0)
        return NULL;
    if (end != bytes + size)
        return "bytes of a frame belong to no field";
    size_t length =
        frame_write(again, sizeof again, frame->kind, frame->id, fields, frame->count);
    if (length != size || memcmp(again, bytes, size))
        return "written again it is another frame";
    return NULL;
}

static const char *frames_fault(const char *bytes, size_t length)
{
    char *copy = malloc(length + 1); // of exactly this size, for the sanitizers' sake
    const char *fault = NULL;
    struct frame frame;
    ssize_t size = 0;
    memcpy(copy, bytes, length);
    for (size_t at = 0; !fault && size >= 0; at += (size_t)size) {
        size = frame_read(copy + at, length - at, &frame);
        if (size <= 0)
            break;
        fault = frame_fault(copy + at, (size_t)size, &frame);
    }
    free(copy);
    return fault;
}

// A query is refused with a reason that can be printed, or keeps its limits and is answered.
static const char *query_fault(const char *bytes, size_t length)
{
    static struct tables tables;
    static char room[ANSWER_MAX_BYTES];
    static const struct figure figures[] = {{"queries", 1}, {0}};
    struct query query;
    struct query_error error = {"", ""};
    if (!*tables.users[0].id)
        tables_fill(&tables);
    char *copy = malloc(length + 1);
    memcpy(copy, bytes, length);
    bool good = query_parse(copy, length, &query, &error);
    free(copy);
    if (!good) {
        for (const char *at = error.text; *at; at++)
            if (*at < ' ' || *at > '~')
                return "an error that should not be printed";
        if (strlen(error.code) != CODE_BYTES || !*error.text)
            return "no reason is given";
        return NULL;
    }
    if (query.count < 0 || query.count > IDS_MAX || query.ms < 0 || query.ms > SLOW_MAX_MS)
        return "a query beyond its limits";
    size_t size = query_answer(&query, &tables, figures, 7, room, sizeof room);
    if (size == 0)
        return "there is no room for the answer";
    return frames_fault(room, size);
}

// A client hears these bytes from a server, and then the end: it never takes them for more than
// they are.
static const char *client_fault(const char *bytes, size_t length)
{
    static struct db db;
    int pair[2];
    uint32_t id;
    const char *fault = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        return "there is no pair of sockets";
    ssize_t sent = send(pair[1], bytes, length, MSG_NOSIGNAL);
    close(pair[1]);
    if (sent >= 0) {
        memset(&db, 0, sizeof db);
        db.fd = pair[0];
        for (int i = 0; !db.broken && !fault; i++) {
            bool good = db_receive(&db, &id, 1000);
            if (good != !*db.error.code || (good && id == 0) || (size_t)i > length)
                fault = "an answer is good and bad";
            for (int row = 0; row <= db.rows; row++)
                for (int column = 0; column <= db.columns; column++)
                    if (strlen(db_value(&db, row, column)) > FRAME_MAX_BYTES)
                        fault = "a value is longer than its frame";
        }
    }
    close(pair[0]);
    return fault;
}

#endif
