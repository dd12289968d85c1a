# notes.sh: the sections of the notes, and the scenes that show each, as the claims in the sources say.
#
#   sh common/tools/notes.sh list [SECTION]      make notes SECTION=3.2
#   sh common/tools/notes.sh table               the table of README.md
#   sh common/tools/notes.sh update              writes it there: make notes UPDATE=1
#   sh common/tools/notes.sh rows                the same for programs: ids also prints all numbers of claims
#   sh common/tools/notes.sh check               every place is a section, and each has a claim or a reason
cd "$(dirname "$0")/../.." || exit 1
. common/tools/width.sh

# The scenes, those of a folder behind its play.c, and the tests that judge claims of real programs.
list_files() {
    ls [0-9]*/scenes/play.c [0-9]*/*/scenes/play.c
    find [0-9]*/scenes [0-9]*/*/scenes -name '*.c' ! -name play.c | sort
    ls [0-9]*/test/*.sh [0-9]*/*/test/*.sh [0-9]*/test/*.js [0-9]*/*/test/*.js
} 2>/dev/null

read_notes() {
    # shellcheck disable=SC2046 # these are words
    LC_ALL=C awk -v MODE="$1" -v SECTION="$2" -v WIDTH="$width" -f common/tools/terminal.awk -f common/tools/notes.awk \
        common/tools/sections.txt $(list_files)
}

if [ "$1" = update ]; then
    table=$(mktemp) && read_notes table >"$table" &&
        sed -i -e "/^<!-- the table of make notes -->$/,/^<!-- its end -->$/{/^<!-- the/{p;r $table" -e '};/^<!-- its/!d}' README.md
    status=$?
    rm -f "$table"
    exit $status
fi
read_notes "$@"
