# test.sh: all tests of the current folder, a lesson's or common's: its unit tests, its scenes,
# its real peers, its patches in break/. The last line adds them up; so does $RESULTS for all.

here=$(dirname "$0")
folder=${PWD#"$(cd "$here/../.." && pwd)"/}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

# Runs one stage, shows its output, and adds its closing line "N passed, N failed, N skipped".
stage() {
    printf '%s\n' "-- $folder: $1"
    shift
    "$@" >"$log" 2>&1
    status=$?
    grep -v ' passed, ' "$log"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
    [ $status -eq 0 ] || [ "${2:-0}" -gt 0 ] || set -- "${1:-0}" 1 "${3:-0}" # it broke off
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
}

stage "unit tests" build/test
[ ! -f run.sh ] || stage "scenes" sh "$here/claims.sh"
[ ! -f test/interop.sh ] || stage "real peers" sh test/interop.sh
# A sanitizer would only make the patched programs fail in more ways than the documented one.
[ ! -d break ] || [ -n "$SAN" ] || stage "break/: do the checks bite?" sh "$here/break.sh"
[ -z "$RESULTS" ] || echo "$folder $passed $failed $skipped" >>"$RESULTS"
echo "$folder: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
