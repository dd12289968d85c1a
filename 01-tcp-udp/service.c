// service.c: see service.h.
#include "service.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "tcp_state.h"

#define NOTES_MAX 256 // messages remembered for each transport; later ones are not

static struct {
    int number;
    long took_us; // from the client's send to our note; one machine, one clock
} notes[2][NOTES_MAX];
static int note_count[2], resumes;

static void add(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct reply *reply, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(reply->text + reply->length, sizeof reply->text - reply->length,
                           format, arguments);
    va_end(arguments);
    reply->length += (size_t)wanted;
    if (reply->length > REPLY_BYTES)
        reply->length = REPLY_BYTES;
}

static void take_note(enum transport transport, int number, int64_t sent_us)
{
    int *count = &note_count[transport];
    if (*count < NOTES_MAX) {
        notes[transport][*count].number = number;
        notes[transport][*count].took_us = (long)(now_ns() / 1000 - sent_us);
        ++*count;
    }
}

static void read_notes(enum transport transport, struct reply *reply)
{
    add(reply, "%d notes:", note_count[transport]);
    for (int i = 0; i < note_count[transport]; i++)
        add(reply, " %d=%ld", notes[transport][i].number, notes[transport][i].took_us);
}

static int within(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

// Fills in the reply to `text`, a request without its id. False: it is none, so echo it.
static bool obey(const struct request *request, const char *text, struct reply *reply)
{
    int number, rest = 0;
    long bytes;
    int64_t sent_us;
    char word[8];
    if (!strcmp(text, "who")) {
        add(reply, "you are %s, I am %s, over %s", request->client, request->server,
            request->transport == TCP ? "tcp" : "udp");
    } else if (sscanf(text, "say %d %n", &number, &rest) == 1 && rest) {
        add(reply, "%s", text + rest);
        reply->times = within(number, 0, TIMES_MAX);
    } else if (sscanf(text, "note %d %" SCNd64, &number, &sent_us) == 2) {
        take_note(request->transport, number, sent_us);
    } else if (sscanf(text, "notes %7s", word) == 1) {
        read_notes(!strcmp(word, "udp") ? UDP : TCP, reply);
    } else if (!strcmp(text, "forget")) {
        note_count[TCP] = note_count[UDP] = 0;
        add(reply, "forgotten");
    } else if (sscanf(text, "after %d %n", &number, &rest) == 1 && rest) {
        add(reply, "%s", text + rest);
        reply->after_ms = within(number, 0, DELAY_MAX);
    } else if (sscanf(text, "pause %d", &number) == 1) {
        add(reply, "pausing");
        reply->pause_ms = within(number, 0, DELAY_MAX);
    } else if (!strcmp(text, "resume")) {
        add(reply, "resumed");
        resumes++;
    } else if (sscanf(text, "swallow %ld", &bytes) == 1 && bytes > 0) {
        reply->swallow_bytes = bytes; // answered when they have come
    } else if (sscanf(text, "linger %d", &number) == 1) {
        add(reply, "lingering");
        reply->linger_ms = within(number, 0, DELAY_MAX);
    } else if (sscanf(text, "state %d", &number) == 1) {
        add(reply, "%s", tcp_state(atoi(strrchr(request->server, ':') + 1), number));
    } else if (!strcmp(text, "drops")) {
        add(reply, "received %ld dropped %ld", request->received, request->dropped);
    } else {
        return false;
    }
    return true;
}

int service_resumes(void)
{
    return resumes;
}

void service_answer(const struct request *request, struct reply *reply)
{
    const char *text = request->text;
    int id, id_length = 0;
    // Not the text: a datagram may be large, and is only copied when it is echoed.
    memset(reply, 0, offsetof(struct reply, text));
    reply->times = 1;
    if (sscanf(text, "#%d %n", &id, &id_length) == 1 && id_length) {
        text += id_length;
        add(reply, "#%d ", id);
    }
    size_t prefix = reply->length;
    if (obey(request, text, reply)) {
        if (reply->length == prefix)
            reply->length = 0; // a command without an answer has no id to send back either
        return;
    }
    reply->length = request->length; // as it came, id and all
    memcpy(reply->text, request->text, request->length);
}
