// service.c: see service.h.
#include "service.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "tcp_state.h"

#define LINE_BYTES 4097 // of a command
#define NOTES_MAX  256  // messages remembered for each transport; later ones are not

static struct {
    int number;
    long took_us; // from the client's send() to the note: both programs share one clock
} notes[2][NOTES_MAX];
static int note_count[2], resumes;

static const char *const transport_name[] = {"tcp", "udp"};

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

// The text behind the command `word`. NULL: the text is another command.
static const char *argument_of(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) || (text[length] != '\0' && text[length] != ' '))
        return NULL;
    return text + length + (text[length] == ' ');
}

// Takes a decimal number and the space behind it from the front of *text. A number above `high`
// counts as `high`. False: there is no number, or it is less than `low`.
static bool take_number(const char **text, int64_t low, int64_t high, int64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoll(*text, &end, 10);
    if (end == *text || errno || *number < low || (*end != '\0' && *end != ' '))
        return false;
    if (*number > high)
        *number = high;
    *text = end + (*end == ' ');
    return true;
}

// Fills in the reply to `text`, a request without its id. False: it is no command, so the
// server echoes it.
static bool obey(const struct request *request, const char *text, struct reply *reply)
{
    const char *rest;
    int64_t number, sent_us;
    if (!strcmp(text, "who")) {
        add(reply, "you are %s, I am %s, over %s", request->client, request->server,
            transport_name[request->transport]);
    } else if ((rest = argument_of(text, "say")) && take_number(&rest, 0, TIMES_MAX, &number)) {
        add(reply, "%s", rest);
        reply->times = (int)number;
    } else if ((rest = argument_of(text, "note")) && take_number(&rest, 0, INT_MAX, &number) &&
               take_number(&rest, 0, INT64_MAX, &sent_us)) {
        take_note(request->transport, (int)number, sent_us);
    } else if ((rest = argument_of(text, "notes"))) {
        enum transport transport = TCP;
        if (!strcmp(rest, transport_name[UDP]))
            transport = UDP;
        read_notes(transport, reply);
    } else if (!strcmp(text, "forget")) {
        note_count[TCP] = note_count[UDP] = 0;
        add(reply, "forgotten");
    } else if ((rest = argument_of(text, "after")) &&
               take_number(&rest, 0, DELAY_MAX, &number)) {
        add(reply, "%s", rest);
        reply->after_ms = (int)number;
    } else if ((rest = argument_of(text, "pause")) &&
               take_number(&rest, 0, DELAY_MAX, &number)) {
        add(reply, "pausing");
        reply->pause_ms = (int)number;
    } else if (!strcmp(text, "resume")) {
        add(reply, "resumed");
        resumes++;
    } else if ((rest = argument_of(text, "swallow")) && request->transport == TCP &&
               take_number(&rest, 1, LONG_MAX, &number) && number <= SWALLOW_MAX) {
        reply->swallow_bytes = (long)number; // answered when they have come
    } else if ((rest = argument_of(text, "linger")) &&
               take_number(&rest, 0, DELAY_MAX, &number)) {
        add(reply, "lingering");
        reply->linger_ms = (int)number;
    } else if ((rest = argument_of(text, "state")) && take_number(&rest, 0, 65535, &number)) {
        add(reply, "%s", tcp_state(atoi(strrchr(request->server, ':') + 1), (int)number));
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
    char line[LINE_BYTES] = "";
    if (request->length < sizeof line) // a longer text is no command
        memcpy(line, request->text, request->length);
    line[strcspn(line, "\r\n")] = '\0'; // nc sends the newline in the datagram
    const char *text = line;
    // All but reply->text, which is large: only an echo needs it.
    memset(reply, 0, offsetof(struct reply, text));
    reply->times = 1;
    size_t digits = 0;
    if (*text == '#')
        digits = strspn(text + 1, "0123456789");
    if (digits && text[1 + digits] == ' ') { // "#ID ": the id goes back as it came
        add(reply, "%.*s", (int)digits + 2, text);
        text += digits + 2;
    }
    size_t prefix = reply->length;
    if (obey(request, text, reply)) {
        if (reply->length == prefix)
            reply->length = 0; // without an answer the server sends no id back either
        return;
    }
    reply->length = request->length; // the echo: all that came, also the id
    memcpy(reply->text, request->text, request->length);
}
