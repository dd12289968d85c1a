# puzzle.sh: a lesson with a fault in it, which the student has to find (make puzzle-03).
#
#   sh common/tools/puzzle.sh 03-http2-framing       begins a puzzle that is not solved yet, or goes on with
#                                                    the one that is open
#
# From the environment: PUZZLE (a number: this one), CHECK (set: is it solved?), HINT (set: the file; once
# more: the function), GIVE_UP (set: the patch), PUZZLES (the folder for the copies, if not puzzles/).
#
# A puzzle is a patch in break/ (patch_head.sh): its symptom is told, and its check has to pass again. The
# fault is put into a copy of the lesson and of common/; the student's own files are only read.

. "$(dirname "$0")/patch_head.sh"
root=$(cd "$(dirname "$0")/../.." && pwd -P)
lesson=$1
name=${lesson%%-*} # 03, or of a variation 03-grpc
[ "$lesson" = "${lesson##*/}" ] || name=$name-${lesson##*/}
puzzles=${PUZZLES:-$root/puzzles}
state=$puzzles/.$name # $state.open: a number. $state.solved, $state.shown: names of patches
unset MAKEFLAGS MAKELEVEL SCENE MORE LEDGER

stop() {
    printf '%s\n' "$@" >&2
    exit 2
}

number_of() { find "$root/$lesson/break" -name '*.patch' 2>/dev/null | wc -l; }
patch_of() { find "$root/$lesson/break" -name '*.patch' | LC_ALL=C sort | sed -n "$1p"; }
is_in() { grep -qxF "$(basename "$2")" "$state.$1" 2>/dev/null; }
add_to() { is_in "$1" "$2" || basename "$2" >>"$state.$1"; }
copy_of() { echo "$puzzles/$name-$1"; }
folded() { fold -s -w 76 | sed 's/ *$//; s/^/  /'; }

# What a puzzle was about, and its lines.
show_patch() {
    patch_text "$patch" | tr '\n' ' ' | folded
    printf '\n\n'
    sed -n '/^--- /,$p' "$patch" | sed 's/^/    /'
}

# What make has to build beside build/test: the tests of some start programs of other folders, too.
programs() { if grep -q '^backends:' "$root/$lesson/Makefile"; then echo backends; else echo all; fi; }

# The commands that play a puzzle's check.
commands() {
    case $1 in
    SCENE=*) echo "make run $1" ;;
    *) echo "make $(programs) build/test && $1" ;;
    esac
}

# The number of a puzzle for today: the first that is not solved and whose patch was not shown; else the
# first that is not solved.
choose() {
    for list in "solved shown" solved; do
        number=0
        while [ $((number += 1)) -le "$count" ]; do
            patch=$(patch_of $number) found=$number
            for word in $list; do
                is_in "$word" "$patch" && found=
            done
            [ -z "$found" ] || return 0
        done
    done
    stop "All $count puzzles of $lesson are solved. make puzzle-$name PUZZLE=1 begins the first one again."
}

# Copies the lesson and common/, as they are in git where there is one (the student may have changed
# them), and puts the fault in. A copy that is not whole never gets the name of one.
make_copy() {
    copy=$(copy_of "$number")
    rm -rf "$copy" "$copy.new"
    mkdir -p "$copy.new" || exit 1
    (cd "$root" && tar --format=pax --exclude=node_modules --exclude=break --exclude=.git --exclude='*.pcap' \
        -cf - Makefile common "${lesson%%/*}") | tar -C "$copy.new" -xf - || exit 1
    if [ "$(git -C "$root" rev-parse --show-toplevel 2>/dev/null)" = "$root" ]; then
        git -C "$root" diff --name-only HEAD -- common "${lesson%%/*}" | grep -v '/break/' | while read -r file; do
            git -C "$root" show "HEAD:$file" >"$copy.new/$file" 2>/dev/null || rm -f "$copy.new/$file"
        done
    fi
    (cd "$copy.new/$lesson" && patch_places "$patch" >"$copy.new/.places" &&
        patch -sp1 -F0 --no-backup-if-mismatch <"$patch") || {
        rm -rf "$copy.new"
        stop "The files of $lesson are not as this puzzle needs them: take your own changes back first."
    }
    # What make says in the copy, and the files' times, shall not tell where the fault is.
    echo "Making a copy of $lesson, and building it ..."
    (cd "$copy.new/$lesson" && make "$(programs)" build/test >"$copy.new/.log" 2>&1) || {
        cat "$copy.new/.log"
        stop "The copy could not be built."
    }
    cut -f 1 "$copy.new/.places" | while read -r file; do
        touch -r "$root/$lesson/$file" "$copy.new/$lesson/$file"
    done
    mv "$copy.new" "$copy"
}

tell() {
    here=${copy#"$PWD"/}
    printf '\nPuzzle %s of %s in %s\n\n' "$number" "$count" "$lesson"
    symptom=$(patch_field symptom "$patch")
    echo "${symptom:-Something in this lesson is not as it was.}" | folded
    printf '\nThe fault is in a copy of the lesson. See it there:\n\n    cd %s\n    %s\n' \
        "$here/$lesson" "$(commands "$(patch_field run "$patch")")"
    printf '\nFind it, mend it, and play again. Then, back in this folder:\n\n'
    printf '    make puzzle-%-24s %s\n' "$name CHECK=1" "is it solved?" "$name HINT=1" \
        "the file; once more: the function" "$name GIVE_UP=1" "what was changed, and why that is wrong"
    echo
}

begin() {
    [ -n "$number" ] || number=$open
    if [ -n "$number" ]; then patch=$(patch_of "$number"); else choose; fi
    copy=$(copy_of "$number")
    # What was solved or shown and begins again begins anew. The copies of all others that are done go.
    if [ "$number" != "$open" ] || [ ! -d "$copy" ]; then
        for old in "$puzzles/$name-"[0-9]*; do
            [ -d "$old" ] || continue
            old_patch=$(patch_of "${old##*-}")
            if is_in solved "$old_patch" || is_in shown "$old_patch"; then
                rm -rf "$old"
            fi
        done
        [ -d "$copy" ] || make_copy
        echo "$number" >"$state.open"
    fi
    tell
}

check() {
    log=$(mktemp) && trap 'rm -f "$log"' EXIT
    run=$(patch_field run "$patch")
    if ! (cd "$copy/$lesson" && make -s "$(programs)" build/test) >"$log" 2>&1; then
        grep -v '^  cc ' "$log"
        echo "It does not compile."
        exit 1
    fi
    echo "In ${copy#"$PWD"/}/$lesson: $run ..."
    (cd "$copy/$lesson" && patch_run "$run") >"$log" 2>&1
    status=$?
    if [ $status -ne 0 ]; then
        # What a scene says of a claim stands behind its verdict, what a test says in front of it. The ledger
        # would only say it once more. A program that has died has its last words at the end.
        sed -i '/^── the ledger/,$d' "$log"
        { grep -E -A 4 UNEXPECTED "$log" || grep -B 12 '^FAILED' "$log" || tail -n 12 "$log"; } | sed '/^  /!s/^/    /'
        printf '\nNot yet. The whole output: cd %s && %s\n' "${copy#"$PWD"/}/$lesson" "$(commands "$run")"
        exit 1
    elif patch_skipped "$log"; then
        printf 'This machine allows no wire (make doctor says why), so it cannot see\nwhether this is solved.\n'
        exit 1
    fi
    add_to solved "$patch"
    rm -f "$state.open"
    printf 'Solved. What was wrong:\n\n'
    show_patch
    printf '\nThe lines with - are the lesson'\''s own. Are yours as good? The check tries\none case only.\n'
    printf '%s of %s are solved. The next one: make puzzle-%s\n' "$(wc -l <"$state.solved")" "$count" "$name"
}

hint() {
    hints=$(cat "$copy/.hints" 2>/dev/null)
    awk -F '\t' -v more="$hints" '
        !more && !seen[$1]++ { print "The file: " $1 }
        more && $2 { print $1 ": the function " $2 "()" }
        more && !$2 { print $1 ": outside of its functions" }' "$copy/.places"
    if [ -z "$hints" ]; then
        echo "HINT=1 once more: the function."
        echo 1 >"$copy/.hints"
    fi
}

give_up() {
    show_patch
    printf '\nThe lines with + are the copy'\''s, those with - the lesson'\''s own.\nThe next one: make puzzle-%s\n' "$name"
    add_to shown "$patch"
    rm -f "$state.open"
}

count=$(number_of)
[ "$count" -gt 0 ] || stop "$lesson has no puzzles"
command -v patch >/dev/null || stop "A puzzle needs the program patch: apt-get install patch"
open=$(cat "$state.open" 2>/dev/null)
number=$PUZZLE
if [ -n "$number" ]; then
    case $number in
    *[!0-9]*) number=0 ;;
    esac
    if [ "$number" -lt 1 ] || [ "$number" -gt "$count" ]; then
        stop "$lesson has no puzzle '$PUZZLE'; there are 1 to $count"
    fi
fi
if [ -z "$CHECK$HINT$GIVE_UP" ]; then
    begin
    exit
fi
number=${number:-$open}
copy=$(copy_of "$number")
if [ -z "$number" ] || [ ! -d "$copy" ]; then
    stop "No such puzzle is open. make puzzle-$name begins one."
fi
patch=$(patch_of "$number")
if [ -n "$HINT" ]; then
    hint
elif [ -n "$GIVE_UP" ]; then
    give_up
else
    check
fi
