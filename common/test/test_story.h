// test_story.h: tests of story, claim and text: what build/peer tells, read again.
#ifndef TEST_STORY_H
#define TEST_STORY_H

#include <fcntl.h>
#include <sys/ioctl.h>

#include "story.h"
#include "test_server.h"

// Columns of the longest line in test_output.
static int widest_line(void)
{
    int widest = 0, column = 0;
    for (const char *c = test_output; *c; c++) {
        if (*c == '\n')
            column = 0;
        else if (*c != '\r' && (*c & 0xc0) != 0x80) // bytes 10xxxxxx continue a character
            column++;
        if (column > widest)
            widest = column;
    }
    return widest;
}

TEST(story_plain)
{
    CHECK_INT(test_run("build/peer tell"), 0);
    CHECK(!strchr(test_output, '\033'));
    CHECK_HAS(test_output, "── 1 tell ── a good story ──");
    CHECK_HAS(test_output, "│ an .[31mevent.[0m  ");
    CHECK_HAS(test_output, "größe                                       1            2\n");
    CHECK_HAS(test_output, "half                       █████████████████████████ 1 of 2");
    CHECK_HAS(test_output, "guide §1         \"water is wet\"");
    CHECK_HAS(test_output, "   HOLDS\n");
    CHECK_HAS(test_output, "NOT HERE\n");
    CHECK(widest_line() <= 100);
}

// Runs a command at the other end of a terminal, so many columns wide (0: it does not say); its
// output is in test_output.
static void run_in_terminal(int wide, const char *command)
{
    struct winsize size = {.ws_row = 25, .ws_col = (unsigned short)wide};
    skip_if_alone();
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_AT_LEAST(terminal, 0);
    CHECK(!grantpt(terminal));
    CHECK(!unlockpt(terminal));
    ioctl(terminal, TIOCSWINSZ, &size);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(ptsname(terminal), O_RDWR);
        dup2(fd, 1);
        dup2(fd, 2);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    size_t length = 0; // until no program holds the terminal open any more
    for (ssize_t got;
         (got = read(terminal, test_output + length, sizeof test_output - 1 - length)) > 0;)
        length += (size_t)got;
    test_output[length] = '\0';
    waitpid(pid, NULL, 0);
    close(terminal);
}

TEST(story_in_colour)
{
    run_in_terminal(0, "unset NO_COLOR; TERM=xterm exec build/peer tell");
    CHECK_HAS(test_output, "\033[32m     HOLDS\033[0m");
    CHECK_HAS(test_output, "\033[33m");
    run_in_terminal(0, "NO_COLOR=1 TERM=xterm exec build/peer tell");
    CHECK(!strchr(test_output, '\033'));
    run_in_terminal(0, "unset NO_COLOR; TERM=dumb exec build/peer tell");
    CHECK(!strchr(test_output, '\033'));
}

// No line is wider than the terminal, and a wide terminal gets no more than 100 columns.
TEST(story_fits_the_terminal)
{
    static const int wide[][2] = {{80, 80},   {93, 93}, {100, 100},
                                  {200, 100}, {40, 80}, {0, 100}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        run_in_terminal(wide[i][0], "unset COLUMNS; TERM=dumb exec build/peer long");
        CHECK_INT(widest_line(), wide[i][1]); // the timeline is as wide as that
        CHECK_HAS(test_output, "fair to it at all\"");
        CHECK_HAS(test_output, "no room for");
        CHECK_HAS(test_output, "123456 requests a second");
        run_in_terminal(wide[i][0],
                        "cd ..; unset COLUMNS; . common/tools/width.sh; echo $width");
        CHECK_INT(atoi(test_output), wide[i][1]);
    }
    run_in_terminal(0, "COLUMNS=85 TERM=dumb exec build/peer long");
    CHECK_INT(widest_line(), 85);
    CHECK_INT(test_run("COLUMNS=85 build/peer long"), 0);
    CHECK_INT(widest_line(), 85);
}

TEST(story_about_names_the_scenes)
{
    static const struct scene few[] = {{.name = "one"}, {.name = "two"}, {0}};
    CHECK_TEXT(story_about("Lesson 00.", few),
               "Lesson 00. Without SCENE all of them: one, two.");
    // At column 80 a line ends.
    static const struct scene many[] = {{.name = "a-name-of-thirty-seven-characters-.."},
                                        {.name = "next"},
                                        {.name = "last"},
                                        {0}};
    CHECK_TEXT(story_about("Lesson 00.", many),
               "Lesson 00. Without SCENE all of them: a-name-of-thirty-seven-characters-..,\n"
               "next, last.");
}

TEST(story_reports_what_is_not_as_documented)
{
    CHECK_INT(test_run("build/peer wrong"), 1);
    CHECK_HAS(test_output, "UNEXPECTED");
    CHECK_HAS(test_output, "claim 0.3: expected HOLDS; seen neither");
    CHECK_HAS(test_output, "to see it again: make run-00 SCENE=wrong");
    // In a variation's folder.
    CHECK_INT(test_run("lesson=build/$$/00-lesson && mkdir -p $lesson/other && cp build/peer "
                       "$lesson/other && $lesson/other/peer wrong; status=$?; rm -r build/$$; "
                       "exit $status"),
              1);
    CHECK_HAS(test_output, "to see it again: make run-00-other SCENE=wrong");
    CHECK_INT(test_run("STRICT= build/peer skip"), 0);
    CHECK_HAS(test_output, "SKIPPED");
    CHECK_INT(test_run("STRICT=1 build/peer skip"), 1);
}

TEST(story_that_cannot_be_written_has_failed)
{
    CHECK_INT(test_run("build/peer tell >/dev/full"), 1);
    CHECK_HAS(test_output, "cannot write the output: No space left on device");
}

TEST(story_writes_the_ledger)
{
    CHECK_INT(test_run("f=$(mktemp); LEDGER=$f build/peer tell >/dev/null; cat $f; rm $f"), 0);
    CHECK_HAS(test_output, "0.1\tHOLDS\tguide §1\twater is wet\twet\n");
    CHECK_HAS(test_output, "0.2\tNOT HERE\t");
    // Its summary: of each lesson, with its variation, how many came out how; and of all.
    CHECK_INT(
        test_run(
            "printf '%s\\t%s\\tguide §1\\tsays\\tmeasured\\n' 1.1 HOLDS 1.2 HOLDS 1.3 HOLDS "
            "1.4 HOLDS 1.5 'NOT HERE' 1.6 'NOT HERE' 1.7 'NOT HERE' 1.8 SKIPPED 1.9 SKIPPED "
            "1.10 UNEXPECTED 2.1 HOLDS 2.2 UNEXPECTED >build/ledger; "
            "printf "
            "'seconds\\t01-one\\t1.5\\nseconds\\t01-one/"
            "more\\t2.5\\nseconds\\t02-two\\t7.0\\n' "
            ">>build/ledger; sort -t. -k1,1n -k2,2n build/ledger | LC_ALL=C awk -v WIDTH=80 "
            "-f tools/terminal.awk -f tools/ledger.awk | tr -s ' '; rm build/ledger"),
        0);
    CHECK_HAS(test_output,
              "\n lesson HOLDS NOT HERE SKIPPED UNEXPECTED seconds\n"
              " 01-one 4 3 2 1 4.0\n 02-two 1 - - 1 7.0\n 2 lessons 5 3 2 2 11.0\n");
    CHECK_INT(test_run("LEDGER=/nowhere/l build/peer tell"), 1);
    CHECK_HAS(test_output, "cannot add to the ledger /nowhere/l");
}

#endif
