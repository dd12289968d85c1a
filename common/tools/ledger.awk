# ledger.awk: shows a ledger: the claims, lesson by lesson, and how many came out how.
#
#     sort -t. -k1,1n -k2,2n "$LEDGER" | LC_ALL=C awk -v WIDTH=100 -f ledger.awk
#
# Lines, their fields separated by tabs: CLAIM VERDICT WHERE SAYS MEASURED, and for each lesson
# and variation "seconds" FOLDER SECONDS; "more" FOLDER COUNT, if it has left out that many scenes.
# Sorted, these come first, and claim 1.9 before 1.11. The
# claims of a variation (04-tls/termination) are among those of its lesson, and so are its seconds.
# What was measured is shown where a claim does not simply hold. LC_ALL: a column is counted from bytes.

BEGIN {
    FS = "\t"
    TEXT = 20 # column at which a claim's text begins
    colours = ENVIRON["TERM"] && ENVIRON["TERM"] != "dumb" && !("NO_COLOR" in ENVIRON) &&
        system("test -t 1") == 0
    if (colours) {
        paint["HOLDS"] = "\033[32m"
        paint["NOT HERE"] = "\033[33m"
        paint["UNEXPECTED"] = "\033[31m"
        dim = paint["SKIPPED"] = "\033[2m"
        bold = "\033[1m"
        plain = "\033[0m"
    }
    title = "── the ledger "
    while (columns(title) < WIDTH)
        title = title "─"
    print "\n" bold title plain
    narrow = WIDTH < 100 ? 3 : 0 # columns less in each of the table's
}

function columns(text) {
    gsub(/[\200-\277]/, "", text) # bytes that continue a character
    return length(text)
}

# Prints text from column TEXT on, where the line already is.
function wrap(text, words, count, i, column) {
    count = split(text, words, " ")
    for (i = 1; i <= count; i++) {
        if (i == 1) {
            printf "%s", words[i]
            column = TEXT + columns(words[i])
        } else if (column + 1 + columns(words[i]) > WIDTH) {
            printf "\n%*s%s", TEXT, "", words[i]
            column = TEXT + columns(words[i])
        } else {
            printf " %s", words[i]
            column += 1 + columns(words[i])
        }
    }
    print ""
}

$1 == "seconds" {
    key = substr($2, 1, 2)
    if (!(key in name)) {
        lessons++
        name[key] = $2
    }
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
    else
        wrap($4 " (" $3 ")")
    if ($2 != "HOLDS") {
        printf "%*s%s", TEXT, "", dim
        wrap($5)
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
