# claims.sh: plays the lesson's scenes as a test: each claim is one, passed if it came out as the
# lesson documents. The scenes' output is shown only when one did not.

LEDGER=$(mktemp)
output=$(mktemp)
trap 'rm -f "$LEDGER" "$output"' EXIT
export LEDGER
STRICT=$STRICT SCENE='' ARGS='' MORE=1 sh ./run.sh >"$output" 2>&1
status=$?
[ $status -eq 0 ] || cat "$output"
# make notes reads the claims out of the sources, and has to know each.
sh "$(dirname "$0")/../tools/notes.sh" ids >"$output"
awk -F '\t' -v strict="$STRICT" -v status=$status '
    NF == 1 { known[$1] = 1; next }
    $1 == "seconds" { next }
    !($1 in known) { print "FAILED  claim " $1 ": make notes does not know it"; n["FAILED "]++ }
    { word = $2 == "UNEXPECTED" || ($2 == "SKIPPED" && strict) ? "FAILED " : $2 == "SKIPPED" ? "skipped" : "ok     "
      n[word]++
      printf "%s claim %s %s\n", word, $1, $2 }
    END { if (status != 0 && !n["FAILED "]) n["FAILED "] = 1
          printf "%d passed, %d failed, %d skipped\n", n["ok     "], n["FAILED "], n["skipped"]
          exit n["FAILED "] > 0 }' "$output" "$LEDGER"
