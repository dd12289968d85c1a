# test.sh: all tests of the current folder, a lesson's or common's: its unit tests, its scenes,
# its real peers, its patches in break/. The last line adds them up; so does $RESULTS for all.
# With the argument "unit": only its unit tests, run by $EMULATOR, where there is one.
# A stage that has not ended after STAGE_SECONDS is ended, and has failed.

unset COLUMNS # a pipe has 100 columns, whatever the shell has exported
here=$(dirname "$0")
folder=${PWD#"$(cd "$here/../.." && pwd)"/}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
STAGE_SECONDS=${STAGE_SECONDS:-1200}
# Ctrl-C does not reach timeout, which makes a process group of its own to be able to end it all.
trap 'kill $job 2>/dev/null; wait; exit 130' INT TERM

# Runs one stage, shows its output, and adds its closing line "N passed, N failed, N skipped".
stage() {
    printf '%s\n' "-- $folder: $1"
    shift
    began=$(date +%s)
    # The shell starts a job with SIGINT ignored, and the programs under test would inherit that.
    env --default-signal=INT timeout -k 10 "$STAGE_SECONDS" "$@" >"$log" 2>&1 &
    job=$!
    wait $job
    status=$?
    [ $status -ne 124 ] || echo "FAILED  it has not ended after $STAGE_SECONDS seconds" >>"$log"
    grep -v ' passed, ' "$log"
    printf '%s\n' "   in $(($(date +%s) - began)) s"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
    [ $status -eq 0 ] || [ "${2:-0}" -gt 0 ] || set -- "${1:-0}" 1 "${3:-0}" # it broke off
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
}

finish() {
    [ -z "$RESULTS" ] || echo "$folder $passed $failed $skipped" >>"$RESULTS"
    echo "$folder: $passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
}

# shellcheck disable=SC2086 # $EMULATOR may have options, or be empty
stage "unit tests" $EMULATOR build/test
if [ "$1" = unit ]; then
    finish
    exit
fi
[ ! -f run.sh ] || stage "scenes" sh "$here/claims.sh"
[ ! -f test/interop.sh ] || stage "real peers" sh test/interop.sh
# A sanitizer finds nothing new in scripts, and makes patched programs fail in more ways than the documented one.
if [ -z "$SAN" ]; then
    [ ! -f test/notes.sh ] || stage "the sections of the notes" sh test/notes.sh
    [ ! -f test/links.sh ] || stage "what the READMEs point to" sh test/links.sh
    [ ! -f test/puzzle.sh ] || stage "puzzles" sh test/puzzle.sh
    [ ! -f test/book.sh ] || stage "the book" sh test/book.sh
    [ ! -d break ] || stage "break/: do the checks bite?" sh "$here/break.sh"
fi
finish
