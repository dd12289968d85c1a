# book.sh: plays the given lessons and variations, and makes one page of all that there is to see: book.html.
#
#   sh common/tools/book.sh 01-tcp-udp 09-nagle ...       make book plays all of them, for some eight minutes
#
# The page needs nothing from elsewhere. It has the scenes as they were on the terminal, the claims with what was
# measured, the pictures and experiments of the READMEs, and the machine. $PLAYED is a folder with what a run has
# left there (NAME.screen and ledger): then nothing is played.

cd "$(dirname "$0")/../.." || exit 1
book=${BOOK:-book.html}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
tools=common/tools bad=""
export LC_ALL=C

name_of() { # 03, or of a variation 03-grpc
    case $1 in
    */*) echo "${1%%-*}-${1##*/}" ;;
    *) echo "${1%%-*}" ;;
    esac
}
title_of() { sed -n '1s/^# *//p' "$1/README.md"; }
escaped() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }

# In a terminal of its own, because a pipe gets no colours; where that cannot be had, without colours.
play() {
    if command -v script >/dev/null; then
        (cd "$1" && env -u NO_COLOR LC_ALL=C.UTF-8 TERM=xterm MORE=1 ARGS="" SCENE="" LEDGER="$PLAYED/ledger" \
            script -qec "sh ./run.sh" /dev/null </dev/null)
    else
        (cd "$1" && MORE=1 ARGS="" SCENE="" LEDGER="$PLAYED/ledger" sh ./run.sh)
    fi >"$PLAYED/$(name_of "$1").screen"
}

if [ -z "$PLAYED" ]; then
    PLAYED=$work
    for lesson in "$@"; do
        # One that needs what this machine does not have says so.
        [ -x "$lesson/play" ] || { make -s --no-print-directory -C "$lesson" && continue; }
        printf '  %s ...\n' "$lesson"
        play "$lesson"
        case $? in
        0) ;;
        130) exit 130 ;; # ctrl-C
        *) bad="$bad $lesson" && printf '  %s is not as documented; the book shows it\n' "$lesson" ;;
        esac
    done
fi

# ---- the parts of a lesson -----------------------------------------------------------------------

# Prints FILE<tab>WORDS for each picture of a README.
pictures_of() {
    tr '\n' ' ' <"$1/README.md" | awk '{
        while (match($0, /!\[[^]]*\]\(pictures\/[^)]*\)/)) {
            picture = substr($0, RSTART + 2, RLENGTH - 3)
            $0 = substr($0, RSTART + RLENGTH)
            at = index(picture, "](")
            print substr(picture, at + 2) "\t" substr(picture, 1, at - 1)
        }
    }'
}

# A picture's own styles are for it alone: each selector gets the picture's id in front. $1: the file, $2: an id.
inline_svg() {
    awk -v id="#$2" '
    /<style>/ { in_style = 1; print; next }
    /<\/style>/ { in_style = 0; print; next }
    in_style {
        count = split($0, rules, "}")
        for (i = 1; i < count; i++) {
            at = index(rules[i], "{")
            selector = substr(rules[i], 1, at - 1)
            print (selector == "svg" ? id : id " " selector) substr(rules[i], at) "}"
        }
        next
    }
    /<svg / { sub(/<svg /, "<svg id=\"" substr(id, 2) "\" role=\"img\" aria-labelledby=\"" substr(id, 2) "-title\" ") }
    { sub(/<title>/, "<title id=\"" substr(id, 2) "-title\">"); print }' "$1"
}

show_pictures() {
    number=0
    pictures_of "$1" | while IFS="$(printf '\t')" read -r file words; do
        number=$((number + 1))
        words=$(echo "$words" | escaped | sed 's/"/\&quot;/g; s/`//g')
        echo "<figure tabindex=\"0\">"
        case $file in
        *.svg) inline_svg "$1/$file" "picture-$(name_of "$1")-$number" ;;
        *.png) echo "<img alt=\"$words\" src=\"data:image/png;base64,$(base64 -w 0 "$1/$file")\">" ;;
        esac
        echo "<figcaption>$words</figcaption></figure>"
    done
}

# show_section LESSON SECTION TITLE: a section of its README, if there is one.
show_section() {
    text=$(awk -v SECTION="$2" -f $tools/book_text.awk "$1/README.md")
    [ -z "$text" ] || printf '<h3>%s</h3>\n%s\n' "$3" "$text"
}

show_lesson() {
    name=$(name_of "$1")
    printf '<article id="lesson-%s">\n<h2>%s</h2>\n' "$name" "$(title_of "$1" | escaped)"
    awk -v SECTION="The idea" -f $tools/book_text.awk "$1/README.md"
    show_pictures "$1"
    awk -v MODE=claims -v NAME="$name" -f $tools/book_page.awk "$work/rows" "$PLAYED/ledger" >"$work/claims"
    [ ! -s "$work/claims" ] || { echo "<h3>Claims of the notes</h3>" && cat "$work/claims"; }
    [ ! -f "$PLAYED/$name.screen" ] || tr -d '\r' <"$PLAYED/$name.screen" |
        awk -v MODE=scenes -v NAME="$name" -f $tools/book_page.awk
    show_section "$1" Experiments Experiments
    echo "</article>"
}

# ---- the page ------------------------------------------------------------------------------------

contents() {
    echo '<nav aria-labelledby="contents"><h2 id="contents">Contents</h2><ul>'
    for lesson in "$@"; do
        printf '<li><a href="#lesson-%s">%s</a></li>\n' "$(name_of "$lesson")" "$(title_of "$lesson" | escaped)"
    done
    echo '<li><a href="#sections">By section of the notes</a><details><summary>The sections</summary><ul>'
    awk -F '\t' '$1 == "section" { print "<li><a href=\"#section-" ++n "\">" $2 "</a> " $3 "</li>" }' "$work/rows"
    echo '</ul></details></li><li><a href="#machine">The machine</a></li></ul></nav>'
}

counts() {
    awk -F '\t' '$1 ~ /^[0-9]+\.[0-9]+$/ { n[$2]++ }
        END {
            printf "<p>%d claims of the notes hold, %d do not hold here or not as stated", n["HOLDS"], n["NOT HERE"]
            if (n["SKIPPED"]) printf ", %d were skipped", n["SKIPPED"]
            if (n["UNEXPECTED"]) printf ", <strong>%d came out otherwise than documented</strong>", n["UNEXPECTED"]
            print ".</p>" }' "$PLAYED/ledger"
}

machine() {
    line() { printf '<tr><th scope="row">%s</th><td>%s</td></tr>\n' "$1" "$(printf '%s' "$2" | escaped)"; }
    echo '<h2 id="machine">The machine</h2><div class="wide" tabindex="0"><table><tbody>'
    line "played on" "$(date -u '+%Y-%m-%d')"
    line system "$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME"), $(uname -srm)"
    line processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) in use"
    line memory "$(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' /proc/meminfo)"
    line compiler "$(${CC:-cc} --version 2>/dev/null | head -n 1)"
    line OpenSSL "$(openssl version 2>/dev/null || echo "no program of that name")"
    echo '</tbody></table></div>'
}

[ -f "$PLAYED/ledger" ] || : >"$PLAYED/ledger"
sh $tools/notes.sh rows >"$work/rows"
{
    printf '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    echo '<meta name="viewport" content="width=device-width, initial-scale=1">'
    echo '<title>A workbench for backend engineering: the lab book</title>'
    echo '<style>' && cat $tools/book.css && echo '</style>'
    printf '</head>\n<body>\n<header><h1>A workbench for backend engineering: the lab book</h1>\n'
    echo '<p>What the lessons print when they are played: each scene as it was on the terminal, what of the notes it'
    echo 'shows, and what was measured. To play one yourself: <code>make run-09 SCENE=stall</code>.</p>'
    counts
    echo '</header>'
    contents "$@"
    echo '<main>'
    for lesson in "$@"; do show_lesson "$lesson"; done
    echo '<h2 id="sections">By section of the notes</h2>'
    awk -v MODE=sections -f $tools/book_page.awk "$work/rows" "$PLAYED/ledger"
    machine
    printf '</main>\n</body>\n</html>\n'
} >"$work/page" && cp "$work/page" "$book" || exit 1
printf '  %s, %d KB\n' "$book" $(($(wc -c <"$book") / 1024))
[ -z "$bad" ] || { echo "not as documented:$bad" && exit 1; }
