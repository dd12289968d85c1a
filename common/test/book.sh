# book.sh: make book, from what a run might have left: nothing is played here. Then the experiments of all
# READMEs: whatever they hold comes out as whole elements.

here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

ok() { # ok WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1)) && echo "ok      $what"
    else
        failed=$((failed + 1)) && echo "FAILED  $what: $*" && cat "$work/out"
    fi
}
has() { ok "the page has: $1" grep -qF -- "$1" "$work/book.html"; }
has_not() {
    count=$(grep -ciE -- "$1" "$work/book.html")
    ok "the page has no $1" test "$count" -eq 0
}

mkdir "$work/played"
printf '\r\n$ ../common/wire/wire -- ./server -- ./play stall\r\n\r\n\033[1m── 1 stall ── a <b> & "c" ─────\033[0m\r\n' >"$work/played/09.screen"
printf '  \033[31m██\033[0m 5 < 6  \033[1m\033[32mHOLDS\033[0m\r\n\r\n$ ../common/wire/wire -- ./server -- ./play small\r\n' >>"$work/played/09.screen"
printf '\r\n── 2 small ── another one ────\r\nend\r\n\r\n── the ledger ──\r\nmore\r\n' >>"$work/played/09.screen"
printf '9.4\tHOLDS\tguide §10.1\tTCP_NODELAY removes the delay\t0.07 & less\nseconds\t09-nagle\t1.0\n' >"$work/played/ledger"
make_book() { PLAYED=$work/played BOOK=$1 sh "$here/tools/book.sh" 09-nagle 02-http1 05-polling-sse; }
ok "a book is made" make_book "$work/book.html"
ok "and once more" make_book "$work/again.html"
ok "the same run makes the same book" cmp "$work/book.html" "$work/again.html"
has '<h3>stall: a &lt;b&gt; &amp; &quot;c&quot;</h3>'
has '<section class="scene" id="scene-09-small">'
has '  <span class="red">██</span> 5 &lt; 6  <span class="green bold">HOLDS</span>'
has '<small>0.07 &amp; less</small>'
has '<a href="#scene-09-stall">09 stall</a>'
has '<svg id="picture-02-1"'
has '#picture-02-1 text{'
has 'src="data:image/png;base64,'
has '<details><summary>Answer</summary>'
has_not '<script'
has_not '(src|url|@import)[^a-z]{1,4}http'
has_not '<link'
has_not '── the ledger'
# Links lead somewhere, and no two things have one id.
grep -oE 'href="#[^"]*"' "$work/book.html" | sed 's/href="#//; s/"//' | sort -u >"$work/links"
grep -oE ' id="[^"]*"' "$work/book.html" | sed 's/ id="//; s/"//' | sort >"$work/ids"
ok "all links within the page lead somewhere" test -z "$(comm -23 "$work/links" "$work/ids")"
ok "all ids are different" test -z "$(uniq -d "$work/ids")"
if command -v tidy >/dev/null; then
    tidy -q -e --drop-empty-elements no "$work/book.html" 2>"$work/tidy"
    ok "tidy finds no error" test $? -lt 2
fi

# As it looks: on a screen, on a phone, on paper.
modules=$here/../05-polling-sse/node_modules
if [ -n "$SAN" ]; then
    : # it would be the same
elif command -v chromium >/dev/null && command -v node >/dev/null && [ -d "$modules/axe-core" ]; then
    CHROMIUM=$(command -v chromium) NODE_PATH=$modules timeout 300 node "$here/test/book.js" "$work/book.html" >"$work/seen" 2>&1
    status=$?
    [ $status -eq 0 ] || grep -q '^FAILED' "$work/seen" || echo "FAILED  chromium: exit status $status" >>"$work/seen"
    cat "$work/seen"
    passed=$((passed + $(grep -c '^ok' "$work/seen"))) failed=$((failed + $(grep -c '^FAILED' "$work/seen")))
else
    echo "skipped the book in a browser: it takes chromium, nodejs and npm's playwright-core and axe-core (README.md)"
    if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
fi

cd "$here/.." || exit 1
for readme in [0-9][0-9]-*/README.md [0-9][0-9]-*/*/README.md; do
    [ -f "${readme%README.md}run.sh" ] || continue
    LC_ALL=C awk -v SECTION=Experiments -f common/tools/book_text.awk "$readme" >"$work/text"
    for element in ol li p details table pre; do
        opened=$(grep -oE "<${element}[ >]" "$work/text" | wc -l) closed=$(grep -o "</$element>" "$work/text" | wc -l)
        [ "$opened" -eq "$closed" ] || echo "$element: $opened opened, $closed closed"
    done >"$work/bad"
    ok "the experiments of ${readme%/README.md} are whole, with their answers" \
        test ! -s "$work/bad" -a "$(grep -c '<summary>' "$work/text")" -ge 5
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
