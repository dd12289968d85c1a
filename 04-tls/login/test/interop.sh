# interop.sh: programs that no one here wrote: curl with its cookie jar, PyJWT, npm's jose and
# jsonwebtoken, a real browser. Each library checks tokens of ours and makes tokens for us.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ca=../keys/ca.pem

# need_module FOLDER NAME INSTALL: node has it, there.
need_module() {
    [ -d "$1/node_modules/$2" ] && return 0
    echo "skipped node's $2 is not there: (cd $1 && npm install --no-save $3)"
    if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    return 1
}

# count OUTPUT: counts the lines "ok ..." and "FAILED ..." of a program, and shows them.
count() {
    cat "$1"
    passed=$((passed + $(grep -c '^ok' "$1"))) failed=$((failed + $(grep -c '^FAILED' "$1")))
    grep -q '^ok' "$1" || { echo "FAILED  $doing says nothing" && failed=$((failed + 1)); }
}

for alg in ES256 HS256; do
    start_server ./server --auth jwt --alg $alg --scrypt-n 2 --token-keys "$folder/$alg.json"
    eval "port_$alg=\$port"
done

if need curl curl; then
    start_server ./server --scrypt-n 2
    # By name: curl takes localhost for as good as https.
    get() { curl -sS --max-time 20 --cacert $ca --connect-to ::127.0.0.1: "$@"; }
    here=https://workbench.test:$port jar=$folder/jar
    expect "curl is unknown" "401" "get -o /dev/null -w '%{http_code}' $here/me"
    expect "curl logs in, into its jar" '{"user":"alice","role":"user"}' \
        "get -c $jar -H 'Content-Type: application/json' -d '{\"user\":\"alice\",\"password\":\"white rabbit\"}' $here/login"
    expect "curl's jar has it: HttpOnly, Secure" "#HttpOnly_workbench.test FALSE / TRUE 0 __Host-session" \
        "grep __Host $jar | cut -f1-6 | tr '\t' ' '"
    expect "curl, with its jar" '{"user":"alice","role":"user"}' "get -b $jar $here/me"
    expect "curl, another port of the same host" "401" \
        "get -b $jar -o /dev/null -w '%{http_code}' https://workbench.test:$port_ES256/me"
    expect "curl sends no Secure cookie by http" "GET" \
        "get -b $jar -s -v http://workbench.test:$port/me 2>&1 | tr -d '\r' | sed -n 's/^> \(GET\|Cookie\).*/\1/p'"
    expect "curl is no admin" "403" "get -b $jar -o /dev/null -w '%{http_code}' $here/admin"
    cp "$jar" "$folder/stolen"
    expect "curl logs out" "204" "get -b $jar -c $jar -X POST -o /dev/null -w '%{http_code}' $here/logout"
    expect "curl's jar is empty" "0" "grep -c __Host $jar"
    expect "a copy of the jar is worth nothing" "401" "get -b $folder/stolen -o /dev/null -w '%{http_code}' $here/me"

    # token ALG: one of our tokens.
    token() {
        eval "port=\$port_$1"
        get -H 'Content-Type: application/json' -d '{"user":"alice","password":"white rabbit"}' \
            "https://workbench.test:$port/login" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'
    }
    # judge ALG TOKEN: what our server says of it, and why.
    judge() {
        eval "port=\$port_$1"
        get -o /dev/null -D - -H "Authorization: Bearer $2" "https://workbench.test:$port/me" | tr -d '\r' |
            sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p; s/.*error_description="\(.*\)".*/\1/p' | xargs
    }
    # library NAME COMMAND: what it makes of ours, and we of what it makes.
    library() {
        for alg in ES256 HS256; do
            printf 'ours\t%s\n' "$(token $alg)" >"$folder/ours"
            expect "$1 takes our token of $alg" "ours	taken" "$2 check $alg $folder/$alg.json <$folder/ours"
            $2 make $alg "$folder/$alg.json" >"$folder/theirs"
            expect "we take $1's token of $alg" "200" "judge $alg $(sed -n 1p "$folder/theirs")"
            expect "not $1's expired one of $alg" "401 it has expired" "judge $alg $(sed -n 2p "$folder/theirs")"
            expect "nor $1's for others, of $alg" "401 it is for another audience" "judge $alg $(sed -n 3p "$folder/theirs")"
        done
        expect "$1 checks with the public key alone" "ours	taken" \
            "token ES256 | sed 's/^/ours\t/' >$folder/ours; $2 check ES256 $folder/public.json <$folder/ours"
        $2 check ES256 "$folder/public.json" <"$folder/forged" >"$folder/$1"
        expect "$1 refuses what nobody has signed" "refused refused refused refused refused" \
            "grep -E '^(alg|a key|kid|a signature)' $folder/$1 | cut -f2 | xargs"
        columns="$columns $1"
    }
    get "https://workbench.test:$port_ES256/.well-known/jwks.json" >"$folder/public.json"
    build/forge_tool "$folder/ES256.json" "$folder/his.json" "$folder/public.json" >"$folder/forged"
    columns="" python=python3
    python3 -c 'import jwt' 2>/dev/null || python=/usr/bin/python3
    if $python -c 'import jwt, cryptography' 2>/dev/null; then
        library PyJWT "$python test/peer.py"
    else
        need pyjwt python3-jwt # no program, so it says what to do (and python3-cryptography)
    fi
    if need node nodejs && need_module . jose "jose@5 jsonwebtoken@9"; then
        library jose "node test/peer.js jose"
        library jsonwebtoken "node test/peer.js jsonwebtoken"
    fi
    # What each of them refuses, beside ours (scene attacks): a table, no test.
    { printf '%-34s' "a token for bob, the admin"; for one in $columns; do printf '%-14s' "$one"; done; echo; } | sed 's/^/        /'
    cut -f1 "$folder/forged" | while read -r name; do
        printf '        %-34s' "$name"
        for one in $columns; do
            printf '%-14s' "$(grep -F "$name	" "$folder/$one" | cut -f2)"
        done
        echo
    done
fi

if need node nodejs && need_module ../../05-polling-sse playwright-core "ws@8 eventsource@2 playwright-core@1.57 mqtt@5" &&
    need chromium chromium; then
    start_server ./server --scrypt-n 2
    near=$port
    start_server ./server --scrypt-n 2
    doing="chromium" # a browser that hangs is ended
    CHROMIUM=$(command -v chromium) timeout 120 node test/browser.js "$port" "$near" >"$folder/browser" 2>&1
    count "$folder/browser"
fi
said=$folder/said
start_server ./server --quiet --scrypt-n 2
./client --port "$port" --jar "$folder/words" >"$folder/visit"
echo "green caterpillar" | ./client --port "$port" --jar "$folder/words" login bob >/dev/null
stop_server
expect "the server says what it has done" "stopped: connections 2, requests 6, sessions 1, lookups 2, scrypts 2" "tail -n 1 $said"
expect "the client shows each request with its own status" "GET /me 401 POST /login as alice 200 GET /me 200 POST /logout 204 GET /me 401" \
    "sed -n '/^[A-Z]/p; s/^    \\([0-9]*\\) .*/\\1/p' $folder/visit | xargs"
finish
