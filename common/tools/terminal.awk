# terminal.awk: what ledger.awk and notes.awk share: colours, and lines no wider than WIDTH. Run with
# LC_ALL=C: a column is counted from bytes.

# Sets paint[VERDICT], bold, dim and plain: to nothing where the output is no terminal.
function choose_colours() {
    if (!ENVIRON["TERM"] || ENVIRON["TERM"] == "dumb" || "NO_COLOR" in ENVIRON || system("test -t 1") != 0)
        return
    paint["HOLDS"] = "\033[32m"
    paint["NOT HERE"] = "\033[33m"
    paint["UNEXPECTED"] = "\033[31m"
    dim = paint["SKIPPED"] = "\033[2m"
    bold = "\033[1m"
    plain = "\033[0m"
}

function print_title(title) {
    title = "── " title " "
    while (columns(title) < WIDTH)
        title = title "─"
    print "\n" bold title plain
}

function columns(text) {
    gsub(/[\200-\277]/, "", text) # bytes that continue a character
    return length(text)
}

# Prints text from column `indent` on, where the line already is.
function wrap(text, indent, words, count, i, column) {
    count = split(text, words, " ")
    for (i = 1; i <= count; i++) {
        if (i == 1) {
            printf "%s", words[i]
            column = indent + columns(words[i])
        } else if (column + 1 + columns(words[i]) > WIDTH) {
            printf "\n%*s%s", indent, "", words[i]
            column = indent + columns(words[i])
        } else {
            printf " %s", words[i]
            column += 1 + columns(words[i])
        }
    }
    print ""
}
