# picture.sh: what a scene prints, as the picture of a terminal: an SVG for a README.
#
#   sh ../common/tools/picture.sh SCENE            plays it, in colour, and writes SCENE.svg
#   sh common/tools/picture.sh --draw TITLE <TEXT  draws any text with the colours of text.h
#
# Words are text, stretched to their columns; lines and blocks are drawn. So columns are columns and
# bars have no gaps, whatever font the reader has. The same text makes the same picture.

if [ "$1" != --draw ]; then
    lesson=${PWD#"$(cd "$(dirname "$0")/../.." && pwd)"/}
    target=${lesson%%-*}
    [ "$lesson" = "${lesson##*/}" ] || target=$target-${lesson##*/} # a variation
    screen=$(mktemp) && trap 'rm -f "$screen"' EXIT
    # A terminal of its own, because a pipe gets no colours.
    env -u NO_COLOR TERM=xterm SCENE="$1" script -qec "sh ./run.sh" /dev/null </dev/null >"$screen" ||
        { cat "$screen" && exit 1; }
    # The scene alone: from its title to what the server says at its end.
    tr -d '\r' <"$screen" | awk '/^(\033[^m]*m)*(stopped|── the ledger)/ { exit } /^(\033[^m]*m)*── / { on = 1 } on' |
        sh "$0" --draw "make run-$target SCENE=$1" >"pictures/$1.svg"
    echo "  $lesson/pictures/$1.svg"
    exit
fi

# Byte by byte, because not every awk knows UTF-8.
LC_ALL=C awk -v title="$2" '
BEGIN {
    W = 8; H = 18; LEFT = 16; TOP = 44 # of a cell, and of the text, in pixels
    split("31 red 32 green 33 yellow 35 magenta 36 cyan", words, " ")
    for (i = 1; i < 10; i += 2)
        colour[words[i]] = words[i + 1]
    # What is drawn: a part of its cell in eighths (x, y, width, height) ...
    split("▏ ▎ ▍ ▌ ▋ ▊ ▉ █", words, " ")
    for (i = 1; i <= 8; i++)
        block[words[i]] = "0 0 " i " 8"
    split("▁ ▂ ▃ ▄ ▅ ▆ ▇", words, " ")
    for (i = 1; i <= 7; i++)
        block[words[i]] = "0 " 8 - i " 8 " i
    block["░"] = block["▒"] = block["▓"] = block["█"]
    shade["░"] = " opacity=\".35\""; shade["▒"] = " opacity=\".6\""; shade["▓"] = " opacity=\".85\""
    # ... or lines from its middle to the sides: left, right, up, down.
    split("─ lr │ ud ├ rud ┤ lud ┴ lru ┬ lrd ┼ lrud └ ru ┘ lu ┌ rd ┐ ld", words, " ")
    for (i = 1; i < 22; i += 2)
        line[words[i]] = words[i + 1]
    line["▶"] = line["◀"] = "arrow"
}

{
    row = NR
    column = 0
    for (rest = $0; rest != ""; rest = substr(rest, length(c) + 1)) {
        if (match(rest, /^\033\[[0-9;]*m/)) {
            flush()
            c = substr(rest, 1, RLENGTH)
            set_look(substr(c, 3, RLENGTH - 3))
            continue
        }
        if (!match(rest, /^[\300-\377][\200-\277]*/))
            RLENGTH = 1
        c = substr(rest, 1, RLENGTH)
        take(c)
        column++
    }
    flush()
    if (column > widest)
        widest = column
}

function set_look(code) {
    if (code == "0")
        look = bold = ""
    else if (code == "1")
        bold = " bold"
    else if (code == "2")
        look = "dim"
    else if (code in colour)
        look = colour[code]
}

# Words that are one space apart are one run; so are equal blocks, and equal lines.
function take(c,    kind) {
    kind = c == " " ? "space" : c in block || c in line ? c : "words"
    if (kind == "space" && run_kind == "words" && substr(rest, 2, 1) != " " && run != "")
        kind = "words"
    if (run == "" || kind != run_kind) {
        flush()
        run_kind = kind
        run_column = column
    }
    run = run c
    cells++
}

function flush(    x, y, look_now, part) {
    x = LEFT + run_column * W
    y = TOP + (row - 1) * H
    look_now = look bold
    look_now = look_now == "" ? "" : " class=\"" (look == "" ? substr(bold, 2) : look_now) "\""
    if (run == "" || run_kind == "space") {
        ;
    } else if (run_kind in block) {
        split(block[run_kind], part, " ")
        body = body sprintf("<rect x=\"%d\" y=\"%g\" width=\"%d\" height=\"%g\"%s%s/>\n", x, y + 1 + part[2] * (H - 1) / 8,
            part[3] == 8 ? cells * W : part[3], part[4] * (H - 1) / 8, look_now, shade[run_kind])
    } else if (run_kind in line) {
        body = body "<path d=\"" strokes(run_kind, x, y) "\"" look_now "/>\n"
    } else {
        sub(/ $/, "", run) && cells--
        gsub(/&/, "\\&amp;", run)
        gsub(/</, "\\&lt;", run)
        body = body sprintf("<text x=\"%d\" y=\"%d\" textLength=\"%d\"%s>%s</text>\n", x, y + 13, cells * W, look_now, run)
    }
    run = ""
    cells = 0
}

function strokes(c, x, y,    path, mid) {
    x += W / 2
    mid = y + H / 2
    if (c == "▶" || c == "◀") # its point touches the edge of the cell
        return c == "▶" ? sprintf("M%d %dh%dm%d -4v8l8 -4z", x - W / 2, mid, W / 2, -W / 2) \
            : sprintf("M%d %dh%dm%d -4v8l-8 -4z", x + W / 2, mid, -W / 2, W / 2)
    if (line[c] ~ /l/)
        path = sprintf("M%d %dh%d", x - W / 2, mid, (cells - 1) * W + (line[c] ~ /r/ ? W : W / 2))
    else if (line[c] ~ /r/)
        path = sprintf("M%d %dh%d", x, mid, W / 2)
    if (line[c] ~ /[ud]/)
        path = path sprintf("M%d %dV%d", x, line[c] ~ /u/ ? y : mid, line[c] ~ /d/ ? y + H : mid)
    return path
}

END {
    gsub(/&/, "\\&amp;", title)
    gsub(/</, "\\&lt;", title)
    width = 2 * LEFT + (widest > 100 ? widest : 100) * W
    height = TOP + NR * H + 14
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n", width, height, width, height
    print "<title>" title "</title>"
    print "<style>"
    print "svg{fill:#d6dbe1;stroke:none}"
    print "text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;white-space:pre}"
    print "rect{shape-rendering:crispEdges}path{stroke:#8b949e;stroke-width:1.3}"
    split("red #ff7b72 green #56d364 yellow #e3b341 magenta #d2a8ff cyan #39c5cf dim #8b949e", look_of, " ")
    for (i = 1; i < 12; i += 2)
        printf ".%s{fill:%s}path.%s{stroke:%s}\n", look_of[i], look_of[i + 1], look_of[i], look_of[i + 1]
    print ".bold{font-weight:bold;fill:#fff}.window{fill:#161b22;stroke:#57606a;shape-rendering:auto}"
    print "</style>"
    printf "<rect class=\"window\" x=\".5\" y=\".5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", width - 1, height - 1
    for (i = 0; i < 3; i++)
        printf "<circle cx=\"%d\" cy=\"16\" r=\"5\" fill=\"%s\"/>\n", 18 + 16 * i, substr("#ff5f57#febc2e#28c840", 1 + 7 * i, 7)
    printf "<text x=\"%d\" y=\"20\" text-anchor=\"middle\" class=\"dim\">%s</text>\n", width / 2, title
    printf "%s</svg>\n", body
}'
