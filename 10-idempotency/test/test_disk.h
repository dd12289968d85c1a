// test_disk.h: tests of the journal when the disk fails or is full, and when the journal is
// written anew: what was told of is there, whichever call fails and wherever it ends.
#ifndef TEST_DISK_H
#define TEST_DISK_H

#include <sys/resource.h>
#include <sys/syscall.h>

#include "test_journal.h"

// ---- a disk that fails ---------------------------------------------------------------------

static int syncs_until_failure; // 0: none fails

// In place of libc's: the next so-and-so-many succeed, and then one fails.
int fdatasync(int fd)
{
    if (syncs_until_failure && !--syncs_until_failure) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

// Whichever sync fails, each group is there if its commit said so, and only then.
TEST(a_sync_that_fails)
{
    char line[40];
    for (int failing = 1; failing < 12; failing++) {
        static struct taken expected;
        struct journal journal;
        int failures = 0;
        expected.length = 0;
        expected.text[0] = '\0';
        unlink(journal_of_its_own());
        CHECK(open_journal(&journal));
        syncs_until_failure = failing;
        for (int i = 0; i < 10; i++) {
            int length = sprintf(line, "line %d\n", i);
            CHECK(journal_append(&journal, line, (size_t)length));
            if (journal_commit(&journal))
                take_text(&expected, line, (size_t)length);
            else
                failures++;
        }
        CHECK_INT(failures, failing <= 10);
        CHECK(!failures || strstr(journal.error, "cannot "));
        syncs_until_failure = 0;
        journal_close(&journal);
        CHECK(open_journal(&journal));
        CHECK(!strcmp(taken.text, expected.text));
        journal_close(&journal);
    }
}

// What is read may have been in the kernel's memory only: it is not told of before it is
// synced.
TEST(what_is_read_is_synced)
{
    struct journal journal;
    make_journal(&journal);
    journal_close(&journal);
    syncs_until_failure = 1;
    CHECK(!open_journal(&journal));
    CHECK_HAS(journal.error, "cannot sync ");
    CHECK_INT(syncs_until_failure, 0);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    journal_close(&journal);
}

// No room for the zeros ahead: nothing begins, and when there is room it goes on.
TEST(a_file_that_may_not_grow)
{
    static char line[100000];
    struct journal journal;
    struct rlimit limit = {JOURNAL_AHEAD + 1000, RLIM_INFINITY},
                  none = {RLIM_INFINITY, RLIM_INFINITY};
    int kept = 0, refused = 0;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    signal(SIGXFSZ, SIG_IGN);
    CHECK(open_journal(&journal));
    CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
    for (int i = 0; i < 20; i++) {
        CHECK(journal_append(&journal, line, sizeof line));
        if (journal_commit(&journal))
            kept++;
        else
            refused++;
    }
    CHECK_INT(kept, 10);
    CHECK_INT(refused, 10);
    CHECK_HAS(journal.error, "cannot make room in ");
    CHECK(!setrlimit(RLIMIT_FSIZE, &none));
    CHECK(journal_append(&journal, line, sizeof line));
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK_INT((long)journal.recovered, 11);
    journal_close(&journal);
}

// ---- compaction ----------------------------------------------------------------------------

static const char *end_at; // the point at which rewrite_journal() ends the process

static void end_there(const char *point)
{
    if (end_at && !strcmp(point, end_at))
        _exit(0);
}

static void rewrite_journal(void)
{
    struct journal journal, fresh;
    CHECK(open_journal(&journal));
    journal.crossed = end_there;
    CHECK(journal_begin_fresh(&journal, &fresh));
    CHECK(journal_append_fresh(&journal, &fresh, "what stays\n", 11));
    CHECK(journal_replace(&journal, &fresh));
    add(&journal, "what comes\n");
    CHECK(journal_commit(&journal));
    journal_close(&journal);
}

// Whenever it ends, there is the old journal or the new one.
TEST(a_rewrite_that_is_cut_short)
{
    static const char *const points[] = {"compact-written", "compact-synced",
                                         "compact-renamed"};
    struct journal journal;
    for (int i = 0; i < 3; i++) {
        unlink(journal_of_its_own());
        make_journal(&journal);
        journal_close(&journal);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            end_at = points[i];
            rewrite_journal();
            _exit(1);
        }
        int status;
        waitpid(pid, &status, 0);
        CHECK_INT(status, 0);
        CHECK(open_journal(&journal));
        CHECK(!strcmp(taken.text, i < 2 ? ALL_GROUPS : "what stays\n"));
        journal_close(&journal);
        rewrite_journal(); // over what the other one has left
        CHECK(open_journal(&journal));
        CHECK(!strcmp(taken.text, "what stays\nwhat comes\n"));
        journal_close(&journal);
    }
}

// More lines than a group takes.
TEST(a_long_rewrite)
{
    struct journal journal, fresh;
    char line[1000];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    make_journal(&journal);
    CHECK(journal_begin_fresh(&journal, &fresh));
    for (int i = 0; i < 10000; i++)
        CHECK(journal_append_fresh(&journal, &fresh, line, sizeof line));
    CHECK(journal_replace(&journal, &fresh));
    add(&journal, "last\n");
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    CHECK(!open_journal(&journal)); // more than `taken` takes: a line that cannot be used
    CHECK_HAS(journal.error, "is none that this server writes");
    struct recovery recovery = {.take = count_line};
    int fd = open(journal_path, O_RDONLY);
    CHECK(recovery_read(&recovery, fd));
    CHECK_INT((long)recovery.lines, 10001);
    close(fd);
}

#endif
