// test_place.h: tests of whose the journal is, and where: two servers, links, a file that is
// removed or replaced, a folder that cannot be synced.
#ifndef TEST_PLACE_H
#define TEST_PLACE_H

#include "test_disk.h"

static int folder_syncs_until_failure; // 0: none fails

// In place of libc's, which journal.c calls for the folder.
int fsync(int fd)
{
    if (folder_syncs_until_failure && !--folder_syncs_until_failure) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static const char *beside(const char *suffix)
{
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s%s", journal_of_its_own(), suffix);
    return path;
}

static ino_t inode_of(const char *path)
{
    struct stat about;
    if (stat(path, &about))
        return 0;
    return about.st_ino;
}

static bool open_at(struct journal *journal, const char *path)
{
    taken.length = 0;
    taken.text[0] = '\0';
    return journal_open(journal, path, take_text, &taken);
}

// A name of "journal" from its own folder, for symlink(2).
#define TARGET "journal"

TEST(a_link_leads_to_the_same_lock)
{
    struct journal first, second;
    make_journal(&first);
    CHECK(!symlink(TARGET, beside(".soft")));
    CHECK(!link(journal_path, beside(".hard")));
    CHECK(!open_at(&second, beside(".soft")));
    CHECK_HAS(second.error, "another server has ");
    CHECK(!open_at(&second, beside(".hard")));
    CHECK_HAS(second.error, "another server has ");
    journal_close(&first);
    CHECK(!open_at(&second, beside(".hard"))); // compaction would leave it an old journal
    CHECK_HAS(second.error, " has a second name (a hard link)");
    CHECK(!unlink(beside(".hard")));
    CHECK(open_at(&second, beside(".soft")));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    CHECK(!open_journal(&first));
    CHECK_HAS(first.error, "another server has ");
    journal_close(&second);
    CHECK(!symlink("nothing", beside(".dangling")));
    CHECK(!open_at(&second, beside(".dangling")));
    CHECK_HAS(second.error, "cannot follow the link ");
}

static bool replace_with(struct journal *journal, const char *line)
{
    struct journal fresh;
    return journal_begin_fresh(journal, &fresh) &&
           journal_append_fresh(journal, &fresh, line, strlen(line)) &&
           journal_replace(journal, &fresh);
}

TEST(compaction_leaves_a_link_a_link)
{
    struct journal journal;
    struct stat about;
    make_journal(&journal);
    journal_close(&journal);
    CHECK(!symlink(TARGET, beside(".soft")));
    CHECK(open_at(&journal, beside(".soft")));
    CHECK(replace_with(&journal, "what stays\n"));
    add(&journal, "what comes\n");
    CHECK(journal_commit(&journal));
    CHECK(!lstat(beside(".soft"), &about));
    CHECK(S_ISLNK(about.st_mode));
    struct journal second;
    CHECK(!open_journal(&second)); // the new file is locked, too
    CHECK_HAS(second.error, "another server has ");
    CHECK(!link(journal_path, beside(".hard")));
    CHECK(!replace_with(&journal, "no\n"));
    CHECK_HAS(journal.error, " has a second name (a hard link)");
    CHECK(!unlink(beside(".hard")));
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, "what stays\nwhat comes\n"));
    journal_close(&journal);
}

// While a journal is compacted again and again, no other server gets it at any moment.
TEST(compaction_never_lets_go_of_the_lock)
{
    struct journal journal, second;
    make_journal(&journal);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            if (open_journal(&second))
                _exit(7);
    }
    for (int i = 0; i < 200; i++)
        CHECK(replace_with(&journal, "what stays\n"));
    int status;
    CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    journal_close(&journal);
}

// Of many that begin at the same moment, where there is no journal yet, one gets it.
TEST(many_servers_begin_at_once)
{
    struct journal journal;
    for (int round = 0; round < 10; round++) {
        int owners = 0, status, go[2];
        unlink(journal_of_its_own());
        CHECK(!pipe(go));
        fflush(stdout);
        for (int i = 0; i < 8; i++)
            if (fork() == 0) {
                close(go[1]);
                char byte;
                while (read(go[0], &byte, 1) > 0) // until the parent closes its end
                    ;
                bool mine = open_journal(&journal);
                sleep_ms(200);
                _exit(mine);
            }
        close(go[0]);
        close(go[1]);
        for (int i = 0; i < 8; i++) {
            wait(&status);
            owners += WEXITSTATUS(status);
        }
        CHECK_INT(owners, 1);
    }
}

TEST(a_journal_that_was_removed_or_replaced_is_not_written)
{
    struct journal journal;
    make_journal(&journal);
    CHECK(!rename(journal_path, beside(".away")));
    add(&journal, "lost\n");
    CHECK(!journal_commit(&journal));
    CHECK_HAS(journal.error, "cannot find the journal that is open at ");
    CHECK(!replace_with(&journal, "no\n"));
    int fd = open(journal_path, O_RDWR | O_CREAT, 0666);
    close(fd);
    add(&journal, "lost\n");
    CHECK(!journal_commit(&journal));
    CHECK_HAS(journal.error, " is another file than the journal that is open");
    CHECK(!replace_with(&journal, "no\n"));
    CHECK(!rename(beside(".away"), journal_path)); // it is back
    add(&journal, "six\n");
    CHECK(journal_commit(&journal));
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS "six\n"));
    journal_close(&journal);
}

TEST(the_server_does_not_charge_into_a_removed_journal)
{
    pid_t pid;
    int port = serve(&pid, "");
    CHECK_INT(charge(port, "a", A_CHARGE), 201);
    CHECK(!rename(journal_path, beside(".away")));
    CHECK_INT(charge(port, "b", A_CHARGE), 503);
    CHECK_INT(charge(port, "a", A_CHARGE), 201); // was made, and is not made again
    CHECK(was_replayed());
    CHECK(!rename(beside(".away"), journal_path));
    CHECK_INT(charge(port, "b", A_CHARGE), 201);
    CHECK(!was_replayed());
    expect_balance(port, 2, 1000);
    CHECK_INT(test_stop(pid), 0);
}

TEST(two_servers_on_one_journal)
{
    pid_t pid;
    char command[400];
    int port = serve(&pid, "");
    CHECK(!symlink(TARGET, beside(".soft")));
    CHECK(!link(journal_path, beside(".hard")));
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"", ".soft", ".hard"};
        snprintf(command, sizeof command, "./server --port 0 --journal %s", beside(names[i]));
        CHECK_INT(test_run(command), 1);
        CHECK_HAS(test_output, "another server has ");
    }
    CHECK_INT(charge(port, "a", A_CHARGE), 201);
    CHECK_INT(test_stop(pid), 0);
}

// The journal is where the lesson is, or where --journal says: not where the server was
// started.
TEST(the_journal_is_beside_the_server)
{
    char folder[] = "/tmp/charges.XXXXXX", command[600];
    CHECK(mkdtemp(folder) && !mkdir(beside(".here"), 0777));
    snprintf(command, sizeof command,
             "f=%s; cp server $f && cd %s && { $f/server --port 0 >$f/said & "
             "until grep -qs listening $f/said; do sleep 0.02; done; "
             "kill -INT $!; wait $! && ls $f; }",
             folder, beside(".here"));
    CHECK_INT(test_run(command), 0);
    CHECK_TEXT(test_output, "charges.journal\nsaid\nserver\n");
    CHECK_INT(test_number("ls %s | wc -l", beside(".here")), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(test_run(command), 0);
}

// After a sync of the folder that has failed, one that succeeds is believed only when the name
// was written anew: the journal is another file then.
TEST(a_sync_of_the_folder_that_fails)
{
    struct journal journal;
    make_journal(&journal);
    for (int failures = 1; failures <= 3; failures++) {
        CHECK(replace_with(&journal, ALL_GROUPS));
        ino_t first = inode_of(journal_path), last = first;
        for (int i = 0; i < failures; i++) {
            folder_syncs_until_failure = 1;
            add(&journal, "lost\n");
            CHECK(!journal_commit(&journal));
            CHECK_HAS(journal.error, "cannot sync the folder of ");
            CHECK(i == 0 || inode_of(journal_path) != last);
            last = inode_of(journal_path);
        }
        add(&journal, "six\n");
        CHECK(journal_commit(&journal));
        CHECK(inode_of(journal_path) != last);
        last = inode_of(journal_path);
        add(&journal, "seven\n");
        CHECK(journal_commit(&journal));
        CHECK(inode_of(journal_path) == last);
        CHECK(access(beside(".new"), F_OK));
    }
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS "six\nseven\n"));
    journal_close(&journal);
}

// The same in the next process: it cannot know what the kernel has told the one before.
TEST(a_folder_that_was_not_synced_is_remembered)
{
    struct journal journal;
    make_journal(&journal);
    CHECK(replace_with(&journal, ALL_GROUPS));
    folder_syncs_until_failure = 1;
    add(&journal, "lost\n");
    CHECK(!journal_commit(&journal));
    journal_close(&journal);
    ino_t before = inode_of(journal_path);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    CHECK(inode_of(journal_path) != before);
    journal_close(&journal);
    folder_syncs_until_failure = 1; // and where it fails when the journal is opened
    CHECK(!open_journal(&journal));
    CHECK_HAS(journal.error, "cannot sync the folder of ");
    before = inode_of(journal_path);
    CHECK(open_journal(&journal));
    CHECK(inode_of(journal_path) != before);
    before = inode_of(journal_path);
    journal_close(&journal);
    CHECK(open_journal(&journal));
    CHECK(!strcmp(taken.text, ALL_GROUPS));
    CHECK(inode_of(journal_path) == before);
    journal_close(&journal);
}

#endif
