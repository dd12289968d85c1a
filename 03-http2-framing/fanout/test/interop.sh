# interop.sh: programs that no one here wrote, in front of our proxy and behind it: Python's grpcio (the
# C++ core) and node's @grpc/grpc-js as clients and as backends, curl, nghttp and h2load as clients,
# nghttpd and nginx as backends.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/files"
head -c 300000 /dev/urandom >"$folder/files/file"

# Starts our proxy in front of the backend on port $1, with further options; sets $front.
start_front() {
    behind=$1
    shift
    start_server ./proxy --quiet --backend "127.0.0.1:$behind" "$@"
    front=$port
}

# What our gRPC client gets from the server on port $1, new to-dos and all. The server is a new one.
ask_to_dos() {
    for words in "create tidy" "stream" "many a b" "exchange c d" "create ''" "--timeout 100 work 300 10"; do
        eval "timeout 10 ../grpc/client --port $1 $words" 2>&1
    done | sed '/DEADLINE_EXCEEDED/{N;s/:\n.*//;}'
}

# grpc_peer NAME PROGRAM FILE: a library of gRPC through the proxy gets what it gets without it; and so
# does our client from a server of that library.
grpc_peer() {
    start_server ../grpc/server --quiet --interop
    direct=$(timeout 60 "$2" "$3" client "$port")
    start_server ../grpc/server --quiet --interop
    start_front "$port"
    expect "$1 through the proxy: all that it gets without it" "$direct" "timeout 60 $2 $3 client $front"
    expect "$1: there were answers" "yes" "echo \"\$direct\" | grep -q 'server_streaming true' && echo yes"
    if start_theirs "$2" "$3" server; then
        direct=$(ask_to_dos "$theirs")
    fi
    if start_theirs "$2" "$3" server; then
        start_front "$theirs"
        expect "$1 behind the proxy: the same" "$direct" "ask_to_dos $front"
    fi
}

python=python3
"$python" -c "import grpc" 2>/dev/null || python=/usr/bin/python3 # Debian's
if need python3 python3; then
    if "$python" -c "import grpc" 2>/dev/null; then
        grpc_peer grpcio "$python" ../grpc/test/peer.py
    else
        need grpcio python3-grpcio # no program, so it says what to do
    fi
fi

if need node nodejs; then
    if [ -d ../grpc/node_modules/@grpc/grpc-js ]; then
        printf '#!/bin/sh\ncd ../grpc && exec node "$@"\n' >"$folder/node" # it looks for its library there
        chmod +x "$folder/node"
        grpc_peer grpc-js "$folder/node" test/peer.js
    else
        echo "skipped @grpc/grpc-js is not there: (cd ../grpc && npm install --no-save @grpc/grpc-js@1)"
        if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    fi
fi

start_server ../server --quiet
ours=$port
for mode in "" --http1; do
    # shellcheck disable=SC2086 # an option or nothing
    start_front "$ours" $mode
    if need curl curl; then
        expect "curl gets and sends content $mode" "200 300000 200 hello" \
            "curl -s --http2-prior-knowledge -o /dev/null -w '%{http_code} %{size_download} ' 'http://127.0.0.1:$front/img/1?size=300000'
            curl -s --http2-prior-knowledge -w '%{http_code} ' -o $folder/echo -d hello http://127.0.0.1:$front/echo; cat $folder/echo"
        expect "curl and HEAD $mode" "200 10000" \
            "curl -sI --http2-prior-knowledge http://127.0.0.1:$front/img/1 | tr -d '\r' | sed -n 's/^HTTP.2 \(.*\) /\1/p; s/^content-length: //p' | tr '\n' ' ' | sed 's/ \$//'"
    fi
    if need nghttp nghttp2-client; then
        expect "nghttp asks for three at once $mode" "3" \
            "nghttp -n -s http://127.0.0.1:$front/ http://127.0.0.1:$front/img/2 http://127.0.0.1:$front/img/3 | grep -c ' 200 '"
    fi
    if need h2load nghttp2-client; then
        expect "h2load: 2,000 requests, 200 at once $mode" "2000 succeeded" \
            "h2load -n 2000 -c 10 -m 20 http://127.0.0.1:$front/img/2?size=2000 | grep -o '2000 succeeded'"
    fi
done

if need nghttpd nghttp2-server; then
    choose_port
    nghttpd --no-tls -d "$folder/files" "$free_port" >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port tcp "$free_port"; then
        start_front "$free_port"
        expect "nghttpd behind the proxy: a file" "same" \
            "curl -s --http2-prior-knowledge http://127.0.0.1:$front/file | cmp - $folder/files/file && echo same"
        expect "nghttpd behind the proxy: 404" "404" \
            "curl -s --http2-prior-knowledge -o /dev/null -w '%{http_code}' http://127.0.0.1:$front/no"
    fi
fi

if need nginx nginx-light; then
    choose_port
    if start_nginx "$free_port" "server { listen 127.0.0.1:$free_port; root $folder/files; location /gone { return 204; } }"; then
        start_front "$free_port" --http1
        expect "nginx behind the pool: a file, a part of it, 204" "same 206 204" \
            "curl -s --http2-prior-knowledge http://127.0.0.1:$front/file | cmp - $folder/files/file && echo same \
                \$(curl -s --http2-prior-knowledge -r 5-9 -o /dev/null -w '%{http_code}' http://127.0.0.1:$front/file) \
                \$(curl -s --http2-prior-knowledge -o /dev/null -w '%{http_code}' http://127.0.0.1:$front/gone)"
        expect "nginx behind the pool: 2,000 requests" "2000 succeeded" \
            "h2load -n 2000 -c 10 -m 20 http://127.0.0.1:$front/gone | grep -o '2000 succeeded'"
    fi
fi
# last_words: the lines about its work, of the server that was stopped last, in which the backend's port is #.
last_words() { sed -n "/^stopped/,\$ { s/:$ours/:#/; s/   */ /g; p; }" "$said"; }
said=$folder/said
start_server ./proxy --quiet --backend 127.0.0.1:1 --backend "127.0.0.1:$ours"
./client --port "$port" --requests 1 >/dev/null
./client --port "$port" --requests 20 >/dev/null
stop_server
expect "the proxy says what it has done" "stopped: clients 2, requests 21, own answers 0, second tries 0, resets 0
 127.0.0.1:1 requests 0, connections 0, requests lost 0
 127.0.0.1:# requests 21, connections 1, requests lost 0" last_words
start_server ./proxy --quiet --backend 127.0.0.1:1
./client --port "$port" --requests 2 >/dev/null 2>&1
stop_server
expect "and what it could not do" "stopped: clients 1, requests 2, own answers 2, second tries 0, resets 0" "last_words | head -n 1"
start_server ./relay --quiet --backend 127.0.0.1:1 --backend "127.0.0.1:$ours"
./client --port "$port" --connections 3 >"$folder/client"
stop_server
expect "the relay says what it has done" "stopped: clients 3
 127.0.0.1:1 connections 0
 127.0.0.1:# connections 3" last_words
expect "the client counts requests, connections and errors" "100 requests in # ms, connections: 3, errors: 0; answered by:
127.0.0.1:$port 100" "sed -E 's/in [0-9]+ ms/in # ms/; s/^ +//; s/ +[█▏▎▍▌▋▊▉]+//' $folder/client"
finish
