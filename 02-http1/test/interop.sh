# interop.sh: foreign clients against our server, and our client against foreign servers.
. ../common/test/peers.sh

# The status codes of curl's requests, or what else the option -w asks for.
codes() { curl -s -m 20 -o /dev/null -w '%{http_code} ' "$@"; }

folder=$(mktemp -d)
start_server ./server --quiet
url=http://127.0.0.1:$port

if need curl curl; then
    seq 20000 >"$folder/numbers" # 108894 bytes
    size=$(wc -c <"$folder/numbers")
    expect "curl" "hello, world" "curl -sS -m 20 $url/"
    expect "curl, HEAD" "200 0 " "codes -I -w '%{http_code} %{size_download} ' $url/img/1"
    expect "curl, HTTP/1.0" "200 1" "curl -s -m 20 -0 -o /dev/null -w '%{http_code} %{num_connects}' $url/"
    expect "curl, HTTP/1.0, a stream" "piece 3 of 3" "curl -sS -m 20 -0 '$url/stream?n=3&ms=5' | tail -n 1"
    expect "curl, two requests on one connection" "200 1 200 0 " \
        "curl -s -m 20 --http1.1 -o /dev/null -o /dev/null -w '%{http_code} %{num_connects} ' $url/ '$url/img/2?size=9999'"
    expect "curl, a connection for each of two" "200 1 200 1 " \
        "curl -s -m 20 -H 'Connection: close' -o /dev/null -o /dev/null -w '%{http_code} %{num_connects} ' $url/ $url/"
    expect "curl, a connection for 200 requests" "1" \
        "curl -s -m 20 -w '%{num_connects}\n' -o /dev/null '$url/img/[1-200]?size=10000' | grep -c 1"
    expect "curl, an image of 64 MB" "67108864" "curl -s -m 60 '$url/img/1?size=67108864' | wc -c"
    expect "curl, a stream" "piece 1 of 5
piece 5 of 5" "curl -sS -m 20 -N '$url/stream?n=5&ms=5' | sed -n '1p;\$p'"
    expect "curl, POST" "name=value" "curl -sS -m 20 -d name=value $url/"
    expect "curl, POST in chunks" "$size" \
        "curl -sS -m 20 -H 'Transfer-Encoding: chunked' -H Expect: --data-binary @$folder/numbers $url/echo | cmp - $folder/numbers && echo $size"
    expect "curl, a form with a file" "yes" "curl -sS -m 20 -F x=y -F f=@$folder/numbers $url/echo | grep -q 19999 && echo yes"
    expect "curl, 100-continue" "< HTTP/1.1 100 Continue
< HTTP/1.1 200 OK" \
        "curl -sv -m 20 -H 'Expect: 100-continue' --data-binary @$folder/numbers $url/echo 2>&1 | tr -d '\r' | grep -a '^< HTTP'"
    expect "curl, 100-continue that is refused" "404" \
        "curl -s -m 20 -o /dev/null -w '%{http_code}' -H 'Expect: 100-continue' --data-binary @$folder/numbers $url/nothing"
    expect "curl, too much" "413" \
        "head -c 1048577 /dev/zero | curl -s -m 20 -o /dev/null -w '%{http_code}' --data-binary @- $url/echo"
    expect "curl, a megabyte" "1048576" "head -c 1048576 /dev/zero | curl -s -m 20 --data-binary @- $url/echo | wc -c"
    expect "curl, methods" "405 405 501 204 200 " \
        "for m in DELETE TRACE BREW OPTIONS GET; do codes -X \$m $url/; done"
    expect "curl, virtual hosts" "meow woof" \
        "echo \$(curl -s -m 20 -H 'Host: cats.example' $url/; curl -s -m 20 --resolve dogs.example:$port:127.0.0.1 http://dogs.example:$port/)"
    expect "curl, through us as if we were a proxy" "meow" "curl -sS -m 20 -x $url http://cats.example/"
    expect "curl, an etag that is still right" "200 304 " \
        "codes --etag-save $folder/etag $url/cached; codes --etag-compare $folder/etag $url/cached"
    expect "curl, a date that is still right" "304 200 " \
        "codes -z 'Thu, 02 Jan 2025 00:00:00 GMT' $url/cached; codes -z 'Mon, 01 Jan 2024 00:00:00 GMT' $url/cached"
    expect "curl, a path that is not tidy" "404" "curl -s -m 20 --path-as-is -o /dev/null -w '%{http_code}' $url/../../etc/passwd"

    expect "curl -T" "201 204 " "codes -T $folder/numbers $url/files/a; codes -T $folder/numbers $url/files/a"
    expect "curl -T -, in chunks" "201 " "codes -T - $url/files/b <$folder/numbers"
    expect "curl reads both back" "same" \
        "for f in a b; do curl -sS -m 20 $url/files/\$f | cmp - $folder/numbers || exit; done; echo same"
fi
if need curl curl && need nc netcat-openbsd; then
    # The connection ends in the middle; the server names the offset; curl sends the rest.
    head -c 60000 "$folder/numbers" >"$folder/begin"
    expect "an upload that breaks off" "" \
        "(printf 'PUT /files/c HTTP/1.1\r\nHost: h\r\nContent-Length: $size\r\n\r\n'; cat $folder/begin) | nc -N 127.0.0.1 $port"
    expect "curl -I says how far it came" "60000" \
        "curl -sI -m 20 $url/files/c | tr -d '\r' | sed -n 's/^Upload-Offset: //p'"
    expect "curl -C, the wrong offset" "409 " "codes -C 50000 -T $folder/numbers $url/files/c"
    expect "curl -C, the right offset" "201 " "codes -C 60000 -T $folder/numbers $url/files/c"
    expect "curl reads it back" "same" "curl -sS -m 20 $url/files/c | cmp - $folder/numbers && echo same"
    expect "curl, parts with Content-Range" "204 201 hello, world" \
        "codes -X PATCH -H 'Content-Range: bytes 0-6/12' --data-binary 'hello, ' $url/files/d
         codes -X PUT -H 'Content-Range: bytes 7-11/12' --data-binary 'world' $url/files/d
         curl -sS -m 20 $url/files/d"
fi

# Claim 2.8, load balancing, NOT HERE: ab keeps connections alive by default.
if need ab apache2-utils; then
    lines() { grep -E '^(Complete|Failed|Keep-Alive|Non-2xx)' | sed 's/  */ /g'; }
    expect "ab, a connection for each request" "Complete requests: 2000
Failed requests: 0" "ab -q -n 2000 -c 10 $url/ | lines"
    expect "ab -k, connections that are kept" "Complete requests: 2000
Failed requests: 0
Keep-Alive requests: 2000" "ab -q -k -n 2000 -c 10 $url/ | lines"
fi

if need wrk wrk; then
    expect "wrk, a second of requests: no errors" "yes" \
        "wrk -t1 -c50 -d1s $url/ | tee $folder/wrk | grep -q 'requests in' && ! grep -E 'Socket errors|Non-2xx' $folder/wrk && echo yes"
    cat >"$folder/pipeline.lua" <<'LUA'
init = function() many = string.rep(wrk.format("GET", "/img/1?size=3000"), 16) end
request = function() return many end
LUA
    expect "wrk, sixteen requests at a time" "yes" \
        "wrk -t1 -c20 -d1s -s $folder/pipeline.lua $url/ | tee $folder/wrk | grep -q 'requests in' && ! grep -E 'Socket errors|Non-2xx' $folder/wrk && echo yes"
fi

if need node nodejs; then
    cat >"$folder/client.js" <<'JS'
const http = require('http');
const port = process.argv[2], agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ports = new Set();
const ask = (path, options = {}, send = r => r.end()) => new Promise((done, failed) => {
    const r = http.request({ host: '127.0.0.1', port, agent, path, ...options }, answer => {
        ports.add(r.socket.localPort);
        let text = '';
        answer.on('data', part => text += part).on('error', failed);
        answer.on('end', () => done(answer.statusCode + ' ' + text.trimEnd()));
    }).on('error', failed);
    send(r);
});
(async () => {
    for (let i = 0; i < 20; i++)
        await ask('/img/' + i);
    console.log(await ask('/'));
    console.log(await ask('/nothing'));
    console.log(await ask('/echo', { method: 'POST' }, r => {
        r.write('in '); // without a length: node sends chunks
        setTimeout(() => r.end('chunks'), 20);
    }));
    console.log(await ask('/files/n', { method: 'PUT', headers: { Expect: '100-continue' } },
        r => r.on('continue', () => r.end('node was here'))));
    console.log(await ask('/files/n'));
    console.log((await Promise.all([1, 2, 3].map(ms => ask('/slow?ms=' + ms)))).length);
    console.log(ports.size, 'connection');
    await new Promise(done => {
        const r = http.get({ host: '127.0.0.1', port, path: '/img/1?size=60000000' }, answer => answer.once('data', () => {
            r.destroy();
            done();
        }));
        r.on('error', done);
    });
    console.log(await ask('/'));
    agent.destroy();
})();
JS
    expect "node, its agent, and a request that it breaks off" "200 hello, world
404 Not Found: there is nothing at this path
200 in chunks
201 
200 node was here
3
1 connection
200 hello, world" "node $folder/client.js $port"
fi

if need python3 python3; then
    cat >"$folder/client.py" <<'PY'
import http.client, sys
c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
def ask(method, path, body=None, **more):
    c.request(method, path, body, **more)
    r = c.getresponse()
    content = r.read()
    print(r.status, r.version, len(content), r.will_close)
    return content
ask('GET', '/')
first = c.sock
ask('HEAD', '/img/1')
ask('GET', '/stream?n=3&ms=5')
assert ask('POST', '/echo', iter([b'one', b'two']), encode_chunked=True) == b'onetwo'
ask('PUT', '/files/p', b'x' * 2000000)
assert ask('GET', '/files/p') == b'x' * 2000000
ask('OPTIONS', '*')
ask('GET', '/cached', headers={'If-None-Match': '"workbench-1"'})
assert c.sock is first, 'it is not the same connection'
ask('GET', '/', headers={'Connection': 'close'})
PY
    expect "python's http.client" "200 11 13 False
200 11 0 False
200 11 39 False
200 11 6 False
201 11 0 False
200 11 2000000 False
204 11 0 False
304 11 0 False
200 11 13 True" "python3 $folder/client.py $port"
fi

if need nc netcat-openbsd; then
    expect "nc, three requests at once" "HTTP/1.1 200 OK
hello, world
HTTP/1.1 404 Not Found
Not Found: there is nothing at this path
HTTP/1.1 200 OK
woof" "printf 'GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\nHost: dogs.example\r\n\r\n' |
        nc -q2 127.0.0.1 $port | tr -d '\r' | sed '/^[A-Z][A-Za-z-]*: /d; /^\$/d'"
    expect "nc, HTTP/0.9" "HTTP/1.1 400 Bad Request" "printf 'GET /\r\n' | nc -q2 127.0.0.1 $port | tr -d '\r' | head -n 1"
    expect "nc, something else" "HTTP/1.1 400 Bad Request" "printf 'HELO there\r\n' | nc -q2 127.0.0.1 $port | tr -d '\r' | head -n 1"
fi

# ---- our client against foreign servers ------------------------------------------------------

# meet NAME PORT STATUS: our client gets a page of 13 bytes and one of 3 MB from a server of $folder.
meet() {
    expect "$1: a page" "$3
hello, world" "./client --port $2 /index.html 2>&1 | tr -d '\r' | sed -n 's/^< HTTP/HTTP/p;/^hello/p' | sort"
    expect "$1: a large file" "same" "./client --port $2 /large 2>/dev/null | cmp - $folder/large && echo same"
    expect "$1: a page that is not there" "1" "./client --port $2 /x >/dev/null 2>&1; echo \$?"
}

choose_port
head -c 3000000 /dev/urandom >"$folder/large"
printf 'hello, world\n' >"$folder/index.html"
if need nginx nginx-light; then
    if start_nginx "$free_port" "server { listen 127.0.0.1:$free_port; root $folder; }"; then
        meet nginx "$free_port" "HTTP/1.1 200 OK"
        for scene in raw reuse; do
            expect "nginx: scene $scene" "0" "STRICT= ./play --port $free_port $scene >$folder/scene 2>&1 || { cat $folder/scene; false; }; echo \$?"
        done
    fi
fi
choose_port
if need node nodejs; then
    cat >"$folder/server.js" <<'JS'
const fs = require('fs')
require('http').createServer((request, response) => { // no length: node sends it in chunks
    const file = process.argv[2] + (request.url === '/' ? '/index.html' : request.url)
    if (!fs.existsSync(file)) { response.writeHead(404); response.end(); return }
    fs.createReadStream(file, { highWaterMark: 10000 }).pipe(response)
}).listen(process.argv[3], '127.0.0.1')
JS
    node "$folder/server.js" "$folder" "$free_port" &
    pids="$pids $!"
    if await_port tcp "$free_port"; then
        meet "node, in chunks" "$free_port" "HTTP/1.1 200 OK"
    fi
fi
choose_port
if need python3 python3; then
    python3 -m http.server -d "$folder" --bind 127.0.0.1 "$free_port" >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port tcp "$free_port"; then
        meet "python, HTTP/1.0" "$free_port" "HTTP/1.0 200 OK"
    fi
fi
rm -rf "$folder"
finish
