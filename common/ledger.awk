# ledger.awk: shows a ledger: every claim, then the lessons and how their claims came out.
#
# Lines, their fields separated by tabs: CLAIM VERDICT WHERE SAYS MEASURED, in any order, and
# for each lesson "seconds" LESSON SECONDS.

BEGIN {
    FS = "\t"
    sort = "sort -t. -k1,1n -k2,2n" # 1.9 comes before 1.11
    print "\n── the ledger ──────────────────────────────────────────────────────────────────────────────────────\n"
}

$1 == "seconds" {
    names[++lessons] = $2
    seconds[$2] = $3
    next
}

{
    printf "  %-5s %-11s %s (%s)\n", $1, $2, $4, $3 | sort
    lesson = sprintf("%02d", $1) # claim 1.11 is lesson 01's
    n[lesson, $2]++
    n["all", $2]++
}

function row(name, key, time) {
    printf "  %-24s %8d %16d %12d %12d %10.1f\n", name, n[key, "HOLDS"], n[key, "NOT HERE"],
        n[key, "SKIPPED"], n[key, "UNEXPECTED"], time
}

END {
    close(sort)
    printf "\n  %-24s %8s %16s %12s %12s %10s\n", "lesson", "hold", "not as stated", "skipped",
        "unexpected", "seconds"
    for (i = 1; i <= lessons; i++) {
        row(names[i], substr(names[i], 1, 2), seconds[names[i]])
        all_seconds += seconds[names[i]]
    }
    if (lessons > 1)
        row(lessons " lessons", "all", all_seconds)
    print ""
}
