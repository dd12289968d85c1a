# book_text.awk: one section of a README as HTML, for the book. Run with LC_ALL=C.
#
#     awk -v SECTION="Experiments" -f book_text.awk 09-nagle/README.md
#
# What our READMEs use of Markdown, and no more: paragraphs, **bold**, *emphasis*, `code`, links, numbered and plain lists, indented
# code, tables, and <details> with its <summary>. Pictures are left out: book.sh has them apart.

/^## / { on = $0 == "## " SECTION; next }
!on { next }

{
    # A line each for <details>, its text and </details>.
    gsub(/<details><summary>[^<]*<\/summary>/, "\n&\n")
    gsub(/<\/details>/, "\n&\n")
    if (!/\n/) {
        take($0)
        next
    }
    margin = list == "ol" ? "   " : list ? "  " : ""
    count = split($0, part, "\n")
    for (i = 1; i <= count; i++)
        if (part[i] ~ /[^ ]/) {
            sub(/^ */, margin, part[i])
            take(part[i])
        }
}

END {
    end_block()
    end_item()
    end_list()
}

function take(line,    indent) {
    if (in_picture || line ~ /^!\[/) { # ![words](file), which may go over several lines
        in_picture = line !~ /\)$/
        return
    }
    if (line ~ /^ *<details>/) {
        end_block()
        gsub(/^ +| +$/, "", line)
        print line
        return
    }
    if (line ~ /^ *<\/details>/) {
        end_block()
        print "</details>"
        return
    }
    if (line ~ /^([0-9]+\.|[*-]) /) {
        end_block()
        end_item()
        begin_item(line ~ /^[0-9]/ ? "ol" : "ul")
        sub(/^([0-9]+\.|[*-]) +/, "", line)
        text = line
        kind = "p"
        return
    }
    if (line ~ /^[^ ]/ && list && (kind == "" || line ~ /^[|#]/)) { # no longer part of the list
        end_block()
        end_item()
        end_list()
    }
    indent = list == "ol" ? 3 : list == "ul" ? 2 : 0
    while (indent-- > 0)
        sub(/^ /, "", line)
    if (line == "") {
        if (kind == "pre")
            text = text "\n"
        else
            end_block()
    } else if (line ~ /^    / && kind != "p") {
        if (kind != "pre")
            end_block()
        kind = "pre"
        text = text substr(line, 5) "\n"
    } else if (line ~ /^\|/) {
        if (kind != "table")
            end_block()
        kind = "table"
        text = text line "\n"
    } else if (line ~ /^### /) {
        end_block()
        print "<h4>" inline(substr(line, 5)) "</h4>"
    } else {
        if (kind != "p")
            end_block()
        sub(/^ +/, "", line)
        text = text (text == "" ? "" : " ") line
        kind = "p"
    }
}

function begin_item(wanted) {
    if (list != wanted)
        end_list()
    if (!list)
        print "<" wanted ">"
    list = wanted
    printf "<li>"
    in_item = 1
}

function end_item() {
    if (in_item)
        print "</li>"
    in_item = 0
}

function end_list() {
    if (list)
        print "</" list ">"
    list = ""
}

function end_block() {
    if (kind == "pre") {
        sub(/\n+$/, "", text)
        print "<pre class=\"code\" tabindex=\"0\">" escape(text) "</pre>"
    } else if (kind == "table") {
        table(text)
    } else if (kind == "p") {
        print "<p>" inline(text) "</p>"
    }
    kind = text = ""
}

function table(rows,    line, count, i) {
    count = split(rows, line, "\n") - 1
    print "<div class=\"wide\" tabindex=\"0\"><table>"
    print "<thead><tr>" cells(line[1], "th") "</tr></thead><tbody>"
    for (i = 3; i <= count; i++)
        print "<tr>" cells(line[i], "td") "</tr>"
    print "</tbody></table></div>"
}

function cells(row, tag,    count, cell, i, out) {
    gsub(/^\| *| *\|$/, "", row)
    gsub(/\\\|/, "\001", row)
    count = split(row, cell, / *\| */)
    for (i = 1; i <= count; i++) {
        gsub(/\001/, "|", cell[i])
        out = out (tag == "th" && cell[i] == "" ? "<td></td>" : "<" tag ">" inline(cell[i]) "</" tag ">")
    }
    return out
}

function escape(words) {
    gsub(/&/, "\\&amp;", words)
    gsub(/</, "\\&lt;", words)
    gsub(/>/, "\\&gt;", words)
    return words
}

function inline(words,    count, piece, i, out, marks) {
    # `code` with ` in it has two marks around it.
    while (match(words, /``[^`]+(`[^`]+)*``/)) {
        out = substr(words, RSTART + 2, RLENGTH - 4)
        gsub(/`/, "\002", out)
        words = substr(words, 1, RSTART - 1) "`" out "`" substr(words, RSTART + RLENGTH)
    }
    out = ""
    count = split(words, piece, "`")
    for (i = 1; i <= count; i++) {
        piece[i] = escape(piece[i])
        gsub(/\002/, "`", piece[i])
        if (i % 2 == 0) { # so that its stars and brackets mean nothing
            saved[++marks] = piece[i]
            piece[i] = "\003" marks "\004"
        }
        out = out piece[i]
    }
    out = links(out)
    out = pairs(out, "\\*\\*[^*]+\\*\\*", 2, "strong")
    out = pairs(out, "\\*[^* ][^*]*\\*", 1, "em")
    while (match(out, /\003[0-9]+\004/))
        out = substr(out, 1, RSTART - 1) "<code>" saved[substr(out, RSTART + 1, RLENGTH - 2)] "</code>" \
            substr(out, RSTART + RLENGTH)
    return out
}

# A link into the web stays one; a link to a file of the workbench is only its words here.
function links(words,    link, at, to) {
    while (match(words, /\[[^][]+\]\([^()]+\)/)) {
        link = substr(words, RSTART, RLENGTH)
        at = index(link, "](")
        to = substr(link, at + 2, length(link) - at - 2)
        link = substr(link, 2, at - 2)
        if (to ~ /^https?:/)
            link = "<a href=\"" to "\">" link "</a>"
        words = substr(words, 1, RSTART - 1) link substr(words, RSTART + RLENGTH)
    }
    return words
}

function pairs(words, pattern, marks, tag,    inner) {
    while (match(words, pattern)) {
        inner = substr(words, RSTART + marks, RLENGTH - 2 * marks)
        words = substr(words, 1, RSTART - 1) "<" tag ">" inner "</" tag ">" substr(words, RSTART + RLENGTH)
    }
    return words
}
