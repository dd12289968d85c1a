# interop.sh: the proxy between clients and servers that no one here wrote, and nginx's cache beside it.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seq 30000 >"$folder/blob"
touch -d '1 day ago' "$folder/blob" # a tenth of a day it is fresh

cat >"$folder/upstream.py" <<'PYTHON'
import http.server, os, sys
os.chdir(sys.argv[1])
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        text = (str(self.headers['X-Forwarded-For']) + '\n').encode() + self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON

if need python3 python3 && need curl curl; then
    get() { curl -s --max-time 20 "$@"; }
    start_theirs python3 "$folder/upstream.py" "$folder"
    blob=$(cksum <"$folder/blob")
    start_server ./proxy --quiet --upstream "127.0.0.1:$theirs"
    reverse=$port
    expect "curl, our reverse proxy, python's server" "$blob" "get http://127.0.0.1:$reverse/blob | cksum"
    expect "the same again: python says Last-Modified, so it is stored" "HIT" \
        "get -o $folder/1 -D - http://127.0.0.1:$reverse/blob | tr -d '\r' | sed -n 's/^X-Cache: //p'"
    expect "a POST, with the client's address" "127.0.0.1
hello" "get -H 'X-Forwarded-For: 6.6.6.6' -d hello http://127.0.0.1:$reverse/x"
    expect "much, in chunks" "$( (echo 127.0.0.1 && cat "$folder/blob") | cksum)" \
        "get -H 'Expect:' --data-binary @$folder/blob http://127.0.0.1:$reverse/x | cksum"
    expect "curl's own conditions" "304" \
        "get -z $folder/blob -o $folder/1 -w '%{http_code}' http://127.0.0.1:$reverse/blob"
    start_server ./proxy --quiet --allow-private --connect-ports "443,$theirs"
    forward=$port
    expect "curl -x" "$blob" "get -x http://127.0.0.1:$forward http://127.0.0.1:$theirs/blob | cksum"
    expect "curl -p: CONNECT" "$blob" "get -p -x http://127.0.0.1:$forward http://127.0.0.1:$theirs/blob | cksum"
    expect "Python's urllib through the forward proxy" "$blob" "python3 -c '
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({\"http\": \"http://127.0.0.1:$forward\"}))
sys.stdout.buffer.write(opener.open(\"http://127.0.0.1:$theirs/blob\", timeout=20).read())' | cksum"
    start_server ./proxy --quiet
    expect "without --allow-private curl gets 403" "403" \
        "get -o $folder/1 -w '%{http_code}' -x http://127.0.0.1:$port http://localhost:$theirs/blob"
    if need node nodejs; then
        cat >"$folder/client.js" <<'JS'
const http = require('http'), [proxy, server] = process.argv.slice(2).map(Number);
http.get({ host: '127.0.0.1', port: proxy, path: `http://127.0.0.1:${server}/blob` }, answer => answer.pipe(process.stdout));
JS
        cat >"$folder/server.js" <<'JS'
const server = require('http').createServer((request, answer) => {
    answer.setHeader('Cache-Control', 'max-age=60');
    answer.write('in ');
    setTimeout(() => answer.end('chunks'), 20);
}).listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
        expect "node through the forward proxy" "$blob" "timeout 20 node $folder/client.js $forward $theirs | cksum"
        start_theirs node "$folder/server.js"
        start_server ./proxy --quiet --upstream "127.0.0.1:$theirs"
        expect "node's server, in chunks, and then stored with its length" "in chunksin chunks
MISS chunked
HIT 9" "get -D $folder/h http://127.0.0.1:$port/ http://127.0.0.1:$port/; echo
            tr -d '\r' <$folder/h | awk -F': ' '/^Content-Length|^Transfer-Encoding/ { how = \$2 } /^X-Cache/ { print \$2, how ; how = \"\" }' |
                sed 's/^MISS\$/MISS chunked/'"
    fi
    if need openssl openssl; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
            -keyout "$folder/key" -out "$folder/certificate" 2>/dev/null
        choose_port && secure=$free_port
        (cd "$folder" && exec openssl s_server -quiet -accept "127.0.0.1:$secure" -cert certificate -key key -WWW) >/dev/null 2>&1 &
        pids="$pids $!"
        await_port tcp "$secure"
        start_server ./proxy --quiet --allow-private --connect-ports "$secure"
        expect "curl by https through CONNECT: TLS from end to end" "$blob" \
            "get --cacert $folder/certificate -x http://127.0.0.1:$port https://localhost:$secure/blob --resolve localhost:$secure:127.0.0.1 | cksum"
    fi
    if ../../common/wire/wire --rtt 1 -- ./origin --quiet -- true >/dev/null 2>&1; then
        expect "PURGE from another machine" "403" \
            "../../common/wire/wire --rtt 1 -- ./proxy --quiet -- sh -c 'curl -s -o /dev/null -w \"%{http_code}\" -X PURGE http://\$HOST:\$PORT/' 2>/dev/null | tail -n 1 | cut -c1-3"
    fi
fi

# A WebSocket through the reverse proxy: Python's client and server.
cat >"$folder/echo.py" <<'PYTHON'
import asyncio, sys, websockets
async def echo(socket, path=None):
    async for message in socket:
        if isinstance(message, str):
            print(message, file=open(sys.argv[1], 'a'), flush=True)
        await socket.send(message)
async def main():
    async with websockets.serve(echo, '127.0.0.1', 0) as server:
        print(list(server.sockets)[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import asyncio, sys, websockets
async def main():
    async with websockets.connect(f'ws://127.0.0.1:{sys.argv[1]}/chat') as socket:
        await socket.send('hello')
        print(await socket.recv())
        await socket.send(b'x' * 200000)
        print(len(await socket.recv()))
asyncio.run(main())
PYTHON
python=python3
"$python" -c "import websockets" 2>/dev/null || python=/usr/bin/python3 # Debian's
if need python3 python3 && "$python" -c "import websockets" 2>/dev/null; then
    start_theirs "$python" -W ignore "$folder/echo.py" "$folder/messages"
    start_server ./proxy --quiet --upstream "127.0.0.1:$theirs"
    expect "Python's websockets on both sides of our proxy" "hello
200000" "timeout 20 $python -W ignore $folder/ask.py $port"
    if need chromium chromium; then
        cat >"$folder/page.html" <<HTML
<script>
const socket = new WebSocket('ws://127.0.0.1:$port/chat');
let first = true;
socket.onopen = () => socket.send('from Chromium');
socket.onmessage = event => { if (first) socket.send('got ' + event.data); first = false; };
</script>
HTML
        chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$folder/chromium" "file://$folder/page.html" >/dev/null 2>&1 &
        browser=$!
        tries=0
        until grep -q 'got from Chromium' "$folder/messages" || [ $tries -ge 600 ]; do tries=$((tries + 1)) && sleep 0.1; done
        expect "Chromium's WebSocket through our proxy" "got from Chromium" "grep 'got from Chromium' $folder/messages"
        kill $browser
        wait $browser 2>/dev/null
    fi
else
    need python3-websockets python3-websockets
fi

# The same requests to our cache and to nginx's, in front of the same origin. Where they differ, RFC 9111
# says who is right (README).
if need nginx nginx-light && need curl curl; then
    start_server ./origin --quiet
    origin=$port
    start_server ./proxy --quiet --upstream "127.0.0.1:$origin"
    ours=$port
    choose_port && theirs=$free_port
    if start_nginx "$theirs" "proxy_cache_path $folder/cache keys_zone=c:1m; server { listen 127.0.0.1:$theirs; location / {
        proxy_pass http://127.0.0.1:$origin; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_cache c;
        proxy_cache_revalidate on; proxy_cache_methods GET HEAD; add_header X-Cache \$upstream_cache_status always; } }"; then
        twice() { # NAME QUERY CURL-OPTIONS...: "ours: MISS HIT, nginx: MISS HIT"
            row=$1 query=$2
            shift 2
            for whose in $ours $theirs; do
                for time in 1 2; do
                    curl -s --max-time 20 -o /dev/null -D - "$@" "http://127.0.0.1:$whose/$row?$query" | tr -d '\r' | sed -n 's/^X-Cache: *//p; s/^HTTP.* 504.*/504/p' | head -n 1
                done
            done | xargs
        }
        expect "like nginx's: max-age" "MISS HIT MISS HIT" "twice 1 cc=max-age=60"
        expect "like nginx's: no-store" "MISS MISS MISS MISS" "twice 2 cc=no-store"
        expect "like nginx's: private" "MISS MISS MISS MISS" "twice 3 cc=private"
        expect "like nginx's: Set-Cookie" "MISS MISS MISS MISS" "twice 4 'cc=max-age=60&cookie=1'"
        expect "like nginx's: s-maxage" "MISS HIT MISS HIT" "twice 5 cc=max-age=0,s-maxage=60"
        expect "like nginx's: Vary: *" "MISS MISS MISS MISS" "twice 6 'cc=max-age=60&vary=*'"
        expect "unlike nginx's: no-cache is stored and asked about" "MISS REVALIDATED MISS MISS" "twice 7 'cc=no-cache&etag=a'"
        expect "unlike nginx's: the client's no-cache counts" "MISS REVALIDATED MISS HIT" \
            "twice 8 'cc=max-age=60&etag=a' -H 'Cache-Control: no-cache'"
        expect "unlike nginx's: only-if-cached is 504" "504 504 MISS HIT" \
            "twice 9 cc=max-age=60 -H 'Cache-Control: only-if-cached'"
        expect "unlike nginx's: an answer to Authorization is not shared" "MISS MISS MISS HIT" "twice 10 cc=max-age=60 -u a:b"
        expect "unlike nginx's: a guess by Last-Modified" "MISS HIT MISS MISS" "twice 11 modified=1"
    fi
fi
said=$folder/origin
start_server ./origin --quiet
origin=$server said=$folder/proxy
start_server ./proxy --cache-mb 1 --upstream "127.0.0.1:$port"
./client --port "$port" "/1?cc=max-age=60&size=600000" "/1?cc=max-age=60&size=600000" "/2?cc=no-store" "/3?cc=max-age=60&size=600000" \
    "/4?cc=no-cache&etag=a" "/4?cc=no-cache&etag=a" >"$folder/client"
stop_server
expect "the proxy says what it has done" "stopped: 1 connections; 4 answers stored, 1 evicted, 2 in the store" "tail -n 1 $said"
expect "the proxy's line for each answer" "GET /1: 200, MISS
/1: 200 HIT
GET /2: 200, no-store
GET /3: 200, MISS
GET /4: 200, MISS
GET /4: 200 REVALIDATED" "sed -n 's/.*client 127.0.0.1: //; s/?[^:]*//p' $said"
expect "the client's table" "200 MISS - 600000 bytes request 1
200 HIT # 600000 bytes request 1
200 MISS - 46 bytes request 2
200 MISS - 600000 bytes request 3
200 MISS - 46 bytes request 4
200 REVALIDATED - 46 bytes request 4" "sed -n 's/  */ /g; s/HIT [0-9]*/HIT #/; s/ from .*//p' $folder/client"
server=$origin said=$folder/origin
stop_server
expect "the origin says what it has done" "stopped: 5 requests" "tail -n 1 $said"
finish
