# ledger.awk: shows a ledger: the claims, lesson by lesson, and how many came out how.
#
#     sort -t. -k1,1n -k2,2n "$LEDGER" | LC_ALL=C awk -f ledger.awk
#
# Lines, their fields separated by tabs: CLAIM VERDICT WHERE SAYS MEASURED, and for each lesson
# and variation "seconds" FOLDER SECONDS. Sorted, these come first, and claim 1.9 before 1.11. The
# claims of a variation (04-tls/termination) are among those of its lesson, and so are its seconds.
# What was measured is shown where a claim does not simply hold. LC_ALL: a column is counted from bytes.

BEGIN {
    FS = "\t"
    WIDTH = 100
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
    print "\n" bold "── the ledger ──────────────────────────────────────────────────────────────────────────────────────" plain
}

function columns(text) {
    gsub(/[\200-\277]/, "", text) # bytes that continue a character
    return length(text)
}

function wrap(text, words, count, i, column) {
    count = split(text, words, " ")
    for (i = 1; i <= count; i++) {
        if (i == 1 || column + 1 + columns(words[i]) > WIDTH) {
            printf "%s%*s%s", (i > 1 ? "\n" : ""), TEXT, "", words[i]
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

{
    lesson = sprintf("%02d", $1) # claim 1.11 is lesson 01's
    if (lesson != last)
        print "\n  " bold name[lesson] plain
    last = lesson
    n[lesson, $2]++
    n["all", $2]++
    gap = WIDTH - TEXT - columns($4) - columns($3)
    printf "%7s  %s%-10s%s %s%*s%s%s%s\n", $1, paint[$2], $2, plain, $4, (gap > 1 ? gap : 1), "", dim, $3, plain
    if ($2 != "HOLDS") {
        printf "%s", dim
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
    figure(key, "HOLDS", 10)
    figure(key, "NOT HERE", 14)
    figure(key, "SKIPPED", 12)
    figure(key, "UNEXPECTED", 14)
    printf " %12.1f\n", time
}

END {
    printf "\n  %s%-24s %10s %14s %12s %14s %12s%s\n", bold, "lesson", "HOLDS", "NOT HERE", "SKIPPED",
        "UNEXPECTED", "seconds", plain
    for (i = 1; i < 100; i++) {
        key = sprintf("%02d", i)
        if (key in name)
            row(name[key], key, seconds[key])
        all_seconds += seconds[key]
    }
    if (lessons > 1)
        row(lessons " lessons", "all", all_seconds)
    print ""
}
