# interop.sh: the balancer between clients and servers that no one here wrote; and nginx and HAProxy in
# its place.
# shellcheck disable=SC2016 # $VARIABLES in single quotes are for the programs on the wire
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seq 40000 >"$folder/blob"
answer() { curl -s --max-time 20 "$@"; }

if need python3 python3 && need curl curl; then
    cat >"$folder/upstream.py" <<'PYTHON'
import http.server, os, sys
os.chdir(sys.argv[1])
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        if self.headers['Transfer-Encoding'] == 'chunked':
            text = b''
            while (n := int(self.rfile.readline().split(b';')[0], 16)) > 0:
                text += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        else:
            text = self.rfile.read(int(self.headers['Content-Length']))
        text = (self.headers['X-Forwarded-For'] + '\n').encode() + text
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
    start_theirs python3 "$folder/upstream.py" "$folder"
    python=$theirs
    for layer in 4 7; do
        start_server ./balancer --quiet --layer $layer --check-path / --backend "127.0.0.1:$python"
        expect "layer $layer: curl and a python server" "$(cksum <"$folder/blob")" "answer localhost:$port/blob | cksum"
    done
    expect "the client's address, and content" "127.0.0.1
hello" "answer -H 'X-Forwarded-For: 6.6.6.6' -d hello localhost:$port/"
    expect "content in chunks" "$( (echo 127.0.0.1; cat "$folder/blob") | cksum)" \
        "answer -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' --data-binary @$folder/blob localhost:$port/ | cksum"
    expect "HTTP/1.0, HEAD" "200 0" "answer -0 -I -o $folder/1 -w '%{http_code} %{size_download}' localhost:$port/blob"
fi

if need node nodejs; then
    cat >"$folder/node.js" <<'NODE'
const http = require('http');
const server = http.createServer((request, response) => {
    let got = '';
    request.on('data', part => got += part);
    request.on('end', () => { response.write(request.method + ' '); response.end(request.url + ' ' + got); });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
NODE
    start_theirs node "$folder/node.js"
    node=$theirs
    start_server ./balancer --quiet --check-path / --backend "127.0.0.1:$node"
    expect "a node server, its answer in chunks" "PUT /x?y abc" "answer -X PUT -d abc 'localhost:$port/x?y'"
    expect "node's keep-alive is longer than ours" "100" \
        "for i in 1 2 3 4; do ./client --port $port --count 25 | grep -o '[0-9]*\$'; done | awk '{ n += \$1 } END { print n }'"
fi

# Two readers that disagree about where a request ends let one client answer for another. Whatever the
# balancer passes on is one request for it and for the server behind it, or it is refused.
smuggle() {
    printf '%b' "$1" | timeout 5 nc -q 1 127.0.0.1 "$port" | grep -a -c '^HTTP/1.1 200'
}
if need nc netcat-openbsd && need nginx nginx-light && need node nodejs; then
    choose_port && nginx_port=$free_port
    start_nginx "$nginx_port" "server { listen 127.0.0.1:$nginx_port; location / { return 200 'nginx'; } }"
    for behind in "$nginx_port" "$node"; do
        start_server ./balancer --quiet --check-path / --backend "127.0.0.1:$behind"
        name=node
        [ "$behind" = "$node" ] || name=nginx
        hidden='GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
        expect "smuggling, $name: both lengths" 0 \
            "smuggle 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$hidden'"
        expect "smuggling, $name: two lengths" 0 \
            "smuggle 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n$hidden'"
        expect "smuggling, $name: a space before the colon" 0 \
            "smuggle 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 40\r\n\r\n$hidden'"
        expect "smuggling, $name: Connection names the length" 1 \
            "smuggle 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close, Content-Length\r\nContent-Length: 33\r\n\r\n$hidden'"
        expect "smuggling, $name: a broken size of a chunk" 0 \
            "smuggle 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n$hidden'"
    done
fi

if need wrk wrk && need ab apache2-utils; then
    start_server ./backend --quiet
    first=$port
    start_server ./backend --quiet
    second=$port
    for layer in 4 7; do
        start_server ./balancer --quiet --layer $layer --backend "127.0.0.1:$first" --backend "127.0.0.1:$second"
        expect "layer $layer: wrk" "no errors" \
            "wrk -t1 -c20 -d1 http://127.0.0.1:$port/ | grep -i 'socket errors\|non-2xx' || echo no errors"
        expect "layer $layer: ab, without and with -k" "Failed requests:        0
Failed requests:        0" "ab -q -n 500 -c 10 http://127.0.0.1:$port/ | grep Failed
            ab -q -k -n 500 -c 10 http://127.0.0.1:$port/ | grep Failed"
    done
fi

# The balancers of others, in the same places. "Layer 4" is two connections with them as well: the port
# that the backend sees is not the client's. (Packets that are rewritten: see the scene "layers".)
same_connection() { # PORT
    answer -D - -o "$folder/1" -w 'local: %{local_port}' "localhost:$1/who" | tr -d '\r' |
        awk '/^X-Client/ { sub(/.*:/, ""); seen = $0 } /^local/ { print ($2 == seen ? "one connection" : "two connections") }'
}
if need haproxy haproxy && need nginx nginx-light && need curl curl; then
    start_server ./backend --quiet --name one
    first=$port
    start_server ./backend --quiet --name two
    second=$port
    timeouts='timeout connect 5s\n timeout client 5s\n timeout server 5s\n'
    choose_port && theirs=$free_port
    printf "defaults\n mode tcp\n $timeouts\nlisten l\n bind 127.0.0.1:%d\n server a 127.0.0.1:%d\n server b 127.0.0.1:%d\n" \
        "$theirs" "$first" "$second" >"$folder/haproxy.cfg"
    haproxy -db -f "$folder/haproxy.cfg" >/dev/null 2>&1 &
    pids="$pids $!"
    await_port tcp "$theirs"
    expect "HAProxy, mode tcp: round robin, as ours" "one 10
two 10" "./client --new --count 20 --port $theirs | awk '/█/ { print \$1, \$3 }' | sort"
    expect "HAProxy, mode tcp" "two connections" "same_connection $theirs"
    start_server ./balancer --quiet --layer 4 --backend "127.0.0.1:$first" --backend "127.0.0.1:$second"
    expect "ours, layer 4" "two connections" "same_connection $port"
    expect "the backend itself" "one connection" "same_connection $first"
    module=/usr/lib/nginx/modules/ngx_stream_module.so
    if [ -e $module ]; then
        choose_port && nginx_port=$free_port
        # shellcheck disable=SC2119 # its arguments are directives
        start_nginx "$nginx_port" "" "master_process off; load_module $module;
            stream { upstream u { server 127.0.0.1:$first; server 127.0.0.1:$second; }
                server { listen 127.0.0.1:$nginx_port; proxy_pass u; } }"
        expect "nginx, stream: round robin, as ours" "one 10
two 10" "./client --new --count 20 --port $nginx_port | awk '/█/ { print \$1, \$3 }' | sort"
        expect "nginx, stream" "two connections" "same_connection $nginx_port"
    else
        need nginx-stream libnginx-mod-stream
    fi
    choose_port && haproxy_port=$free_port
    printf "defaults\n mode http\n $timeouts\nlisten l\n bind 127.0.0.1:%d accept-proxy\n http-request return status 200 content-type text/plain lf-string %%[src_port]\n" \
        "$haproxy_port" >"$folder/haproxy2.cfg"
    haproxy -db -f "$folder/haproxy2.cfg" >/dev/null 2>&1 &
    pids="$pids $!"
    await_port tcp "$haproxy_port"
    start_server ./balancer --quiet --layer 4 --proxy-protocol --check-ms 0 --backend "127.0.0.1:$haproxy_port"
    expect "HAProxy reads our line of the PROXY protocol" "same" \
        "answer -w ' %{local_port}' localhost:$port/ | awk '{ print (\$1 == \$2 ? \"same\" : \$0) }'"
fi

# Layer 4 passes TLS, which it cannot read: the client gets the backend's own certificate. The name in the
# ClientHello is plain text, and HAProxy's tcp mode can go by it; ours does not.
ask_by_tls() { # PORT NAME
    answer --cacert "$folder/$2/cert" --connect-to "::127.0.0.1:$1" "https://$2/who"
    echo " $?"
}
if need openssl openssl && need haproxy haproxy && need curl curl; then
    for name in shop.example api.example; do
        mkdir "$folder/$name" && printf %s "$name" >"$folder/$name/who"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$folder/$name/key" -out "$folder/$name/cert" \
            -days 2 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" 2>/dev/null
        choose_port
        (cd "$folder/$name" && exec openssl s_server -WWW -quiet -accept "127.0.0.1:$free_port" -cert cert -key key) >/dev/null 2>&1 &
        pids="$pids $!"
        await_port tcp "$free_port"
        if [ $name = shop.example ]; then shop=$free_port; else api=$free_port; fi
    done
    start_server ./balancer --quiet --layer 4 --check-ms 0 --backend "127.0.0.1:$shop"
    expect "TLS through layer 4: curl and openssl s_server" "shop.example 0" "ask_by_tls $port shop.example"
    start_server ./balancer --quiet --check-ms 0 --backend "127.0.0.1:$shop"
    expect "TLS to layer 7: no handshake" " 35" "ask_by_tls $port shop.example"
    choose_port
    printf "defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 127.0.0.1:%d\n tcp-request inspect-delay 5s\n tcp-request content accept if { req.ssl_hello_type 1 }\n use_backend api if { req.ssl_sni api.example }\n default_backend shop\nbackend api\n server a 127.0.0.1:%d\nbackend shop\n server b 127.0.0.1:%d\n" \
        "$free_port" "$api" "$shop" >"$folder/haproxy3.cfg"
    haproxy -db -f "$folder/haproxy3.cfg" >/dev/null 2>&1 &
    pids="$pids $!"
    await_port tcp "$free_port"
    expect "HAProxy, mode tcp: by the name in the ClientHello" "shop.example 0
api.example 0" "ask_by_tls $free_port shop.example
        ask_by_tls $free_port api.example"
fi

debian_python=python3
python3 -c 'import websockets' 2>/dev/null || debian_python=/usr/bin/python3
if need python3 python3 && $debian_python -c 'import websockets' 2>/dev/null; then
    cat >"$folder/websocket.py" <<'PYTHON'
import asyncio, sys, websockets
async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message.upper())
async def main():
    if len(sys.argv) == 1:
        async with websockets.serve(echo, '127.0.0.1', 0) as server:
            print(list(server.sockets)[0].getsockname()[1], flush=True)
            await asyncio.Future()
    async with websockets.connect(f'ws://127.0.0.1:{sys.argv[1]}/') as socket:
        await socket.send('hello')
        print(await socket.recv())
        await socket.send('x' * 200000)
        print(len(await socket.recv()))
asyncio.run(main())
PYTHON
    start_theirs $debian_python "$folder/websocket.py"
    for layer in 4 7; do
        start_server ./balancer --quiet --layer $layer --check-ms 0 --backend "127.0.0.1:$theirs"
        expect "layer $layer: WebSocket, python's websockets at both ends" "HELLO
200000" "timeout 20 $debian_python $folder/websocket.py $port"
    done
    if need chromium chromium; then
        cat >"$folder/page.html" <<END
<script>const s = new WebSocket('ws://127.0.0.1:$port/');
s.onopen = () => s.send('from chromium'); s.onmessage = m => console.log('got ' + m.data);</script>
END
        timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --remote-debugging-port=0 \
            --enable-logging=stderr "file://$folder/page.html" >"$folder/chromium" 2>&1 &
        pids="$pids $!"
        timeout 50 sh -c "until grep -q 'got FROM' $folder/chromium; do sleep 0.1; done"
        expect "Chromium's WebSocket, through layer 7" "got FROM CHROMIUM" "grep -o 'got FROM CHROMIUM' $folder/chromium"
    fi
else
    need python3-websockets python3-websockets
fi
said=$folder/backend
start_server ./backend --quiet --name one
backend=$server behind=$port said=$folder/balancer
start_server ./balancer --quiet --check-ms 0 --keep-ms 600000 --eject-after 1 --eject-ms 600000 \
    --backend "127.0.0.1:$behind" --backend 127.0.0.1:1
./client --port "$port" --count 5 >"$folder/client"
if need curl curl; then
    expect "the page of the backends" "round-robin, layer 7
backend state weight active idle requests errors connects ms KB/s
127.0.0.1:# up 1 0 1 5 0 1
127.0.0.1:1 ejected 1 0 0 1 1 0" \
        "answer http://127.0.0.1:$port/balancer | sed '3,\$s/ [0-9.]* *[0-9.]*\$//; s/:$behind/:#/; s/  */ /g; s/ \$//'"
fi
stop_server
expect "the balancer says what it has done" "stopped: clients 2
 127.0.0.1:# requests 5, errors 0, connections 1
 127.0.0.1:1 requests 1, errors 1, connections 0" "sed -n '/^stopped/,\$ { s/:$behind/:#/; s/   */ /g; p; }' $said"
expect "the client counts who has answered" "5 requests in # ms; answered by:
one 5" "sed -E 's/in [0-9]+ ms/in # ms/; s/^ +//; s/ +█+//' $folder/client"
said=$folder/checks
choose_port
start_server ./balancer --check-ms 20 --fall 2 --rise 3 --backend "127.0.0.1:$free_port"
if await "the checks find nobody" "grep -q ' down' $said"; then
    ./backend --quiet --port "$free_port" >"$folder/late" &
    pids="$! $pids" # stop_server takes away the last one
    await "the checks find the backend" "grep -q ' up' $said"
fi
if need curl curl; then
    answer -o /dev/null -X PUT "http://127.0.0.1:$port/balancer?backend=127.0.0.1:$free_port&weight=5"
    expect "the balancer's line about a weight" "weight 5, was 1" "sed -n 's/.*127.0.0.1:$free_port: weight/weight/p' $said"
fi
stop_server
expect "the balancer's lines about the checks" "backend 127.0.0.1:#: down, by 2 checks
backend 127.0.0.1:#: up, by 3 checks" "sed -n '/ checks/ s/.*backend 127.0.0.1:$free_port: /backend 127.0.0.1:#: /p' $said"
server=$backend said=$folder/backend
stop_server
expect "the backend says what it has done" "stopped: one: connections 1, requests 5, POSTs 0" "tail -n 1 $said"
finish
