# interop.sh: programs that no one here wrote: curl, node's ws and eventsource, Python's websockets,
# a real browser; as clients of our server, and as servers of our client.
. ../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
start_server ./server --quiet --rate 0 --first-id 1 --retry-ms 100 --token-ms 1
url=http://127.0.0.1:$port ours=$port

# need_module NAME: node has it, here.
need_module() {
    [ -d "node_modules/$1" ] && return 0
    echo "skipped node's $1 is not there: (cd $PWD && npm install --no-save ws@8 eventsource@2 playwright-core@1.57)"
    if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    return 1
}

if need curl curl; then
    expect "curl publishes" '{"id":1}' "curl -sS -m 20 -d 'a
b' $url/publish"
    expect "curl polls" '{"id":1,"event":"message","data":"a\nb"}' "curl -sS -m 20 '$url/poll?since=0'"
    expect "curl waits in vain" "204 0" "curl -sS -m 20 -o /dev/null -w '%{http_code} %{size_download}' '$url/wait?timeout=30'"
    expect "curl waits, and is told" '{"id":2,"event":"price","data":"12.50"}' \
        "(await 'a client waits' 'curl -s -m 20 $url/stats | grep -q \"wait.: {.clients.: 1\"'
         curl -s -m 20 -d 12.50 '$url/publish?event=price' >/dev/null) &
        curl -sS -m 20 '$url/wait?since=1'"
    expect "curl -N reads events" "retry: 100
id: 0

id: 1
data: a
data: b

id: 2
event: price
data: 12.50" "curl -sN -m 1 '$url/events?since=0'"
    expect "curl, HTTP/1.0" "id: 2" "curl -sN0 -m 1 -H 'Last-Event-ID: 1' $url/events | sed -n 4p"
    expect "curl -N, an answer word by word" "You ask: why? ... I am" "curl -sSN -m 20 -d 'why?' $url/chat | cut -c1-22"
    expect "curl, the same as events" "data: [DONE]" "curl -sSN -m 20 -d 'why?' -H 'Accept: text/event-stream' $url/chat | tail -n 2 | head -n 1"
    expect "curl, two requests, one of them held, on one connection" "1 0 " \
        "curl -sS -m 20 -o /dev/null -o /dev/null -w '%{num_connects} ' '$url/wait?timeout=10' $url/stats"
    expect "curl submits a job, and waits for it" "done" \
        "curl -sS -m 20 -d video '$url/jobs?ms=50' >/dev/null; curl -sS -m 20 '$url/jobs/1?wait=10000' | sed 's/.*\"state\":\"\([a-z]*\)\".*/\1/'"
    expect "curl is told to upgrade" "426 13" "curl -sS -m 20 -o /dev/null -w '%{http_code} %header{sec-websocket-version}' $url/ws"
fi

cat >"$folder/client.js" <<'JS'
const WebSocket = require(process.cwd() + '/node_modules/ws'), { createHash } = require('crypto');
const url = `ws://127.0.0.1:${process.argv[2]}`, hash = data => createHash('md5').update(data).digest('hex');
const next = (socket, name) => new Promise(resolve => socket.once(name, (...all) => resolve(all)));
const open = async (path, options) => { const socket = new WebSocket(url + path, options); await next(socket, 'open'); return socket; };
(async () => {
    const echo = await open('/ws/echo', { maxPayload: 1 << 25 });
    console.log('extensions', JSON.stringify(echo.extensions));
    for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20, 1 << 24])
        for (const binary of [false, true]) {
            const data = Buffer.alloc(size, 'abcdefg');
            echo.send(data, { binary });
            const [back, was] = await next(echo, 'message');
            if (hash(back) !== hash(data) || was !== binary) console.log('DIFFERENT', size, binary);
        }
    const both = Promise.all([next(echo, 'pong'), next(echo, 'message')]);
    echo.send('frag', { fin: false }); echo.ping('between'); echo.send('ments \u20ac', { fin: true });
    const [[pong], [text]] = await both;
    console.log(`${pong}: ${text}`);
    echo.send(Buffer.alloc((1 << 24) + 1));
    const [code, reason] = await next(echo, 'close');
    console.log(code, `${reason}`);
    const socket = await open('/ws');
    socket.close(4321, 'enough');
    console.log('closed', (await next(socket, 'close'))[0]);
    const chat = new WebSocket(`${url}/ws?since=1`), heard = [];
    chat.on('message', data => heard.push(JSON.parse(data).data));
    await next(chat, 'open');
    const other = await open('/ws');
    other.send('hi');
    while (!heard.some(data => /says: hi/.test(data))) await next(chat, 'message');
    console.log(heard.map(data => data.replace(/\d+ /, '')).sort().join(', '));
    chat.terminate(); other.terminate();
    const refused = new WebSocket(`${url}/ws`, { origin: 'http://evil.example' });
    console.log((await next(refused, 'error'))[0].message);
    process.exit();
})();
JS
cat >"$folder/server.js" <<'JS'
const WebSocket = require(process.cwd() + '/node_modules/ws');
const server = new WebSocket.Server({ port: 0, host: '127.0.0.1', maxPayload: 1 << 25 }, () => console.log(server.address().port));
server.on('connection', (socket, request) => {
    if (request.url === '/close') {
        socket.send('one ', { fin: false }); socket.ping('are you there'); socket.send('message', { fin: true });
        socket.on('pong', data => { socket.send(`pong: ${data}`); socket.close(4001, 'go'); });
    }
    socket.on('message', (data, binary) => socket.send(data, { binary }));
});
JS
cat >"$folder/source.js" <<'JS'
const EventSource = require(process.cwd() + '/node_modules/eventsource'), url = `http://127.0.0.1:${process.argv[2]}`;
const source = new EventSource(`${url}/events`), seen = [];
const post = (path, body) => fetch(url + path, { method: 'POST', body });
let opened = 0;
source.onopen = async () => {
    if (opened++) return;
    for (let i = 1; i <= 30; i++) {
        await post('/publish', `event\n${i}`);
        if (i % 10 === 5) await post('/cut');
    }
};
source.onmessage = event => {
    seen.push(event.data);
    if (event.data !== 'event\n30') return;
    const good = seen.every((data, i) => data === `event\n${i + 1}`) && seen.length === 30;
    console.log(good ? 'all 30, once, in order' : seen.join(), opened > 1 ? 'though it was cut' : 'and it was not cut');
    process.exit();
};
JS
sizes="0 1 125 126 65535 65536 1048576 16777216"
echoes=$(for size in $sizes; do echo "an echo of $size bytes, the same" && echo "closed: 1000 "; done)
ask_echoes() { for size in $sizes; do timeout 20 ./wscat --port "$theirs" --size "$size" "$@"; done; }

if need node nodejs && need_module ws; then
    expect "node's ws is our client" 'extensions ""
between: fragments €
1009 message too big
closed 4321
12.50, user joined, user joined, user says: hi
Unexpected server response: 403' "timeout 60 node $folder/client.js $ours"
    start_theirs node "$folder/server.js"
    expect "node's ws is our server" "$echoes" ask_echoes
    expect "node's ws is our server, binary" "$echoes" "ask_echoes --binary"
    expect "node's ws sends fragments, pings, and closes" "one message
pong: are you there
closed: 4001 go" "sleep 2 | timeout 20 ./wscat --port $theirs --path /close"
    if need_module eventsource; then
        expect "node's eventsource, cut three times" "all 30, once, in order though it was cut" "timeout 60 node $folder/source.js $ours"
    fi
fi

cat >"$folder/client.py" <<'PYTHON'
import asyncio, sys, websockets
url = f"ws://127.0.0.1:{sys.argv[1]}"
async def main():
    async with websockets.connect(url + "/ws/echo", max_size=1 << 25) as echo:
        for size in 0, 1, 125, 126, 65535, 65536, 1 << 20, 1 << 24:
            for data in "x" * size, bytes(size):
                await echo.send(data)
                assert await echo.recv() == data, size
        await echo.send(["frag", "ments ", "\u20ac"])
        print(await echo.recv(), "extensions:", len(getattr(echo, "protocol", echo).extensions))
        await (await echo.ping())
        await echo.close(4000, "enough")
        print("closed", echo.close_code)
    async with websockets.connect(url + "/ws") as chat:
        await chat.send(b"binary")
        try:
            while True:
                await chat.recv()
        except websockets.ConnectionClosed as closed:
            print(closed.rcvd.code, closed.rcvd.reason)
asyncio.run(main())
PYTHON
cat >"$folder/server.py" <<'PYTHON'
import asyncio, websockets
async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=1 << 25) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
PYTHON
python=python3
"$python" -c "import websockets" 2>/dev/null || python=/usr/bin/python3 # Debian's
if need python3 python3-websockets; then
    if "$python" -c "import websockets" 2>/dev/null; then
        expect "Python's websockets is our client" "fragments € extensions: 0
closed 4000
1003 this chat is text only" "timeout 60 $python $folder/client.py $ours"
        start_theirs "$python" "$folder/server.py"
        expect "Python's websockets is our server" "$echoes" ask_echoes
        expect "Python's websockets is our server, binary" "$echoes" "ask_echoes --binary"
    else
        need python-websockets python3-websockets # no program, so it says what to do
    fi
fi

# Claim 5.54, guide §15.2, §15.10, NOT HERE: server-sent events work through proxies, because they are HTTP.
# nginx collects an answer, unless it is told otherwise (proxy_buffering), or the answer asks for it.
if need nginx nginx-light && need curl curl; then
    start_server ./server --quiet --rate 0 --first-id 1
    upstream=http://127.0.0.1:$port
    choose_port
    start_nginx "$free_port" "server {
        listen 127.0.0.1:$free_port;
        location /asked/ { proxy_pass $upstream/; }
        location /default/ { proxy_pass $upstream/; proxy_ignore_headers X-Accel-Buffering; }
        location /off/ { proxy_pass $upstream/; proxy_ignore_headers X-Accel-Buffering; proxy_buffering off; }
    }"
    for way in default off asked; do
        curl -sN -m 60 "http://127.0.0.1:$free_port/$way/events" >"$folder/$way" &
        pids="$pids $!"
    done
    has() { [ "$(grep -c '^data: ' "$folder/$1")" = "$2" ]; }
    await "three readers behind nginx" "curl -s -m 20 $upstream/stats | grep -q 'sse.: {.clients.: 3,'"
    for number in 1 2 3 4 5 6; do
        curl -s -m 20 -d "$number" "$upstream/publish" >/dev/null
    done
    await "6 events through nginx, proxy_buffering off" "has off 6"
    await "6 events through nginx, X-Accel-Buffering: no" "has asked 6"
    expect "nginx, as it is without being told: 0 of 6 events" 0 "grep -c '^data: ' $folder/default"
    curl -s -m 20 -d '' "$upstream/cut" >/dev/null
    await "the answer ends" "has default 6"
    expect "nginx passes them on when the answer ends" 6 "grep -c '^data: ' $folder/default"
fi

if need tidy tidy; then # it is older than the nonce
    expect "tidy finds nothing wrong in index.html" "" "tidy -e -q index.html 2>&1 | grep -v 'proprietary attribute \"nonce\"'"
fi
if need chromium chromium && need node nodejs && need_module playwright-core; then
    start_server ./server --quiet --rate 1 --retry-ms 200
    CHROMIUM=$(command -v chromium) timeout 240 node test/browser.js "$port" >"$folder/log" 2>&1
    cat "$folder/log"
    passed=$((passed + $(grep -c '^ok ' "$folder/log")))
    failed=$((failed + $(grep -c '^FAILED ' "$folder/log")))
    expect "the browser has seen all it was to see" "24" "grep -c '^ok ' $folder/log"
fi
finish
