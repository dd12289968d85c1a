# interop.sh: programs that no one here wrote, with our server and with our client: Python's grpcio (the
# C++ core) and node's @grpc/grpc-js both ways, curl, nghttp, nginx in front of ours, and a browser.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
start_server ./server --quiet --interop
ours=$port

# What our client gets from the to-do service of another program on port $1.
ask_theirs() {
    for words in "" "create tidy" "stream" "many a b" "exchange c d" "create ''" "--timeout 100 work 300 10"; do
        eval "timeout 10 ./client --port $1 $words" 2>&1
    done | sed 's/^client: //; /DEADLINE_EXCEEDED/{N;s/:\n.*//;}'
}
theirs_says="1  Do laundry
1  Do laundry
2  tidy
1  Do laundry
2  tidy
3  a
4  b
5  c
6  d
/toDo.ToDo/createToDo ended with INVALID_ARGUMENT:
  no text ☺ 100%
/toDo.ToDo/work ended with DEADLINE_EXCEEDED"

# What a library of gRPC gets from our server, in the order of test/peer.py and test/peer.js.
ours_says="unary Do laundry
server streams 1
client streams 2
both stream c d
details INVALID_ARGUMENT true
deadline DEADLINE_EXCEEDED
cancel CANCELLED
no work is left
unknown UNIMPLEMENTED UNIMPLEMENTED
10 MB RESOURCE_EXHAUSTED
compressed UNIMPLEMENTED
health 0801
empty_unary true
large_unary 314159
client_streaming true
server_streaming true
ping_pong true
empty_stream 0
cancel_after_begin CANCELLED
cancel_after_first_response CANCELLED
timeout_on_sleeping_server DEADLINE_EXCEEDED
custom_metadata test_initial_metadata_value ababab
custom_metadata test_initial_metadata_value ababab
status_code_and_message 2 test status message
status_code_and_message 2 test status message
special_status_message true
unimplemented_method UNIMPLEMENTED
unimplemented_service UNIMPLEMENTED"

python=python3
"$python" -c "import grpc" 2>/dev/null || python=/usr/bin/python3 # Debian's
if need python3 python3; then
    if "$python" -c "import grpc" 2>/dev/null; then
        start_server ./server --quiet --interop
        expect "grpcio: all kinds of calls, errors, and the interop cases" "$ours_says" \
            "timeout 60 $python test/peer.py client $port"
        if start_theirs "$python" test/peer.py server; then
            expect "our client with a server of grpcio" "$theirs_says" "ask_theirs $theirs"
        fi
    else
        need grpcio python3-grpcio # no program, so it says what to do
    fi
fi

if need node nodejs; then
    if [ -d node_modules/@grpc/grpc-js ]; then
        start_server ./server --quiet --interop
        expect "grpc-js: all kinds of calls, errors, and the interop cases" "$ours_says" \
            "timeout 60 node test/peer.js client $port"
        if start_theirs node test/peer.js server; then
            expect "our client with a server of grpc-js" "$theirs_says" "ask_theirs $theirs"
        fi
    else
        echo "skipped @grpc/grpc-js is not there: (cd $PWD && npm install --no-save @grpc/grpc-js@1)"
        if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    fi
fi

printf '\0\0\0\0\014\022\012Do laundry' >"$folder/message"
if need curl curl; then
    # Claim 3.24, guide §4.4, NOT HERE: curl can test REST; gRPC needs specialized tools.
    expect "curl calls createToDo, and shows the trailers" "HTTP/2 200 grpc-status: 0 19 bytes" \
        "curl -s --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @$folder/message \
            http://127.0.0.1:$ours/toDo.ToDo/createToDo -D $folder/head -o $folder/answer
        tr -d '\r' <$folder/head | sed -n 's/ *\$//; /^HTTP/p; /^grpc-status/p' | tr '\n' ' '; echo \"\$(wc -c <$folder/answer) bytes\""
    expect "curl without the content type is refused" "415" \
        "curl -s --http2-prior-knowledge --data-binary @$folder/message -o /dev/null -w '%{http_code}' http://127.0.0.1:$ours/toDo.ToDo/createToDo"
    expect "curl with GET is refused" "405" \
        "curl -s --http2-prior-knowledge -o /dev/null -w '%{http_code}' http://127.0.0.1:$ours/toDo.ToDo/createToDo"
    expect "curl in HTTP/1.1 is refused" "yes" \
        "curl -s --max-time 5 http://127.0.0.1:$ours/ >/dev/null || echo yes"
    said=$folder/rest
    start_server ./rest
    expect "curl and the list as JSON" '{"id":1,"text":"Do ä \"laundry\""} [{"id":1,"text":"Do ä \"laundry\""}]' \
        "curl -s -d '{\"text\":\"Do \\u00e4 \\\"laundry\\\"\"}' http://127.0.0.1:$port/todos; echo \" \$(curl -s http://127.0.0.1:$port/todos)\""
    curl -s "http://127.0.0.1:$port/todos" "http://127.0.0.1:$port/todos" >/dev/null
    stop_server
    expect "./rest says what it has done" "stopped: connections 3, requests 4" "tail -n 1 $said"
    said=/dev/null
fi

if need nghttp nghttp2-client; then
    expect "nghttp sees HEADERS, DATA, and trailers that end the stream" "HEADERS DATA HEADERS grpc-status: 0" \
        "nghttp -nv -H ':method: POST' -H 'content-type: application/grpc' -H 'te: trailers' -d $folder/message http://127.0.0.1:$ours/toDo.ToDo/createToDo >$folder/nghttp
        sed -n 's/.*recv \(HEADERS\|DATA\) frame.*stream_id=[1-9].*/\1/p' $folder/nghttp | tr '\n' ' '; grep -o 'grpc-status: 0' $folder/nghttp"
fi

if need nginx nginx-light; then
    choose_port && front=$free_port
    if start_nginx "$front" "server { listen 127.0.0.1:$front http2; location / { grpc_pass grpc://127.0.0.1:$ours; } }"; then
        expect "our client through nginx's grpc_pass to our server" "yes c d INVALID_ARGUMENT DEADLINE_EXCEEDED" \
            "{ timeout 10 ./client --port $front >/dev/null && echo yes; timeout 10 ./client --port $front exchange c d | sed 's/.* //'
            timeout 10 ./client --port $front create '' 2>&1 | grep -o INVALID_ARGUMENT
            timeout 10 ./client --port $front --timeout 100 work 300 10 2>&1 | grep -o DEADLINE_EXCEEDED; } | tr '\n' ' ' | sed 's/ \$//'"
        kill "$(cat "$folder/pid")"
    fi
    # nginx whose server behind is not there: an HTTP status, and no grpc-status.
    front=$((front + 1))
    if start_nginx $front "server { listen 127.0.0.1:$front http2; location / { grpc_pass grpc://127.0.0.1:1; }
        location /toDo.ToDo/readToDos { return 403; } }"; then
        expect "502 and 403 become a status" "UNAVAILABLE PERMISSION_DENIED" \
            "{ timeout 10 ./client --port $front create x 2>&1 | grep -o UNAVAILABLE; timeout 10 ./client --port $front list 2>&1 | grep -o PERMISSION_DENIED; } | tr '\n' ' ' | sed 's/ \$//'"
    fi
fi

# Claim 3.19, guide §4.4, HOLDS: browsers cannot speak gRPC.
# A browser's fetch() gets the answer, over TLS and HTTP/2, but not its trailers.
if need chromium chromium && need openssl openssl && need nginx nginx-light; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$folder/key" -out "$folder/cert" \
        -days 2 -subj /CN=localhost 2>/dev/null
    cat >"$folder/page.html" <<'HTML'
<!doctype html><title>gRPC</title><pre id=out>nothing</pre><script>
fetch('/toDo.ToDo/createToDo', { method: 'POST', headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: new Uint8Array([0, 0, 0, 0, 4, 18, 2, 104, 105]) })
.then(answer => answer.arrayBuffer().then(bytes => {
    out.textContent = `${answer.status}, ${bytes.byteLength > 8 ? 'a message' : 'nothing'}, grpc-status ${answer.headers.get('grpc-status')}, trailers ${answer.trailers}`;
}), error => { out.textContent = error; });
</script>
HTML
    choose_port && front=$free_port
    if start_nginx "$front" "server { listen 127.0.0.1:$front ssl http2; ssl_certificate $folder/cert; ssl_certificate_key $folder/key;
        root $folder; location /toDo.ToDo/ { grpc_pass grpc://127.0.0.1:$ours; } location /page.html { default_type text/html; } }"; then
        expect "a browser's fetch gets the message, and no status" "200, a message, grpc-status null, trailers undefined" \
            "HOME=$folder timeout 100 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=$folder/profile \
                --ignore-certificate-errors --virtual-time-budget=20000 --dump-dom https://127.0.0.1:$front/page.html 2>/dev/null |
                sed -n 's/.*<pre id=\"out\">\(.*\)<\/pre>.*/\1/p'"
    fi
fi
said=$folder/said
start_server ./server
./client --port "$port" >/dev/null
./client --port "$port" create '' 2>/dev/null
./client --port "$port" many a b c >/dev/null
stop_server
expect "the server says what was called, and what it has done" "/toDo.ToDo/createToDo: OK, 1 in, 1 out
/toDo.ToDo/readToDos: OK, 1 in, 1 out
/toDo.ToDo/createToDo: INVALID_ARGUMENT, 1 in, 0 out: the field text is wrong: it takes 1 to 1000 bytes
/toDo.ToDo/createToDos: OK, 3 in, 1 out
stopped: connections 3, calls 4" "sed -n '2,\$ s/^ *[0-9.]* ms  //p; \$p' $said"
finish
