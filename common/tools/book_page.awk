# book_page.awk: the parts of the book that are no README: what was on the terminal, and the tables of
# claims. Run by book.sh, with LC_ALL=C. MODE:
#
#   scenes    the output of a lesson's run.sh, in the colours of text.h     NAME=09
#   claims    $LEDGER's lines of one lesson, behind the lines of "notes.sh rows"    NAME=09
#   sections  the same lines, by section of the notes

BEGIN {
    split("31 red 32 green 33 yellow 35 magenta 36 cyan", words, " ")
    for (i = 1; i < 10; i += 2)
        colour[words[i]] = words[i + 1]
    SHORT = 36 # lines: less than half of a page
    FS = "\t"
}

function escape(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/"/, "\\&quot;", text)
    return text
}

# ---- scenes --------------------------------------------------------------------------------------

# One line of a terminal: words between escape sequences, each in its look.
function painted(line,    out, look, bold, code, class) {
    while (match(line, /\033\[[0-9;]*m/)) {
        out = out span(substr(line, 1, RSTART - 1), look, bold)
        code = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        if (code == "0" || code == "")
            look = bold = ""
        else if (code == "1")
            bold = "bold"
        else if (code == "2")
            look = "dim"
        else if (code in colour)
            look = colour[code]
    }
    return out span(line, look, bold)
}

function span(text, look, bold,    class) {
    class = look (look != "" && bold != "" ? " " : "") bold
    text = escape(text)
    if (class == "" || text == "")
        return text
    return "<span class=\"" class "\">" text "</span>"
}

# The pre of a short scene is kept on one page of paper.
function end_scene(    id, title, class) {
    sub(/[ \n]+$/, "", screen)
    sub(/^\n+/, "", screen)
    if (screen == "")
        return
    if (scene == "")
        scene = "without a scene"
    id = "scene-" NAME "-" scene
    gsub(/ /, "-", id)
    title = scene (about == "" ? "" : ": " about)
    if (id in used)
        id = id "-" ++used[id]
    used[id] = 1
    print "<section class=\"scene\" id=\"" id "\">"
    print "<h3>" escape(title) "</h3>"
    class = gsub(/\n/, "\n", screen) < SHORT ? "screen short" : "screen"
    print "<pre class=\"" class "\" tabindex=\"0\" role=\"region\" aria-label=\"the terminal: " escape(substr(id, 7)) "\">" screen "</pre>"
    print "</section>"
    screen = scene = about = ""
}

MODE == "scenes" {
    plain = $0
    gsub(/\033\[[0-9;]*m/, "", plain)
    if (plain ~ /^\$ (\.\.\/)+common\/wire\/wire/)
        end_scene()
    else if (plain ~ /^── the ledger/ || plain ~ /: not as documented:/)
        exit
    else if (plain ~ /^── [0-9]+ [^ ]+ ── /) { # ── 1 stall ── two small write()s ───────
        split(plain, words, " ")
        scene = words[3]
        about = plain
        sub(/^── [0-9]+ [^ ]+ ── /, "", about)
        sub(/ *(─)+$/, "", about)
        gsub(/─+$/, "", about)
        while (about ~ /(─| )$/)
            sub(/(─| )$/, "", about)
    }
    screen = screen painted($0) "\n"
}

# ---- claims --------------------------------------------------------------------------------------

# From notes.sh rows: section PLACE TITLE REASON; or claim PLACE ID VERDICT COMMAND SAYS.
MODE != "scenes" && $1 == "section" {
    place[++places] = $2
    title[$2] = $3
    reason[$2] = $4
    next
}

MODE != "scenes" && $1 == "claim" {
    if (!($3 in verdict)) {
        id[++ids] = $3
        verdict[$3] = $4
        command[$3] = $5
        says[$3] = $6
    }
    where[$3] = where[$3] (where[$3] == "" ? "" : ", ") $2
    of_place[$2] = of_place[$2] " " $3
    next
}

# From the ledger: what came out now.
MODE != "scenes" && $1 ~ /^[0-9]+\.[0-9]+$/ && NF >= 5 {
    measured[$1] = $5
    came_out[$1] = $2
}

function row(claim, with_place,    now, kind) {
    now = claim in came_out ? came_out[claim] : verdict[claim]
    kind = now
    sub(/ .*/, "", kind)
    print "<tr><td>" claim "</td><td class=\"" tolower(kind) "\">" now "</td><td>“" escape(says[claim]) "”"
    if (claim in measured)
        print "<br><small>" escape(measured[claim]) "</small>"
    print "</td><td>" (with_place ? escape(where[claim]) : shown_by(claim)) "</td></tr>"
}

# The scene that shows a claim, or the test that checks it with other people's programs.
function shown_by(claim,    words, name, scene) {
    name = command[claim]
    if (name !~ /SCENE=/)
        return "<code>" escape(name) "</code>"
    sub(/^make run-/, "", name)
    scene = name
    sub(/ SCENE=.*/, "", name)
    sub(/.* SCENE=/, "", scene)
    if (!(claim in came_out))
        return escape(name " " scene)
    return "<a href=\"#scene-" name "-" scene "\">" escape(name " " scene) "</a>"
}

function is_of(claim, name,    words) {
    words = command[claim]
    sub(/^make (run|test)-/, "", words)
    sub(/ .*/, "", words)
    return words == name
}

function begin_table(last) {
    print "<div class=\"wide\" tabindex=\"0\"><table class=\"claims\"><thead><tr><th>claim</th><th>verdict</th><th>the notes say; measured</th><th>" last "</th></tr></thead><tbody>"
}

function end_table() { print "</tbody></table></div>" }

function number(claim,    part) {
    split(claim, part, ".")
    return part[1] * 1000 + part[2]
}

function sort(list, count,    i, j, held) {
    for (i = 2; i <= count; i++) {
        held = list[i]
        for (j = i - 1; j > 0 && number(list[j]) > number(held); j--)
            list[j + 1] = list[j]
        list[j + 1] = held
    }
}

function lesson_claims(    i, any) {
    sort(id, ids)
    for (i = 1; i <= ids; i++)
        if (is_of(id[i], NAME)) {
            if (!any++)
                begin_table("section")
            row(id[i], 1)
        }
    if (any)
        end_table()
}

function by_section(    i, j, count, list) {
    for (i = 1; i <= places; i++) {
        print "<h3 id=\"section-" i "\">" escape(place[i]) "  " escape(title[place[i]]) "</h3>"
        count = split(of_place[place[i]], list, " ")
        sort(list, count)
        if (!count) {
            print "<p>Nothing shows this section: " escape(reason[place[i]]) ".</p>"
            continue
        }
        begin_table("shown by")
        for (j = 1; j <= count; j++)
            row(list[j], 0)
        end_table()
    }
}

END {
    if (MODE == "scenes")
        end_scene()
    else if (MODE == "claims")
        lesson_claims()
    else
        by_section()
}
