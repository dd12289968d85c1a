// test_story.h: tests of story, claim and text: what build/peer tells, read again.
#ifndef TEST_STORY_H
#define TEST_STORY_H

#include "story.h"
#include "test_server.h"

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

// Takes the blanks and the ends of lines out of text.
static char *without_blanks(char *text)
{
    size_t length = 0;
    for (const char *c = text; *c; c++)
        if (!strchr(" \r\n", *c))
            text[length++] = *c;
    text[length] = '\0';
    return text;
}

// A server's lines fit its terminal, and nothing is lost; in a file each of them stays a line.
TEST(log_fits_the_terminal)
{
    static const char *const texts[] = {
        "words of which a terminal of one hundred columns cannot have all in a single line, "
        "and "
        "the last ones of them stand below",
        "{\"without\":\"blanks\",\"größe\":1234567,\"broken\":\"behind a "
        "comma\",\"where\":\"it is "
        "full\",\"a\":1,\"b\":1,\"c\":1,\"d\":1}",
        "a-word-that-has-to-be-cut-because-no-terminal-is-as-wide-as-this-word-is-äöü-äöü-äöü-"
        "äö"
        "ü-äöü-äöü-äöü-äöü"};
    static const int wide[] = {80, 93, 100};
    for (size_t i = 0; i < 9; i++) {
        char command[500], line[400];
        snprintf(line, sizeof line, "%s", texts[i / 3]);
        snprintf(command, sizeof command,
                 "unset COLUMNS WIRE_PACKET_LOG; TERM=dumb exec build/peer log '%s'", line);
        run_in_terminal(wide[i % 3], command);
        CHECK_BETWEEN(widest_line(), wide[i % 3] - 12, wide[i % 3]);
        CHECK_HAS(test_output, "\n               "); // what goes on
        CHECK_HAS(without_blanks(test_output), without_blanks(line));
        CHECK_INT(test_run(command), 0);
        CHECK_HAS(test_output, texts[i / 3]);
    }
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
            "{ printf 'seconds\\t%s\\t%s\\n' 01-one/more 2.5 01-one 1.5 02-two 7.0; "
            "printf '%s\\t%s\\tguide §1\\tsays\\tmeasured\\n' 1.1 HOLDS 1.2 HOLDS 1.3 HOLDS "
            "1.4 HOLDS 1.5 'NOT HERE' 1.6 'NOT HERE' 1.7 'NOT HERE' 1.8 SKIPPED 1.9 SKIPPED "
            "1.10 UNEXPECTED 2.1 HOLDS 2.2 UNEXPECTED; } | LC_ALL=C awk -v WIDTH=80 "
            "-f tools/terminal.awk -f tools/ledger.awk | tr -s ' '"),
        0);
    CHECK_HAS(test_output,
              "\n lesson HOLDS NOT HERE SKIPPED UNEXPECTED seconds\n"
              " 01-one 4 3 2 1 4.0\n 02-two 1 - - 1 7.0\n 2 lessons 5 3 2 2 11.0\n");
    CHECK_INT(test_run("LEDGER=/nowhere/l build/peer tell"), 1);
    CHECK_HAS(test_output, "cannot add to the ledger /nowhere/l");
}

#endif
