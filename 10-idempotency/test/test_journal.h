// test_journal.h: tests of the journal: what is in it after every cut, every flipped bit, every
// sector that was lost: what was told of, or the word that it is damaged.
#ifndef TEST_JOURNAL_H
#define TEST_JOURNAL_H

#include <fcntl.h>
#include <sys/mman.h>

#include "crc32c.h"
#include "journal.h"
#include "recovery.h"
#include "test_talk.h"
#include "smaller.h"

#define TAKEN_BYTES (2 << 20)

// What a journal has in it, as one text.
struct taken {
    char text[TAKEN_BYTES];
    size_t length;
};

static inline bool take_text(void *context, const char *line, size_t length)
{
    struct taken *taken = context;
    if (length > sizeof taken->text - taken->length - 1)
        return false;
    memcpy(taken->text + taken->length, line, length);
    taken->length += length;
    taken->text[taken->length] = '\0';
    return true;
}

static inline bool count_line(void *context, const char *line, size_t length)
{
    (void)context;
    return length && line[length - 1] == '\n';
}

static struct taken taken;

static inline bool open_journal(struct journal *journal)
{
    taken.length = 0;
    taken.text[0] = '\0';
    return journal_open(journal, journal_of_its_own(), take_text, &taken);
}

static inline void add(struct journal *journal, const char *line)
{
    CHECK(journal_append(journal, line, strlen(line)));
}

// The file's bytes, up to the end of what is not zero; and some of the zeros.
static inline char *read_file(size_t *length, size_t zeros)
{
    int fd = open(journal_path, O_RDONLY);
    struct stat about;
    char *bytes = NULL;
    if (fd < 0 || fstat(fd, &about) || !(bytes = malloc((size_t)about.st_size)) ||
        !read_exactly(fd, bytes, (size_t)about.st_size)) {
        FAIL("cannot read %s", journal_path);
        exit(1);
    }
    close(fd);
    *length = (size_t)about.st_size;
    while (*length && !bytes[*length - 1])
        --*length;
    *length += zeros;
    return bytes;
}

// What recovery makes of these bytes, in a file that only this process can see.
static inline bool recover_bytes(const char *bytes, size_t length, struct recovery *recovery)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("journal", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, bytes, length, 0) != (ssize_t)length) {
        perror("memfd");
        exit(1);
    }
    taken.length = 0;
    taken.text[0] = '\0';
    *recovery = (struct recovery){.take = take_text, .context = &taken};
    return recovery_read(recovery, fd);
}

static const char *const groups[] = {"one\n", "two\nand three\n", "four, which is longer\n",
                                     "five\n"};
#define GROUPS     (sizeof groups / sizeof *groups)
#define ALL_GROUPS "one\ntwo\nand three\nfour, which is longer\nfive\n"

static inline void make_journal(struct journal *journal)
{
    CHECK(open_journal(journal));
    for (size_t i = 0; i < GROUPS; i++) {
        add(journal, groups[i]);
        CHECK(journal_commit(journal));
    }
}

TEST(checksums)
{
    char zeros[32] = {0}, ones[32], text[] = "123456789";
    memset(ones, 0xff, sizeof ones);
    CHECK(crc32c(0, text, 9) == 0xe3069283);
    CHECK(crc32c(0, zeros, 32) == 0x8a9136aa); // RFC 3720 §B.4
    CHECK(crc32c(0, ones, 32) == 0x62a8ab43);
    CHECK(crc32c(0, text, 0) == 0);
    for (size_t cut = 0; cut <= 32; cut++)
        CHECK(crc32c(crc32c(0, ones, cut), ones + cut, 32 - cut) == 0x62a8ab43);
}

TEST(a_journal_is_read_again)
{
    struct journal journal;
    make_journal(&journal);
    CHECK_INT((long)journal.syncs, GROUPS);
    off_t end = journal.end;
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    CHECK_INT((long)journal.recovered, 5);
    CHECK_INT((long)journal.cut, 0);
    CHECK_INT((long)journal.end, (long)end);
    add(&journal, "six\n");
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS "six\n"));
    journal_close(&journal);
}

TEST(only_one_server_has_a_journal)
{
    struct journal first, second;
    CHECK(open_journal(&first));
    CHECK(!open_journal(&second));
    CHECK_HAS(second.error, "another server has ");
    journal_close(&first);
    CHECK(open_journal(&second));
    journal_close(&second);
}

// A file that was cut, at any byte, is never taken for one that was not: the zeros behind the
// last group are missing.
TEST(every_cut_is_noticed)
{
    struct journal journal;
    struct recovery recovery;
    size_t length;
    make_journal(&journal);
    journal_close(&journal);
    char *bytes = read_file(&length, 2 * JOURNAL_HEAD);
    size_t filled = (size_t)journal.end;
    CHECK_INT((long)journal_padded(length - 2 * JOURNAL_HEAD), (long)filled);
    for (size_t cut = 0; cut < filled + JOURNAL_HEAD; cut++) {
        if (recover_bytes(bytes, cut, &recovery))
            FAIL("cut at %zu: taken for whole, with %s", cut, taken.text);
        CHECK_AT_MOST(recovery.error_at, (off_t)cut);
        CHECK(strncmp(taken.text, ALL_GROUPS, taken.length) == 0);
        CHECK_HAS(recovery.error, "cut");
    }
    CHECK(recover_bytes(bytes, filled + JOURNAL_HEAD, &recovery));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    free(bytes);
}

TEST(every_flipped_bit_is_noticed)
{
    struct journal journal;
    struct recovery recovery;
    size_t length;
    make_journal(&journal);
    journal_close(&journal);
    char *bytes = read_file(&length, 3 * JOURNAL_HEAD);
    CHECK(recover_bytes(bytes, length, &recovery));
    CHECK_TEXT(taken.text, ALL_GROUPS);
    for (size_t i = 0; i < length; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
            if (recover_bytes(bytes, length, &recovery))
                FAIL("bit %d of byte %zu: taken for good, with %s", bit, i, taken.text);
            CHECK_AT_MOST(recovery.error_at, (off_t)i);
            CHECK(*recovery.error);
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
        }
    free(bytes);
}

// Bytes set to zero in the middle, at any place, in any number: the group is not the last one.
TEST(zeros_in_the_middle_are_noticed)
{
    struct journal journal;
    struct recovery recovery;
    size_t length;
    make_journal(&journal);
    journal_close(&journal);
    char *bytes = read_file(&length, 2 * JOURNAL_HEAD);
    size_t last = (size_t)journal.end - 2 * JOURNAL_HEAD; // where the last group begins
    char *damaged = malloc(length);
    for (size_t from = 0; from < last; from++)
        for (size_t to = from + 1; to <= last; to++) {
            memcpy(damaged, bytes, length);
            memset(damaged + from, 0, to - from);
            bool changed = memcmp(damaged, bytes, length);
            bool read = recover_bytes(damaged, length, &recovery);
            if (read == changed)
                FAIL("zeros from %zu to %zu: %s", from, to,
                     read ? "taken for good" : recovery.error);
        }
    free(damaged);
    free(bytes);
}

#define LONG_LINES 60

// A group of several sectors, of which the disk has written any: there is all of the group, or
// nothing, and what came before it always.
TEST(every_torn_group_is_cut_off)
{
    static char lines[LONG_LINES * 60];
    struct journal journal;
    struct recovery recovery;
    size_t length, used = 0;
    make_journal(&journal);
    size_t from = (size_t)journal.end;
    for (int i = 0; i < LONG_LINES; i++) {
        int bytes =
            sprintf(lines + used, "line %d of a group that is longer than a sector\n", i);
        CHECK(journal_append(&journal, lines + used, (size_t)bytes));
        used += (size_t)bytes;
    }
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    char *bytes = read_file(&length, 1024), *torn = malloc(length);
    size_t to = (size_t)journal.end, sectors = (to - 1) / 512 - from / 512 + 1;
    CHECK_BETWEEN(sectors, 5, 15);
    for (unsigned lost = 0; lost < 1u << sectors; lost++) {
        memcpy(torn, bytes, length);
        for (size_t i = 0; i < sectors; i++) {
            size_t begin_at = (from / 512 + i) * 512, end_at = begin_at + 512;
            begin_at = larger(begin_at, from);
            end_at = smaller(end_at, to);
            if (lost >> i & 1)
                memset(torn + begin_at, 0, end_at - begin_at);
        }
        bool read = recover_bytes(torn, length, &recovery);
        bool right = !strncmp(taken.text, ALL_GROUPS, sizeof ALL_GROUPS - 1) &&
                     !strcmp(taken.text + sizeof ALL_GROUPS - 1, lost ? "" : lines);
        if (!read || !right)
            FAIL("sectors lost: %x: %s", lost, read ? "the wrong lines" : recovery.error);
        CHECK_INT((long)recovery.end, (long)(lost ? from : to));
    }
    free(torn);
    free(bytes);
}

// After the cut the place is zeros again, and is used again.
TEST(a_torn_group_leaves_nothing)
{
    struct journal journal;
    static char line[2000];
    size_t length;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    make_journal(&journal);
    off_t from = journal.end;
    CHECK(journal_append(&journal, line, sizeof line));
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    int fd = open(journal_path, O_RDWR);
    char sector[512] = {0};
    CHECK_INT(pwrite(fd, sector, sizeof sector, (from / 512 + 1) * 512), 512);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    CHECK_AT_LEAST(journal.cut, 1001);
    CHECK_INT(journal.end, from);
    free(read_file(&length, 0));
    CHECK(length <= (size_t)from);
    add(&journal, "six\n");
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK_TEXT(taken.text, ALL_GROUPS "six\n");
    CHECK_INT((long)journal.cut, 0);
    journal_close(&journal);
    close(fd);
}

// A group that is missing, though a later one is there, is no torn one: the server that wrote
// the later one had been told that the earlier one is on the disk.
TEST(a_lost_group_is_no_torn_one)
{
    struct journal journal;
    struct recovery recovery;
    static char line[600];
    size_t length;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    make_journal(&journal);
    off_t from = journal.end;
    for (int i = 0; i < 3; i++) {
        CHECK(journal_append(&journal, line, sizeof line));
        CHECK(journal_commit(&journal));
    }
    journal_close(&journal);
    char *bytes = read_file(&length, 1024);
    memset(bytes + from, 0, 1024 - (size_t)from % 512);
    CHECK(!recover_bytes(bytes, length, &recovery));
    CHECK_INT((long)recovery.error_at, (long)from);
    CHECK_HAS(recovery.error, "missing here: the next one is at byte ");
    free(bytes);
}

TEST(groups_that_are_moved_are_noticed)
{
    struct journal journal;
    struct recovery recovery;
    size_t length;
    make_journal(&journal);
    journal_close(&journal);
    char *bytes = read_file(&length, 64);
    memmove(bytes + 2 * JOURNAL_HEAD + 32, bytes + JOURNAL_HEAD, 32); // the first one again
    CHECK(!recover_bytes(bytes, length, &recovery));
    free(bytes);
}

TEST(what_is_no_journal)
{
    struct journal journal;
    int fd = open(journal_of_its_own(), O_RDWR | O_CREAT, 0666);
    CHECK(!open_journal(&journal)); // empty
    CHECK_HAS(journal.error, "at byte 0: the file ends within its header");
    CHECK(write_all(fd, "a file that is not a journal\n", 29));
    CHECK(!open_journal(&journal));
    CHECK_HAS(journal.error, "at byte 0: the header is not that of a journal");
    close(fd);
    struct journal nowhere;
    CHECK(!journal_open(&nowhere, "build/no/such/folder", take_text, &taken));
    CHECK_HAS(nowhere.error, "cannot open the folder of build/no/such/folder: No such file");
    CHECK(!journal_open(&nowhere, "build", take_text, &taken));
    CHECK_HAS(nowhere.error, "Is a directory");
}

#endif
