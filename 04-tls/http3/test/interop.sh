# interop.sh: HTTP/3 with programs that no one here wrote, in both directions.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

start_server ./server --keylog "$folder/secrets"
ours=$port
seq 150000 | head -c 900000 >"$folder/blob"

# curl has HTTP/3 where its own library has it.
if need curl curl && curl --version | grep -q HTTP3; then
    get() { curl -s --http3-only --max-time 20 --cacert ../keys/ca.pem "$@"; }
    here="https://localhost:$port"
    expect "curl, GET" "hello, world" "get $here/"
    expect "curl, the version" "3 200" "get -o /dev/null -w '%{http_version} %{http_code}' $here/"
    expect "curl, an image" "3000000" "get '$here/img/1?size=3000000' | wc -c"
    expect "curl, no such page" "404" "get -o /dev/null -w '%{http_code}' $here/nope"
    expect "curl, HEAD" "content-length: 10000" "get -I $here/img/1 | tr -d '\r' | grep content-length"
    expect "curl, POST" "$(cksum <"$folder/blob")" "get --data-binary @$folder/blob $here/echo | cksum"
    expect "curl, an upload of unknown length" "$(cksum <"$folder/blob")" "get -T - $here/echo <$folder/blob | cksum"
    expect "curl, more than 1 MB" "413" "seq 300000 | get -o /dev/null -w '%{http_code}' --data-binary @- $here/echo"
    expect "curl, ten at once on one connection" "1 0 0 0 0 0 0 0 0 0" \
        "get -Z --parallel-max 10 -o /dev/null -w '%{num_connects}\n' '$here/img/[1-10]?size=50000' | sort -rn | tr '\n' ' ' | sed 's/ \$//'"
    expect "curl, a CA that it does not know" "refused" "curl -s --http3-only --max-time 20 $here/ || echo refused"
    expect "curl, the key log" "CLIENT_HANDSHAKE_TRAFFIC_SECRET
CLIENT_TRAFFIC_SECRET_0
SERVER_HANDSHAKE_TRAFFIC_SECRET
SERVER_TRAFFIC_SECRET_0" "cut -d ' ' -f 1 $folder/secrets | grep TRAFFIC | sort -u"
else
    missing "this curl has no HTTP/3"
fi

if need python3 python3-aioquic && python3 -c 'import aioquic' 2>/dev/null; then
    peer() { timeout 60 python3 test/aioquic_peer.py "$@"; }
    expect "aioquic, three at once" "/ 200 13
/img/1?size=300000 200 300000
/nope 404 22" "peer get $ours ../keys/ca.pem / '/img/1?size=300000' /nope"
    expect "aioquic, an echo" "200 True" "peer echo $ours ../keys/ca.pem 300000"
    if start_theirs python3 test/aioquic_peer.py serve ../keys/server-ecdsa.pem ../keys/server-ecdsa-key.pem; then
        expect "our client, aioquic's server" "35000" "./client --port $theirs /answer 2>$folder/log | wc -c"
        expect "our client, its fields" "x-path: /abc" "./client --port $theirs --include /abc 2>$folder/log | grep -a x-path"
        expect "our client, several" "3" "./client --port $theirs /a /bc /def 2>$folder/log | grep -c ' 200 '"
    fi
else
    need python3-aioquic python3-aioquic # no program, so it says what to do
fi

if need gtlsclient ngtcp2-client; then
    # ask OPTIONS URL...: what ngtcp2 says; the answers are in $folder/got.
    ask() {
        rm -rf "$folder/got" && mkdir "$folder/got"
        timeout 60 gtlsclient --exit-on-all-streams-close --download="$folder/got" "$@" 2>&1
    }
    there="127.0.0.1 $ours https://localhost:$ours"
    expect "ngtcp2, two at once, after a Retry" "1 300000 13" \
        "echo \$(ask $there/img/1?size=300000 https://localhost:$ours/ | grep -c type=Retry
            cat $folder/got/1* | wc -c; wc -c <$folder/got/index.html)"
    expect "ngtcp2, every tenth packet is lost" "$(./client --port "$ours" '/img/2?size=300000' 2>/dev/null | cksum)" \
        "ask --quiet --rx-loss=0.1 $there/img/2?size=300000; cat $folder/got/2* | cksum"
    expect "ngtcp2, new keys in the middle" "1 18" \
        "echo \$(ask --key-update=50ms $there/slow?ms=300 | grep -c '^Initiate key update'; cat $folder/got/slow* | wc -c)"
    expect "ngtcp2, a version that we do not speak" "1" "ask -v 0x1a2a3a4a $there/ | grep -c ERR_RECV_VERSION_NEGOTIATION"
fi

if need gtlsserver ngtcp2-server; then
    choose_port
    mkdir "$folder/pages" && cp "$folder/blob" "$folder/pages/"
    gtlsserver --quiet -d "$folder/pages" 127.0.0.1 "$free_port" ../keys/server-ecdsa-key.pem ../keys/server-ecdsa.pem \
        >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port udp "$free_port"; then
        expect "our client, ngtcp2's server" "$(cksum <"$folder/blob")" "./client --port $free_port /blob 2>/dev/null | cksum"
        expect "our client, ngtcp2's server, no such page" "404" \
            "./client --port $free_port --include /nope 2>/dev/null | sed -n 's/^:status: //p'"
        expect "our client, ngtcp2's server, twenty" "20" \
            "./client --port $free_port \$(yes /blob | head -n 20) 2>/dev/null | grep -c ' 900000 '"
    fi
fi

if need nginx nginx-light && nginx -V 2>&1 | grep -q http_v3_module; then
    choose_port && nginx_port=$free_port
    mkdir "$folder/www" && cp "$folder/blob" "$folder/www/"
    start_nginx_quic() {
        start_nginx "$nginx_port" "server { listen 127.0.0.1:$nginx_port quic; listen 127.0.0.1:$nginx_port ssl;
            ssl_certificate $PWD/../keys/server-ecdsa.pem; ssl_certificate_key $PWD/../keys/server-ecdsa-key.pem;
            root $folder/www; }"
    }
    if start_nginx_quic; then
        expect "our client, nginx" "$(cksum <"$folder/blob")" "./client --port $nginx_port /blob 2>$folder/log | cksum"
        expect "our client, nginx, no such page" "404" \
            "./client --port $nginx_port --include /nope 2>$folder/log | sed -n 's/^:status: //p'"
        # Each is smaller than a stream's window. Of 40 larger ones at once, nginx 1.26 leaves some at the
        # end of a window, and resets them after its send_timeout; from our own server all of them come.
        head -c 100000 "$folder/blob" >"$folder/www/part"
        expect "our client, nginx, many" "40" \
            "./client --port $nginx_port \$(yes /part | head -n 40) 2>$folder/log | grep -c ' 100000 '"
    fi
else
    missing "this nginx has no HTTP/3"
fi

if need chromium chromium && need openssl openssl; then
    pin=$(openssl x509 -in ../keys/server-ecdsa.pem -noout -pubkey | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | base64)
    browse() {
        timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
            --origin-to-force-quic-on="localhost:$ours" --ignore-certificate-errors-spki-list="$pin" \
            --host-resolver-rules="MAP localhost 127.0.0.1" --dump-dom "https://localhost:$ours$1" 2>"$folder/chromium"
    }
    expect "Chromium" "hello, world" "browse / | sed -n 's/.*<pre[^>]*>\(.*\)/\1/p'"
fi

# shellcheck disable=SC2016 # the inner shell expands them
# A capture, read by tshark with the key log: what we send is HTTP/3 to a third party as well.
if need tshark tshark && ../../common/wire/wire --rtt 1 --pcap "$folder/trace" -- ./server --quiet --keylog "$folder/keys" \
    -- sh -c './client --host $HOST --port $PORT --servername workbench.test / /img/1' >/dev/null 2>&1; then
    decode() {
        tshark -r "$folder/trace" -o "tls.keylog_file:$folder/keys" -d "udp.port==8304,quic" -Y http3 \
            -T fields "$@" 2>/dev/null
    }
    expect "tshark, the requests" "GET" "decode -e http3.headers.method | tr ',' '\n' | sort -u | grep -v '^\$'"
    expect "tshark, the frames" "0 1 4" \
        "echo \$(decode -e http3.frame_type | tr ',' '\n' | sed 's/^0x0*\(.\)/\1/' | sort -u | grep -x '[014]')" # GOAWAY may come, too
else
    missing "a capture: there is no wire, or no tshark"
fi

# The server's network goes away while an answer is on its way. (OpenSSL would give up the listener.)
if need ip iproute2 && [ -z "$WIRE_REFUSED" ]; then
    cat >"$folder/server" <<'SH'
./server --quiet & server=$!
trap 'kill $server; wait' TERM
read -r line <"$FOLDER/down" && ip link set wire down
read -r line <"$FOLDER/up" && ip link set wire up && ip route replace default dev wire
echo up >"$FOLDER/ready"
wait
SH
    cat >"$folder/client" <<'SH'
get() { ./client --host "$HOST" --port "$PORT" --servername workbench.test "$1" 2>/dev/null; }
get '/slow?ms=400' & slow=$!
sleep 0.2
echo down >"$FOLDER/down"
sleep 0.6
echo up >"$FOLDER/up"
read -r line <"$FOLDER/ready"
get / && wait $slow
SH
    mkfifo "$folder/down" "$folder/up" "$folder/ready"
    expect "a network that is away for a moment" "hello, world
that took a while" "FOLDER=$folder timeout 60 ../../common/wire/wire --rtt 5 -- sh $folder/server -- sh $folder/client 2>$folder/log |
        grep -v 'listening\|stopped' | sort"
fi

said=$folder/said
start_server ./server --quiet
./client --port "$port" >"$folder/table" 2>/dev/null
./client --port "$port" / >/dev/null 2>&1
stop_server
expect "the server says what it has done" "stopped: connections 2, refused 0, requests 5" "tail -n 1 $said"
expect "the client's table: bytes, and the first of them before the last" "200 200000 before
200 18 
200 20000 
200 13 " "awk 'NR > 1 { print \$3, \$4, \$4 == 200000 ? (\$5 < \$6 ? \"before\" : \$0) : \"\" }' $folder/table"
finish
