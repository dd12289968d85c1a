# notes.sh: the claims and the sections of the notes: every place that a claim names is a section, every
# section has a claim or the reason why not, README.md's table is the one that make notes makes, and
# what reads the claims notices when one of these is wrong.

passed=0 failed=0
root=$(cd .. && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

ok() { passed=$((passed + 1)) && echo "ok      $1"; }
bad() { failed=$((failed + 1)) && echo "FAILED  $1: $2"; }

# is WHAT EXPECTED STATUS COMMAND...: the command's output has a line with this text, and its exit
# status is this one.
is() {
    what=$1 expected=$2 status=$3
    shift 3
    output=$("$@" 2>&1)
    got=$?
    if [ $got -ne "$status" ] || ! printf '%s\n' "$output" | grep -qF -e "$expected"; then
        bad "$what" "expected \"$expected\" and exit status $status; seen status $got, and: $(printf '%s\n' "$output" | head -5)"
    else
        ok "$what"
    fi
}

notes() { sh "$root/common/tools/notes.sh" "$@"; }
is "the claims and the sections" " claims, " 0 notes check
is "a section" "make run-03 SCENE=stream_ids" 0 notes list 3.2
is "a section of chapter 18" "make run-03 SCENE=frames" 0 notes list 18.2
is "a section that nothing shows" "no scene: " 0 notes list 14.3
is "a section that is not there" 'the notes have no section "10.2"' 2 notes list 10.2

sed -n '/^<!-- the table of make notes -->$/,/^<!-- its end -->$/p' "$root/README.md" | sed '1d;$d' >"$folder/stands"
notes table >"$folder/table"
if cmp -s "$folder/stands" "$folder/table"; then
    ok "README.md's table is up to date"
else
    bad "README.md's table is not up to date" "make notes UPDATE=1"
    diff "$folder/stands" "$folder/table" | head -10
fi
# tables: what the tables of claims in the READMEs do not have, have twice, or have with another verdict.
# README.md has those that do not hold; the others have all.
tables() {
    notes rows | LC_ALL=C awk -F '\t' '
        NR == FNR { if ($1 == "claim") verdict[$3] = $4; next }
        FNR == 1 { top = FILENAME !~ "/[0-9][0-9]-" }
        match($0, /^[|] [0-9]+[.][0-9]+ [|]/) {
            id = substr($0, 3, RLENGTH - 4)
            cells = split($0, cell, / *[|] */)
            if (!(id in verdict)) print FILENAME " has " id ", which is no claim"
            else if (stands[top, id]++) print FILENAME " has " id " again"
            else if (verdict[id] != "it depends" && (top ? "NOT HERE" : cell[cells - 1]) !~ "^" verdict[id])
                print FILENAME " has another verdict on " id
        }
        END { for (id in verdict) {
            if (!stands[0, id]) print "no lesson'"'"'s README has " id
            if (verdict[id] == "NOT HERE" && !stands[1, id]) print "README.md has no " id
        } }' - "$@"
}
wrong=$(tables "$root/README.md" "$root"/[0-9]*/README.md "$root"/[0-9]*/*/README.md)
if [ -z "$wrong" ]; then ok "the READMEs' tables of claims"; else bad "the READMEs' tables of claims" "$wrong"; fi
sed -e '/^| 1\.2 |/d' -e 's/^| 1\.6 |/| 1.600 |/' "$root/README.md" >"$folder/README.md"
wrong=$(tables "$folder/README.md" "$root"/[0-9]*/README.md "$root"/[0-9]*/*/README.md | wc -l)
if [ "$wrong" -eq 3 ]; then ok "and they are looked at"; else bad "and they are looked at" "of 3 mistakes $wrong are seen"; fi

wide=$(COLUMNS=80 notes list </dev/null 5</dev/null | LC_ALL=C sed 's/[\o200-\o277]//g' | awk 'length > 80' | head -3)
if [ -z "$wide" ]; then ok "lines of 80 columns"; else bad "lines of 80 columns" "$wide"; fi

# A tree with one lesson and one section, whose claim is told wrong in each way.
mkdir -p "$folder/common/tools" "$folder/01-one/scenes" "$folder/01-one/test"
cp "$root"/common/tools/*.awk "$root/common/tools/notes.sh" "$root/common/tools/width.sh" "$folder/common/tools"
printf 'guide §1\tOne\n' >"$folder/common/tools/sections.txt"
: >"$folder/01-one/test/interop.sh"
told() { # CLAIM's lines, in scene "first"
    printf '{"first", "title", scene_first},\n' >"$folder/01-one/scenes/play.c"
    printf '#define WORD "more"\nstatic const struct claim c = {%s, NULL};\nvoid scene_first(void)\n{\n' "$1" \
        >"$folder/01-one/scenes/first.c"
}
small() { sh "$folder/common/tools/notes.sh" "$@"; }

told '"1.1", "guide §1", "it says \"this\" "
    WORD, NOT_HERE'
is "a claim in two lines, with a quote and a name" '1.1  NOT HERE   it says "this" more' 0 small list
is "and all is well" "1 claims, 1 sections" 0 small check
told '"1.1", "guide §2", "it", HOLDS'
is "a place that is no section" 'claim 1.1 names "guide §2"' 1 small check
is "a section without a claim" "guide §1 has neither a claim nor a reason" 1 small check
told '"1.1", "guide §1", "it", HOLDS, NULL}, d = {"1.1", "guide §1", "it", NOT_HERE'
is "a claim whose verdict depends on the kernel" "1.1  it depends it" 0 small list
told '"1.1", "guide §1", "it", HOLDS'
echo '# Claim 1.1, guide §1, NOT HERE: it.' >"$folder/01-one/test/interop.sh"
is "one number for two claims" "claim 1.1 stands in two places" 1 small check
: >"$folder/01-one/test/interop.sh"
told '"1.1", "guide §1", "it", HOLDS'
: >"$folder/01-one/scenes/play.c"
is "a scene that is not played" "play.c does not list scene_first" 1 small check
told '"1.1", "guide §1", "it", HOLDS'
sed -i '/^void/d' "$folder/01-one/scenes/first.c"
is "a claim in no scene" "claim 1.1 is in a file that has no scene" 1 small check
: >"$folder/01-one/scenes/first.c"
echo '# Claim 1.2, guide §1, NOT HERE: a program does it. It does not.' >"$folder/01-one/test/interop.sh"
is "a claim about a real program" "1.2  NOT HERE   a program does it" 0 small list
is "and how to try it" "make test-01" 0 small list

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
