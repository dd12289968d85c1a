# ledger.awk: shows a ledger: the claims, lesson by lesson, and how many came out how.
#
#     sort -t. -k1,1n -k2,2n "$LEDGER" | LC_ALL=C awk -v WIDTH=100 \
#         -f terminal.awk -f ledger.awk
#
# Lines, their fields separated by tabs: CLAIM VERDICT WHERE SAYS MEASURED, and for each lesson
# and variation "seconds" FOLDER SECONDS; "more" FOLDER COUNT, if it has left out that many scenes.
# Sorted, these come first, and claim 1.9 before 1.11. The
# claims of a variation (04-tls/termination) are among those of its lesson, and so are its seconds.
# What was measured is shown where a claim does not simply hold. LC_ALL: a column is counted from bytes.

BEGIN {
    FS = "\t"
    TEXT = 20 # column at which a claim's text begins
    choose_colours()
    print_title("the ledger")
    narrow = WIDTH < 100 ? 3 : 0 # columns less in each of the table's
}

$1 == "seconds" {
    key = substr($2, 1, 2)
    if (!(key in name))
        lessons++
    if (!(key in name) || length($2) < length(name[key]))
        name[key] = $2 # the lesson, not one of its variations, in whatever order they come
    seconds[key] += $3
    next
}

$1 == "more" {
    more += $3
    folders++
    target = substr($2, 1, 2)
    if (split($2, path, "/") == 2) # a variation
        target = target "-" path[2]
    next
}

{
    lesson = sprintf("%02d", $1) # claim 1.11 is lesson 01's
    if (lesson != last)
        print "\n  " bold name[lesson] plain
    last = lesson
    n[lesson, $2]++
    n["all", $2]++
    gap = WIDTH - TEXT - columns($4) - columns($3)
    printf "%7s  %s%-10s%s ", $1, paint[$2], $2, plain
    if (gap > 0)
        printf "%s%*s%s%s%s\n", $4, gap, "", dim, $3, plain
    else {
        place = $3
        if (place !~ /^\(/)
            place = "(" place ")"
        wrap($4 " " place, TEXT)
    }
    if ($2 != "HOLDS") {
        printf "%*s%s", TEXT, "", dim
        wrap($5, TEXT)
        printf "%s", plain
    }
}

function figure(key, verdict, width, number) {
    number = n[key, verdict]
    printf " %s%*s%s", number ? paint[verdict] : dim, width, number ? number : "-", plain
}

function row(title, key, time) {
    printf "  %-24s", title
    figure(key, "HOLDS", 10 - narrow)
    figure(key, "NOT HERE", 14 - narrow)
    figure(key, "SKIPPED", 12 - narrow)
    figure(key, "UNEXPECTED", 14 - narrow)
    printf " %*.1f\n", 12 - narrow, time
}

END {
    printf "\n  %s%-24s %*s %*s %*s %*s %*s%s\n", bold, "lesson", 10 - narrow, "HOLDS", 14 - narrow, "NOT HERE",
        12 - narrow, "SKIPPED", 14 - narrow, "UNEXPECTED", 12 - narrow, "seconds", plain
    for (i = 1; i < 100; i++) {
        key = sprintf("%02d", i)
        if (key in name)
            row(name[key], key, seconds[key])
        all_seconds += seconds[key]
    }
    if (lessons > 1)
        row(lessons " lessons", "all", all_seconds)
    if (more)
        printf "\n  %d more %s: make run-%s MORE=1\n", more, (more > 1 ? "scenes" : "scene"),
            (folders > 1 ? "all" : target)
    print ""
}
