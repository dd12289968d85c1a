# claims.sh: plays the lesson's scenes as a test: each claim is one, passed if it came out as the
# lesson documents. Then test/printed.awk, where there is one, compares the printed figures with
# each other. The scenes' output is shown only when something was not as it should be.
# $ONLY is a scene: only that one.

here=$(dirname "$0")
LEDGER=$(mktemp)
output=$(mktemp)
printed=$(mktemp)
trap 'rm -f "$LEDGER" "$output" "$printed"' EXIT
export LEDGER
STRICT=$STRICT SCENE=$ONLY ARGS='' MORE=1 sh ./run.sh >"$output" 2>&1
status=$?
if [ -f test/printed.awk ]; then
    awk -f "$here/printed.awk" -f test/printed.awk "$LEDGER" "$output" >"$printed" 2>&1 || {
        [ $? -eq 1 ] || echo "FAILED  printed: awk: $(cat "$printed")" >"$printed"
        [ $status -ne 0 ] || cat "$output"
    }
fi
[ $status -eq 0 ] || cat "$output"
# make notes reads the claims out of the sources, and has to know each.
sh "$here/../tools/notes.sh" ids >"$output"
awk -F '\t' -v strict="$STRICT" -v status=$status '
    /^(ok     |FAILED ) printed: / { print; n[substr($0, 1, 7)]++; next }
    NF == 1 { known[$1] = 1; next }
    $1 == "seconds" { next }
    !($1 in known) { print "FAILED  claim " $1 ": make notes does not know it"; n["FAILED "]++ }
    { word = $2 == "UNEXPECTED" || ($2 == "SKIPPED" && strict) ? "FAILED " : $2 == "SKIPPED" ? "skipped" : "ok     "
      n[word]++
      printf "%s claim %s %s\n", word, $1, $2 }
    END { if (status != 0 && !n["FAILED "]) n["FAILED "] = 1
          printf "%d passed, %d failed, %d skipped\n", n["ok     "], n["FAILED "], n["skipped"]
          exit n["FAILED "] > 0 }' "$printed" "$output" "$LEDGER"
