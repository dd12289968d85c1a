# interop.sh: foreign clients against our server: curl, nghttp and h2load (nghttp2), and python's
# h2, each with an HTTP/2 of its own. Our client against foreign servers is at the end.
. ../common/test/peers.sh

folder=$(mktemp -d)
head -c 1048576 /dev/urandom >"$folder/body" # as long as /echo takes
start_server ./server --quiet
ours=${pids##* }
url=http://127.0.0.1:$port

if need curl curl; then
    h2="curl -sS --http2-prior-knowledge"
    expect "curl, GET" "hello, world
2 200 text/plain" "$h2 -w '%{http_version} %{http_code} %{content_type}' $url/"
    expect "curl, HEAD" "HTTP/2 200
content-type: text/plain
content-length: 13" "$h2 -I $url/ | tr -d '\r' | sed 's/ *$//; /^date: .* GMT$/d; /^$/d'"
    expect "curl, POST and trailing text" "abc" "$h2 -d abc $url/echo"
    expect "curl, 1 MB there and back" "same" \
        "$h2 --data-binary @$folder/body $url/echo | cmp - $folder/body && echo same"
    expect "curl, of unknown length" "same" \
        "$h2 -T - $url/echo <$folder/body | cmp - $folder/body && echo same"
    expect "curl, 100-continue" "100 200" "$h2 -v -H 'Expect: 100-continue' -d abc $url/echo 2>&1 |
        sed -n 's/^< HTTP.2 \([0-9]*\).*/\1/p' | xargs"
    expect "curl, one byte too many" "413" \
        "{ cat $folder/body; echo; } | $h2 -o $folder/out -w '%{http_code}' -T - $url/echo"
    expect "curl, the same with its length" "413" \
        "{ cat $folder/body; printf x; } >$folder/more; $h2 -o $folder/out -w '%{http_code}' -T $folder/more $url/echo"
    expect "curl, a page that is not there" "404" "$h2 -o $folder/out -w '%{http_code}' $url/x"
    expect "curl, a method that is not allowed" "405" "$h2 -o $folder/out -w '%{http_code}' -X DELETE $url/"
    expect "curl, header fields of 12 KB" "200" \
        "$h2 -o $folder/out -w '%{http_code}' -H 'x: $(printf %12000s '' | tr ' ' x)' $url/"
    expect "curl, header fields of 20 KB" "431" \
        "$h2 -o $folder/out -w '%{http_code}' -H 'x: $(printf %10000s '' | tr ' ' x)' -H 'y: $(printf %10000s '' | tr ' ' y)' $url/"
    expect "curl, the pieces of a stream" "5" "$h2 '$url/stream?n=5&ms=20' | wc -l"
    expect "curl, 103 before a page, and what the page needs" "103 </img/1>; rel=preload; as=image 200" \
        "$h2 -v '$url/page?ms=50' 2>&1 | tr -d '\r' | awk '/^< HTTP/ { printf \"%s \", \$3 } /^< link/ && !n++ { sub(/.*link: /, \"\"); printf \"%s \", \$0 }' | xargs"
    expect "curl, events without an end" "data: event 1,data: event 2," \
        "timeout 20 $h2 -N '$url/events?ms=20' 2>/dev/null | head -n 3 | sed '/^\$/d; s/  */ /g' | tr '\n' ,"
    expect "curl, an upgrade is not offered" "1.1 200" \
        "curl -sS --http2 -o $folder/out -w '%{http_version} %{http_code}' $url/"
    expect "curl, HTTP/1.1 on the same port" "hello, world" "curl -sS --http1.1 $url/"
    expect "curl, HTTP/1.1, POST" "abc" "curl -sS --http1.1 -d abc $url/echo"
    expect "curl, HTTP/1.1, more than 64 KB" "413" "curl -sS --http1.1 -o $folder/out -w '%{http_code}' -T $folder/body $url/echo"
fi

# What nghttp saw, in the words of frame_describe().
frames_of_nghttp() {
    nghttp -nv "$@" | sed 's/\x1b\[[0-9;]*m//g' | awk '
        /recv .* frame </ {
            if (line) print line
            split($0, part, /[<>=, ]+/)
            for (i in part) { if (part[i] == "length") length_ = part[i + 1]; if (part[i] == "stream_id") id = part[i + 1] }
            line = ""; type = $4; flags = ""
            settled = 0
            line = type (id > 0 ? " stream" : "")
            bytes = (type == "SETTINGS" || type == "GOAWAY") ? "" : " " length_ " bytes"
            line = line bytes
            next
        }
        /^ +; / { if (line && !settled) { gsub(/^ +; /, ""); if ($0 ~ /END|ACK/) { gsub(/ \|/, ""); line = line " " $0 } settled = 1 } }
        END { print line }'
}
if need nghttp nghttp2-client; then
    expect "nghttp, frame by frame" "SETTINGS
SETTINGS ACK
HEADERS stream 41 bytes END_HEADERS
DATA stream 16384 bytes
DATA stream 16384 bytes
DATA stream 7232 bytes END_STREAM" "frames_of_nghttp '$url/img/1?size=40000' | sed 's/ 4[0-9] bytes/ 41 bytes/'"
    expect "nghttp, a stream stops at its window" "65535" "nghttp -nv -w 16 '$url/img/1?size=1000000' |
        sed 's/\x1b\[[0-9;]*m//g' | awk '/send WINDOW_UPDATE/ { exit } /recv DATA/ { sub(/.*length=/, \"\"); n += \$1 + 0 } END { print n <= 65535 ? 65535 : n }'"
    expect "nghttp, trailers" "200" "nghttp -nv -d $folder/body --trailer 'x: y' $url/echo | grep -o 'status: [0-9]*' | cut -c9-"
    expect "nghttp, padding" "200" "nghttp -nv --padding 100 $url/ | grep -o 'status: [0-9]*' | cut -c9-"
    expect "nghttp, CONTINUATION: more than 16 KB of fields" "431" "nghttp -nv --continuation $url/ | grep -o 'status: [0-9]*' | cut -c9-"
    expect "nghttp, a small table" "200" "nghttp -nv -c 0 -c 1000 $url/ | grep -o 'status: [0-9]*' | cut -c9-"
fi

if need h2load nghttp2-client; then
    expect "h2load" "requests: 50000 total, 50000 started, 50000 done, 50000 succeeded, 0 failed, 0 errored, 0 timeout" \
        "h2load -n 50000 -c 50 -m 100 $url/ | grep ^requests"
    expect "h2load, bodies through small windows" "requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout" \
        "h2load -n 2000 -c 10 -m 10 -w 10 -W 10 -d Makefile $url/echo | grep ^requests"
    head -c 100000 "$folder/body" >"$folder/100k"
    expect "h2load, bodies of 100 KB, 50 at once" "requests: 1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout" \
        "h2load -n 1000 -c 4 -m 50 -d $folder/100k $url/echo | grep ^requests"
    expect "h2load: 2 MB through a window of 1,023 bytes" \
        "requests: 1 total, 1 started, 1 done, 1 succeeded, 0 failed, 0 errored, 0 timeout" \
        "h2load -n 1 -c 1 -w 10 -W 10 '$url/img/1?size=2000000' | grep ^requests"
fi

# HAProxy sends a WINDOW_UPDATE for each frame of DATA or more, and those of a hundred streams at once.
if need haproxy haproxy; then
    choose_port
    cat >"$folder/haproxy.cfg" <<END
global
    nbthread 1
defaults
    mode http
    timeout connect 20s
    timeout client 20s
    timeout server 20s
    http-reuse always
listen proxy
    bind 127.0.0.1:$free_port proto h2
    server one 127.0.0.1:$port proto h2
END
    haproxy -db -f "$folder/haproxy.cfg" >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port tcp "$free_port" && need h2load nghttp2-client; then
        expect "HAProxy in front, 10 x 10 answers of 100 KB" \
            "requests: 1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout" \
            "h2load -n 1000 -c 10 -m 10 'http://127.0.0.1:$free_port/img/1?size=100000' | grep ^requests"
    fi
fi

if need node nodejs; then
    expect "node" "twenty bodies of 100 KB at once: 20 x 200, 100000 bytes
a PING after each request: 5000 x 200, 13 bytes" "node test/many_posts.js $port"
fi

if need python3 python3-h2; then
    # The system's python has h2; another one that stands first in the path may not.
    python=python3
    "$python" -c 'import h2' 2>/dev/null || python=/usr/bin/python3
    if "$python" -c 'import h2' 2>/dev/null; then
        expect "python3-h2, odd cases" "windows of zero and of one byte: 200, 100 bytes
a hundred streams at once: 100 answers
a request that is cancelled: the next one is answered
settings in the middle: 200, 50000 bytes
a body in 300 frames, and trailers: 200, 300 bytes
priorities: 200
unknown frames: 200
a ping: answered
the end, after SIGTERM: GOAWAY at all, PING, GOAWAY 7" "$python test/odd_cases.py $port $ours"
    else
        need h2-for-python3 python3-h2
    fi
fi

# ---- our client against foreign servers ------------------------------------------------------

# meet NAME PORT: what ./client has to get from any server that serves $folder.
meet() {
    client="./client --port $2"
    expect "$1: a page" ":status: 200
hello, world" "$client / | sed -n '1p;\$p'"
    expect "$1: a large file" "same" "$client /large | tail -c 3000000 | cmp - $folder/large && echo same"
    expect "$1: a page that is not there" ":status: 404" "$client /x | head -n 1"
    expect "$1: frame by frame" "-> SETTINGS
-> HEADERS
<- SETTINGS
<- HEADERS
<- DATA
-> GOAWAY" "$client --frames / | awk '\$2 ~ /^[SHDG]/ && !/ACK/ { print \$1, \$2 }'"
}

# many PORT TIMES: asks for / so many times, as many at once as the server allows.
# shellcheck disable=SC2046 # the paths are words
many() {
    ./client --port "$1" --frames $(yes / | head -n "$2") 2>/dev/null | awk '
        /^-> HEADERS/ { if (++open > most) most = open }
        /^<- .* END_STREAM/ { open--; answers++ }
        END { print answers " answers, at most " most " at once" }'
}

choose_port
head -c 3000000 /dev/urandom >"$folder/large"
printf 'hello, world\n' >"$folder/index.html"
if need nghttpd nghttp2-server; then
    nghttpd --no-tls -n1 -d "$folder" "$free_port" >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port tcp "$free_port"; then
        meet nghttpd "$free_port"
        expect "nghttpd: many requests" "5000 answers, at most 100 at once" "many $free_port 5000"
    fi
fi

choose_port
if need nginx nginx-light; then
    if start_nginx "$free_port" "http2_max_concurrent_streams 20; keepalive_requests 1000;
        server { listen 127.0.0.1:$free_port http2; root $folder; }"; then
        meet nginx "$free_port"
        expect "nginx: many requests, 20 at once" "900 answers, at most 20 at once" "many $free_port 900"
        expect "nginx: says GOAWAY after 1000" "1000 answers, at most 20 at once" "many $free_port 1100"
    fi
fi
rm -rf "$folder"
finish
