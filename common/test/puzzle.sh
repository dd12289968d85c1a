# puzzle.sh: make puzzle-NN, with a small lesson made for this test: its server is a shell script, its
# scene looks for a word in it. And each lesson's puzzles: are there enough of them, does no symptom name the place?

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# ok WHAT COMMAND...: the command has to succeed.
ok() {
    what=$1
    shift
    if "$@" >"$work/ok" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what: $*"
        sed 's/^/        /' "$work/ok" "$work/out"
    fi
}

# puzzle STATUS VARIABLE=VALUE...: runs the script of the small tree. Its output is in $work/out.
puzzle() {
    wanted=$1
    shift
    (cd "$work/tree" && env PUZZLES="$work/tree/puzzles" "$@" sh common/tools/puzzle.sh 01-small) >"$work/out" 2>&1
    status=$?
    ok "exit status $wanted with: ${*:-nothing}" test $status -eq "$wanted"
}
says() { ok "it says: $1" grep -qF -- "$1" "$work/out"; }
# shellcheck disable=SC2016 # for sh -c
says_not() { ok "it does not say: $1" sh -c '! grep -qF -- "$0" "$1"' "$1" "$work/out"; }

# ---- a small lesson ------------------------------------------------------------------------------

mkdir -p "$work/tree/common/tools" "$work/tree/01-small/break"
cp "$root/common/tools/puzzle.sh" "$root/common/tools/patch_head.sh" "$work/tree/common/tools"
echo 'all:' >"$work/tree/Makefile"
cd "$work/tree/01-small" || exit 1
printf 'all build/test:\n' >Makefile
printf '%s\n' 'static int hello(void)' '{' '    return 1;' '}' '' 'int other(int a,' '          int b)' '{' \
    '    hello();' '    return 2;' '}' >server.c
# shellcheck disable=SC2016 # for run.sh
printf '%s\n' 'grep -q "return $SCENE" server.c || { echo "the answer $SCENE is missed" && status=1; }' \
    'echo "── the ledger ──" && echo "  lesson  HOLDS  SKIPPED  UNEXPECTED  seconds"' 'exit $status' >run.sh

# new_puzzle NAME SCENE: it breaks the line "return SCENE".
new_puzzle() {
    sed "s/return $2/return 0/" server.c >"$work/changed"
    printf 'run: SCENE=%s\nexpect: UNEXPECTED\nsymptom: The answer %s is gone.\n\nA reason for %s.\n\n' "$2" "$2" "$1"
    diff -u --label a/server.c --label b/server.c server.c "$work/changed" | sed 's/^@@ -[0-9]*/@@ -1/'
}
new_puzzle first-fault 1 >break/first-fault.patch
new_puzzle second-fault 2 >break/second-fault.patch
cp -a "$work/tree/01-small" "$work/before"

# ---- the way through two puzzles -----------------------------------------------------------------

puzzle 2 CHECK=1
says "No such puzzle is open"
puzzle 2 PUZZLE=3
says "there are 1 to 2"
puzzle 0
says "Puzzle 1 of 2"
says "The answer 1 is gone."
says "cd puzzles/01-1/01-small"
says "make run SCENE=1"
says_not first-fault
says_not server.c
copy=$work/tree/puzzles/01-1/01-small
ok "the fault is in the copy" grep -q 'return 0' "$copy/server.c"
ok "the copy has no break/" test ! -e "$copy/break"
puzzle 1 CHECK=1
says "    the answer 1 is missed"
says_not seconds # the ledger
says "Not yet"
puzzle 0 HINT=1
says "The file: server.c"
says_not hello
puzzle 0 HINT=1
says "server.c: the function hello()"
echo '// by the student' >>"$copy/server.c"
puzzle 0
ok "an open puzzle keeps the student's changes" grep -q 'by the student' "$copy/server.c"
sed -i 's/return 0/return 1/' "$copy/server.c"
puzzle 0 CHECK=1
says "Solved"
says "A reason for first-fault."
says "-    return 1;" # the lesson's own line, beside which the student sees his own
says "1 of 2 are solved"
puzzle 0
says "Puzzle 2 of 2"
ok "the copy of a solved puzzle goes" test ! -e "$copy"
# Its patch has another line's number, and patch likes to keep the file from before such a one.
ok "no file beside a changed one tells the place" test -z "$(find "$work/tree/puzzles" -name '*.orig')"
puzzle 0 HINT=1
puzzle 0 HINT=1
says "server.c: the function other()"
puzzle 0 GIVE_UP=1
says "A reason for second-fault."
says "+    return 0;"
puzzle 0
says "Puzzle 2 of 2" # it was shown, and not solved
copy=$work/tree/puzzles/01-2/01-small
sed -i 's/return 0/return 2/' "$copy/server.c"
echo 'echo "claim 2: SKIPPED"' >"$copy/run.sh"
puzzle 1 CHECK=1
says "This machine allows no wire"
cp run.sh "$copy"
puzzle 0 CHECK=1
puzzle 2
says "All 2 puzzles of 01-small are solved"
puzzle 0 PUZZLE=1
says "Puzzle 1 of 2"
ok "a solved puzzle begins anew" grep -q 'return 0' "$work/tree/puzzles/01-1/01-small/server.c"
ok "the lesson itself was not touched" diff -r "$work/before" "$work/tree/01-small"

# ---- a student's own changes ---------------------------------------------------------------------

sed -i 's/return 2/return 3/' server.c
puzzle 2 PUZZLE=2
says "not as this puzzle needs them"
# shellcheck disable=SC2016 # for sh -c
ok "no half of a copy is left" sh -c '! ls -d "$0"/01-2* 2>/dev/null' "$work/tree/puzzles"
if command -v git >/dev/null; then
    git() { command git -c user.name=test -c user.email=test@test.invalid -C "$work/tree" "$@"; }
    cp "$work/before/server.c" .
    git init -q && git add 01-small common && git commit -qm before
    sed -i 's/return 2/return 3/' server.c
    puzzle 0 PUZZLE=2
    ok "with git the copy is of what was committed" grep -q 'return 1' "$work/tree/puzzles/01-2/01-small/server.c"
    ok "the student's change is still there" grep -q 'return 3' server.c
    unset -f git
fi

# ---- the lessons' puzzles ------------------------------------------------------------------------

. "$root/common/tools/patch_head.sh"
cd "$root" || exit 1
for folder in [0-9][0-9]-*/ [0-9][0-9]-*/*/; do
    folder=${folder%/} least=5
    [ -f "$folder/run.sh" ] || continue
    [ "$folder" = "${folder##*/}" ] || least=3
    ok "$folder has $least puzzles" test "$(find "$folder/break" -name '*.patch' | wc -l)" -ge $least
    bad=""
    for patch in "$folder"/break/*.patch; do
        symptom=$(patch_field symptom "$patch") base=$(basename "$patch" .patch)
        places=$(cd "$folder" && patch_places "break/$base.patch")
        for word in "$base" $(echo "$places" | tr '\t' '\n' | sed 's/.*\///'); do
            ! echo "$symptom" | grep -qwF -- "$word" || bad="$bad $base names $word."
        done
        [ -n "$places" ] || bad="$bad $base has no place for a hint."
        [ -n "$(patch_text "$patch")" ] || bad="$bad $base does not say what it is about."
    done
    ok "no symptom of $folder tells the place${bad:+:$bad}" test -z "$bad"
done

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
