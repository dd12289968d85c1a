// upload.c: scene upload: the connection breaks during an upload, which then goes on from the
// last byte that the server has.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define FILE_BYTES  1000000
#define CUT_PERCENT 60

static const struct claim survives = {
    "2.9", "guide §5", "an upload in parts survives a broken connection", HOLDS, NULL};

static char file[FILE_BYTES];
static size_t file_bytes;     // of `file`, the part that is uploaded
static size_t checked, wrong; // bytes that GET has brought; parts of them that differ

// A file name that no other run of this scene has.
static const char *file_name(void)
{
    static char name[40];
    snprintf(name, sizeof name, "/files/upload-%d", (int)getpid());
    return name;
}

static void make_file(void)
{
    file_bytes = FILE_BYTES;
    // A tenth where packets are lost: there the congestion control makes TCP slow.
    if (packet_log()->loss > 0)
        file_bytes = FILE_BYTES / 10;
    for (size_t i = 0; i < file_bytes; i++)
        file[i] = (char)(i * 31 + i / 251);
}

static void compare(struct fetch *f, struct http_text content)
{
    (void)f;
    if (checked + content.length > file_bytes ||
        memcmp(file + checked, content.at, content.length) != 0)
        wrong++;
    checked += content.length;
}

// Sends the whole file in one request. After CUT_PERCENT of the file the connection ends with a
// reset, as if the router had been restarted. Returns the bytes of the file that were sent.
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

// Asks how many bytes the server has. -1: the server does not know the file.
static long ask_offset(struct fetch *f)
{
    story_event("HEAD %s", file_name());
    fetch_or_die(f, fetch_ask(f, "HEAD", file_name(), "", NULL));
    const char *field = http_field(&f->head, "upload-offset").at;
    if (!field) {
        story_event("%d, no Upload-Offset", f->head.status);
        return -1;
    }
    long offset = atol(field); // stops at the line end behind the number
    story_event("%d, Upload-Offset: %ld", f->head.status, offset);
    return offset;
}

// Sends the bytes of the file from `offset` on.
static void send_rest(struct fetch *f, size_t offset)
{
    size_t rest = file_bytes - offset;
    story_event("PATCH, Content-Range: bytes %zu-%zu/%zu", offset, file_bytes - 1, file_bytes);
    fetch_or_die(f, fetch_send(f,
                               "PATCH %s HTTP/1.1\r\n" FETCH_HOST "Content-Length: %zu\r\n"
                               "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                               file_name(), rest, offset, file_bytes - 1, file_bytes));
    fetch_or_die(f, fetch_send_bytes(f, file + offset, rest));
    fetch_or_die(f, fetch_answer(f));
    story_event("%d", f->head.status);
}

// Judges the claim. `status` answered the last part, which began at `offset`; before it,
// `first` bytes had been sent.
static void judge(size_t first, long offset, int status)
{
    static const char *const brought[] = {"not the file", "the file"};
    bool same = checked == file_bytes && !wrong, resumed = offset > 0 && status == 201;
    size_t twice = first - (size_t)offset; // bytes that were sent a second time
    if (packet_log()->loss > 0)
        claim_report(&survives, SKIPPED, "on this link the reset itself may be lost");
    else if (!resumed)
        claim_report(&survives, UNCLEAR, "the upload did not go on: offset %ld, status %d",
                     offset, status);
    else
        claim_report(&survives, holds_if(same && twice < first),
                     "%zu of %zu bytes sent twice instead of %zu; what GET brings is %s", twice,
                     file_bytes, first, brought[same]);
}

void scene_upload(void)
{
    struct fetch f;
    make_file();
    story_say("A file of %zu bytes. At %d %% the connection breaks.", file_bytes, CUT_PERCENT);
    story_timeline();
    size_t first = upload_and_break();
    ask_open(&f);
    long offset = ask_offset(&f);
    bool goes_on = offset > 0 && offset < (long)file_bytes;
    if (goes_on)
        send_rest(&f, (size_t)offset);
    int status = f.head.status;
    story_quiet(true);
    checked = wrong = 0;
    f.piece = compare;
    ask_get(&f, file_name());
    fetch_close(&f);

    story_say("The client's kernel had taken more bytes than it could send before the "
              "connection broke. Only the server knows which bytes have arrived. Bytes of the "
              "file that were sent:");
    story_say("");
    double again = (double)(first + file_bytes);
    double resumed = again - (double)offset;
    story_bar("one large request, again", again, again, "%.0f", again);
    if (goes_on)
        story_bar("resumed at the offset", resumed, again, "%.0f", resumed);
    judge(first, offset, status);
}
