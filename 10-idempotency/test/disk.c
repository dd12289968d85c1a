// disk.c: how often a second the disk says "it is there"; for bench.sh. Nothing but write and
// fdatasync(), one after the other: over zeros that were written and synced before, as the
// journal does it; with --append behind the end of the file; with --reserve over space that
// fallocate() has reserved.
//
// Run:    build/disk --file ./here --bytes 192
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "net.h"
#include "options.h"

#define BYTES_MAX JOURNAL_AHEAD

int main(int argc, char **argv)
{
    static const char *file = "disk.tmp";
    static int bytes = 192;
    static double seconds = 2;
    static bool append, reserve;
    static const struct option_spec options[] = {
        {"file", OPTION_TEXT, &file, .help = "to write, and to remove"},
        {"bytes", OPTION_INT, &bytes, 1, BYTES_MAX, "at a time"},
        {"seconds", OPTION_NUMBER, &seconds, 0.01, 3600, "that it lasts"},
        {"append", OPTION_FLAG, &append, .help = "to a file that grows each time"},
        {"reserve", OPTION_FLAG, &reserve, .help = "fallocate() in place of written zeros"},
        {0}};
    static char text[BYTES_MAX], zeros[JOURNAL_AHEAD];
    off_t at = 0, size = 0;
    long count = 0;
    options_parse(argc, argv, &(struct command){"", "Syncs a second.", options});
    memset(text, 'x', sizeof text);
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        die("cannot create %s: %s", file, strerror(errno));
    unlink(file);
    int64_t begin_ns = now_ns(), end_ns = begin_ns;
    for (; (double)(end_ns - begin_ns) < seconds * 1e9; end_ns = now_ns(), count++) {
        if (!append && at + bytes > size) { // as make_room() in journal.c
            bool made = reserve ? !fallocate(fd, 0, size, JOURNAL_AHEAD)
                                : pwrite(fd, zeros, sizeof zeros, size) == sizeof zeros;
            if (!made || fdatasync(fd))
                die("cannot make room: %s", strerror(errno));
            size += JOURNAL_AHEAD;
        }
        if (pwrite(fd, text, (size_t)bytes, at) != bytes || fdatasync(fd))
            die("cannot write: %s", strerror(errno));
        at += bytes;
    }
    printf("%.0f\n", (double)count / ((double)(end_ns - begin_ns) * 1e-9));
    return 0;
}
