# ledger.awk: shows a ledger: every claim, then the lessons and how their claims came out.
#
# Lines, their fields separated by tabs: CLAIM VERDICT WHERE SAYS MEASURED, and, last for each
# lesson, "seconds" LESSON SECONDS.

BEGIN {
    FS = "\t"
    print "\n── the ledger ──────────────────────────────────────────────────────────────────────────────────────\n"
}

$1 == "seconds" {
    row[++rows] = sprintf("  %-24s %8d %16d %12d %12d %10.1f", $2, held, not_here, skipped,
                          unexpected, $3)
    all_held += held; all_not_here += not_here; all_skipped += skipped
    all_unexpected += unexpected; seconds += $3
    held = not_here = skipped = unexpected = 0
    next
}

{
    printf "  %-5s %-11s %s (%s)\n", $1, $2, $4, $3
    held += $2 == "HOLDS"; not_here += $2 == "NOT HERE"
    skipped += $2 == "SKIPPED"; unexpected += $2 == "UNEXPECTED"
}

END {
    printf "\n  %-24s %8s %16s %12s %12s %10s\n", "lesson", "hold", "not as stated", "skipped",
           "unexpected", "seconds"
    for (i = 1; i <= rows; i++)
        print row[i]
    if (rows > 1)
        printf "  %-24s %8d %16d %12d %12d %10.1f\n", rows " lessons", all_held, all_not_here,
               all_skipped, all_unexpected, seconds
    print ""
}
