// resume.c: an upload whose connection breaks, and that goes on where it was.
#include "resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "packet_log.h"
#include "claim.h"
#include "net.h"
#include "story.h"

#define FILE_BYTES  1000000
#define CUT_PERCENT 60

static char file[FILE_BYTES];
static size_t file_bytes; // of it, what is uploaded
static size_t checked, wrong;

// A file name that no other run of this scene has.
static const char *file_name(void)
{
    static char name[40];
    snprintf(name, sizeof name, "/files/upload-%d", (int)getpid());
    return name;
}

static void compare(struct fetch *f, struct http_text content)
{
    (void)f;
    if (checked + content.length > file_bytes ||
        memcmp(file + checked, content.at, content.length) != 0)
        wrong++;
    checked += content.length;
}

// The whole file in one request; after CUT_PERCENT of it, the network is gone: a reset, as if
// the router had been restarted. Returns the bytes of the file that were sent.
static size_t upload_and_break(void)
{
    struct linger reset = {1, 0};
    struct fetch f;
    size_t part = file_bytes / 100 * CUT_PERCENT;
    ask_open(&f);
    story_event("PUT %s, %zu bytes", file_name(), file_bytes);
    fetch_or_die(&f,
                 fetch_send(&f, "PUT %s HTTP/1.1\r\n" FETCH_HOST "Content-Length: %zu\r\n\r\n",
                            file_name(), file_bytes));
    fetch_or_die(&f, fetch_send_bytes(&f, file, part));
    story_event("%zu bytes sent: the connection breaks", part);
    setsockopt(f.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    fetch_close(&f);
    return part;
}

// Asks how much has come. -1: the server does not know the file.
static long ask_offset(struct fetch *f)
{
    story_event("HEAD %s", file_name());
    fetch_or_die(f, fetch_ask(f, "HEAD", file_name(), "", NULL));
    const char *field = http_field(&f->head, "upload-offset").at;
    long offset = field ? atol(field) : -1; // a line end is behind it
    if (field)
        story_event("%d, Upload-Offset: %ld", f->head.status, offset);
    else
        story_event("%d, no Upload-Offset", f->head.status);
    return offset;
}

static const struct claim survives = {
    "2.9", "guide §5", "an upload in parts survives a broken connection", HOLDS, NULL};

void scene_upload(void)
{
    struct fetch f;
    // A tenth where packets are lost: Reno is slow there, and does not get faster by waiting.
    file_bytes = packet_log()->loss > 0 ? FILE_BYTES / 10 : FILE_BYTES;
    for (size_t i = 0; i < file_bytes; i++)
        file[i] = (char)(i * 31 + i / 251);
    story_say("A file of %zu bytes. At %d %% the connection breaks.", file_bytes, CUT_PERCENT);
    story_timeline();
    size_t first = upload_and_break();
    ask_open(&f);
    long offset = ask_offset(&f);
    size_t rest = offset > 0 && (size_t)offset < file_bytes ? file_bytes - (size_t)offset : 0;
    if (rest) {
        story_event("PATCH, Content-Range: bytes %ld-%zu/%zu", offset, file_bytes - 1,
                    file_bytes);
        fetch_or_die(&f, fetch_send(&f,
                                    "PATCH %s HTTP/1.1\r\n" FETCH_HOST "Content-Length: %zu\r\n"
                                    "Content-Range: bytes %ld-%zu/%zu\r\n\r\n",
                                    file_name(), rest, offset, file_bytes - 1, file_bytes));
        fetch_or_die(&f, fetch_send_bytes(&f, file + offset, rest));
        fetch_or_die(&f, fetch_answer(&f));
        story_event("%d", f.head.status);
    }
    int status = f.head.status;
    story_quiet(true);
    checked = wrong = 0;
    f.piece = compare;
    ask_get(&f, file_name());
    fetch_close(&f);

    story_say("What our kernel had taken and not yet sent is gone with the connection: the "
              "server says");
    story_say("what it has. Bytes of the file that were sent:");
    story_say("");
    double again = (double)(first + file_bytes), resumed = (double)(first + rest);
    story_bar("one large request, again", again, again, "%.0f", again);
    if (rest)
        story_bar("resumed at the offset", resumed, again, "%.0f", resumed);
    bool same = checked == file_bytes && !wrong;
    if (packet_log()->loss > 0)
        claim_report(&survives, SKIPPED, "on this link the reset itself may be lost");
    else
        claim_report(&survives,
                     rest > 0 && status == 201 && same && resumed < again ? HOLDS : UNCLEAR,
                     "%zu of %zu bytes sent twice instead of %zu; what GET brings is %s",
                     rest ? first + rest - file_bytes : 0, file_bytes, first,
                     same ? "the file" : "not the file");
}
