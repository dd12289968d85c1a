# interop.sh: foreign clients against our server: it speaks TLS 1.2 and 1.3 as they do, and refuses
# what they would refuse.
. ../common/test/peers.sh

start_server ./server --early-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf 'GET /transfers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >"$folder/request"

if need curl curl; then
    get() { curl -s --max-time 20 --cacert keys/ca.pem "$@"; }
    fact() { name=$1 && shift && get "$@" | sed -n "s/^$name: //p"; }
    here="https://localhost:$port"
    expect "curl, TLS 1.3" "TLSv1.3" "fact version --tlsv1.3 $here/"
    expect "curl, TLS 1.2" "TLSv1.2" "fact version --tls-max 1.2 $here/"
    expect "curl, TLS 1.1: refused" "35" "get --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 $here/; echo \$?"
    expect "curl, ALPN" "http/1.1" "fact protocol $here/"
    expect "curl, ALPN of HTTP/2: HTTP/1.1 it is" "http/1.1" "fact protocol --http2 $here/"
    expect "curl, HTTP/1.0" "TLSv1.3" "fact version -0 $here/"
    expect "curl, the other name" "other.test" \
        "fact 'server name' --connect-to other.test:443:127.0.0.1:$port https://other.test/"
    expect "curl, by address" "none" "fact 'server name' https://127.0.0.1:$port/"
    expect "curl, a CA that it does not know" "60" "curl -s $here/; echo \$?"
    for name in expired wrong-name common-name self-signed unknown-ca; do
        expect "curl, $name" "60" "get --connect-to $name.test:443:127.0.0.1:$port https://$name.test/; echo \$?"
    done
    expect "curl, RSA" "TLSv1.2" "fact version --tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256 $here/"
    expect "curl, a cipher that is too old" "35" "get --tls-max 1.2 --ciphers AES128-SHA $here/; echo \$?"
    expect "curl, POST" "hello" "get -d hello $here/echo"
    expect "curl, in chunks" "hello" "printf hello | get -H 'Transfer-Encoding: chunked' -T - -X POST $here/echo"
    expect "curl, bulk" "26000000 $(yes abcdefghijklmnopqrstuvwxyz | head -c 27000000 | tr -d '\n' | cksum)" \
        "get $here/bytes?n=26000000 >$folder/bulk; wc -c <$folder/bulk | tr '\n' ' '; cksum <$folder/bulk"
    expect "curl, three on one connection" "1 0 0 " \
        "get -w '%{num_connects} ' -o $folder/1 $here/ -o $folder/2 $here/ -o $folder/3 $here/"
    expect "curl, HSTS" "max-age=31536000" \
        "get -D - -o /dev/null $here/ | sed -n 's/^Strict-Transport-Security: \(.*\).$/\1/p'"
    # Claim 4.104, guide §3.5, HOLDS: HSTS forces browsers to always use HTTPS. After the first visit.
    by_hsts() { get --hsts "$folder/hsts" -o /dev/null -w '%{scheme} %{http_code} ' "$1://localhost:$port/" | tr "[:lower:]" "[:upper:]"; }
    expect "curl, HSTS: http:// in plain before the first visit, and never after it" \
        "HTTP 400 HTTPS 200 HTTPS 200" "{ by_hsts http; by_hsts https; by_hsts http; } | xargs"
    expect "curl, plain HTTP" "400" "get -o /dev/null -w '%{http_code}' http://localhost:$port/"
    tls_port=$port
    start_server ./server --require-client-cert
    here="https://localhost:$port"
    expect "curl, with a certificate" "A Student" \
        "fact 'client certificate' --cert keys/client.pem --key keys/client-key.pem $here/"
    expect "curl, without one" "56" "get $here/; echo \$?"
    expect "curl, without one, TLS 1.2" "35" "get --tls-max 1.2 $here/; echo \$?"
    start_server ./server --keylog "$folder/secrets"
    get -o /dev/null "https://localhost:$port/"
    expect "the key log" "CLIENT_HANDSHAKE_TRAFFIC_SECRET
CLIENT_TRAFFIC_SECRET_0
EXPORTER_SECRET
SERVER_HANDSHAKE_TRAFFIC_SECRET
SERVER_TRAFFIC_SECRET_0" "cut -d ' ' -f 1 $folder/secrets | sort"
    port=$tls_port
fi

if need openssl openssl; then
    talk() { openssl s_client -connect "127.0.0.1:$port" -CAfile keys/ca.pem -servername workbench.test \
        -verify_hostname workbench.test -verify_return_error "$@" 2>&1; }
    expect "s_client verifies" "Verify return code: 0 (ok)" "talk </dev/null | sed -n 's/^ *//; /^Verify return/p' | sort -u"
    expect "s_client, ALPN of HTTP/1.0" "http/1.0" "talk -alpn http/1.0 </dev/null | sed -n 's/^ALPN protocol: //p'"
    for version in 1_2 1_3; do
        expect "s_client -tls$version, a session" "New" "talk -tls$version -sess_out $folder/session -ign_eof \
            <$folder/request | sed -n 's/, TLSv.*//; /^New\|^Reused/p'"
        expect "s_client -tls$version, resumed" "Reused" "talk -tls$version -sess_in $folder/session -ign_eof \
            <$folder/request | sed -n 's/, TLSv.*//; /^New\|^Reused/p'"
    done
    expect "s_client -reconnect" "1 New, 5 Reused" "talk -tls1_2 -reconnect </dev/null |
        sed -n 's/, TLSv.*//; /^New\|^Reused/p' | sort | uniq -c | awk '{ printf \"%s%s %s\", s, \$1, \$2; s = \", \" }'"
    talk -tls1_3 -sess_out "$folder/session" -ign_eof <"$folder/request" >/dev/null
    expect "s_client -early_data" "Early data was accepted" "talk -sess_in $folder/session -early_data $folder/request \
        -ign_eof </dev/null | grep '^Early data'"
    expect "s_client -early_data, again" "Early data was rejected" "talk -sess_in $folder/session \
        -early_data $folder/request </dev/null | grep '^Early data'"
    expect "s_client -alpn" "ALPN protocol: echo/1" "talk -alpn h2,echo/1 </dev/null | grep ALPN"
    expect "s_client -alpn, nothing in common" "SSL alert number 120" \
        "talk -alpn h2 </dev/null | grep -o 'SSL alert number 120'"
    expect "s_client, no compression" "Compression: NONE" "talk -tls1_2 </dev/null | grep '^Compression'"
    expect "s_client -servername" "subject=CN=other.test" \
        "openssl s_client -connect 127.0.0.1:$port -servername other.test -nameopt RFC2253 </dev/null 2>/dev/null | grep ^subject"
    expect "s_client -status" "OCSP response: no response sent" "talk -status </dev/null | grep '^OCSP response'"
    expect "s_client, renegotiation" "no renegotiation" "(echo R; sleep 2) | talk -tls1_2 | grep -o 'no renegotiation'"
    expect "s_client, a group that it has to be asked for" "200 OK" "talk -groups P-521:P-384 -ign_eof \
        <$folder/request | grep -o '200 OK'"
    expect "s_client, the smallest records" "200 OK" "talk -max_send_frag 512 -ign_eof \
        <$folder/request | grep -o '200 OK'"
fi

if need node nodejs; then
    cat >"$folder/client.js" <<'NODE'
const https = require('https'), tls = require('tls'), fs = require('fs');
const [port, what] = process.argv.slice(2), ca = fs.readFileSync('keys/ca.pem');
const base = { host: '127.0.0.1', port, ca, servername: 'workbench.test' };
const ask = (options, body) => new Promise((done) => {
    const request = https.request({ ...base, ...options }, (answer) => {
        let text = '';
        answer.on('data', (part) => (text += part));
        answer.on('end', () => done(text));
    });
    request.on('error', (error) => done(error.code));
    request.end(body);
});
const main = {
    async facts() { console.log((await ask({ path: '/' })).split('\n')[0]); },
    async wrong() { console.log(await ask({ path: '/', servername: 'expired.test' })); },
    async echo() { console.log(await ask({ path: '/echo', method: 'POST' }, 'x'.repeat(4096)) === 'x'.repeat(4096)); },
    async agent() {
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const answers = await Promise.all([1, 2, 3, 4].map(() => ask({ path: '/bytes?n=100000', agent })));
        console.log(answers.map((text) => text.length).join(' '));
        agent.destroy();
    },
    async resumed() {
        const connect = (session) => new Promise((done) => {
            const socket = tls.connect({ ...base, session }, () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
            let kept;
            socket.on('session', (data) => (kept = data));
            socket.on('data', () => { done({ kept, reused: socket.isSessionReused() }); socket.end(); });
        });
        const first = await connect();
        console.log(first.reused, (await connect(first.kept)).reused);
    },
};
main[what]();
NODE
    expect "node's https" "version: TLSv1.3" "node $folder/client.js $port facts"
    expect "node's https, expired" "CERT_HAS_EXPIRED" "node $folder/client.js $port wrong"
    expect "node's https, POST" "true" "node $folder/client.js $port echo"
    expect "node's https, an agent" "100000 100000 100000 100000" "node $folder/client.js $port agent"
    expect "node's tls, resumed" "false true" "node $folder/client.js $port resumed"
fi

if need sslscan sslscan; then
    sslscan --no-colour --sni-name=workbench.test "127.0.0.1:$port" >"$folder/scan" 2>&1
    expect "sslscan, protocols" "SSLv2     disabled
SSLv3     disabled
TLSv1.0   disabled
TLSv1.1   disabled
TLSv1.2   enabled
TLSv1.3   enabled" "grep -E '^(SSL|TLS)v[0-9.]+ +(en|dis)abled' $folder/scan"
    expect "sslscan, ciphers: 128 bits and more, each with forward secrecy and AEAD" "" \
        "grep -E '^(Preferred|Accepted)' $folder/scan | grep -vE ' (128|256) bits +(TLS_(AES|CHACHA)|ECDHE-(RSA|ECDSA)-(AES|CHACHA).*(GCM|POLY1305))'"
    expect "sslscan, how many ciphers" "9" "grep -cE '^(Preferred|Accepted)' $folder/scan"
    expect "sslscan, renegotiation" "Session renegotiation not supported" "grep '^Session renegotiation' $folder/scan"
    expect "sslscan, heartbleed" "0" "grep -c ' vulnerable to heartbleed' $folder/scan | sed 's/^[23]$/0/'"
fi

# ---- our client against foreign servers ------------------------------------------------------
#
# They have the lesson's certificates.

keys=$PWD/keys
choose_port
printf 'hello, world\n' >"$folder/index.html"
head -c 3000000 /dev/urandom >"$folder/large"

# ours PORT [options]: our client. facts PORT [options]: what it says of the connection, in short.
ours() { at=$1 && shift && ./client --port "$at" "$@"; }
facts() {
    ours "$@" 2>&1 >/dev/null |
        sed -n 's/^\* //; s/\(TLSv1..\).*/\1/; s/^client: GET .*, port [0-9]*:/client:/; /^TLS\|^checked\|^WARNING\|^client/p'
}

# meet NAME PORT: what ./client has to get from any of them.
meet() {
    expect "$1: TLS 1.3" "TLSv1.3
checked: it is localhost, says CN=Workbench Root (keys/ca.pem)" "facts $2 --host localhost"
    expect "$1: TLS 1.2" "TLSv1.2
checked: it is 127.0.0.1, says CN=Workbench Root (keys/ca.pem)" "facts $2 --tls 1.2"
    expect "$1: a page" "hello, world" "ours $2 /index.html 2>/dev/null | tail -n 1"
    expect "$1: a large file" "$(cksum <"$folder/large")" "ours $2 /large 2>/dev/null | tail -c 3000000 | cksum"
    expect "$1: another CA" "client: no answer: unable to get local issuer certificate" "facts $2 --ca keys/stranger.pem"
    expect "$1: another CA, but we do not care" "TLSv1.3
WARNING: NOT CHECKED (--insecure): this may be any server" "facts $2 --ca keys/stranger.pem --insecure"
    expect "$1: another name" "client: no answer: hostname mismatch" "facts $2 --servername other.test"
    pin=$(ours "$2" 2>&1 >/dev/null | sed -n 's/.*--pin //p')
    expect "$1: its key is pinned" "TLSv1.3
checked: it is 127.0.0.1, says CN=Workbench Root (keys/ca.pem)" "facts $2 --pin $pin"
    expect "$1: another key is pinned" "client: no answer: the server's key is not the pinned one" \
        "facts $2 --pin $(echo "$pin" | tr 0-9a-f 1-9a-f0)"
}

if need openssl openssl; then
    serve() { # on the next port, with further options
        choose_port
        (cd "$folder" && exec openssl s_server -accept "127.0.0.1:$free_port" -cert "$keys/server-ecdsa.pem" \
            -key "$keys/server-ecdsa-key.pem" -cert_chain "$keys/intermediate.pem" "$@") >"$folder/s_server" 2>&1 &
        pids="$pids $!"
        await_port tcp "$free_port"
    }
    if serve -WWW; then
        meet s_server "$free_port"
        expect "openssl agrees about the pin" "$pin" "openssl x509 -in keys/server-ecdsa.pem -noout -pubkey |
            openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d ' ' -f 1"
    fi
    if serve -www -CAfile "$keys/ca.pem" -Verify 2; then
        expect "s_server wants a certificate" "CN=AStudent" "ours $free_port --cert keys/client.pem \
            --key-file keys/client-key.pem 2>/dev/null | sed -n 's/^ *Subject: //p' | tr -d ' ' | head -n 1"
        expect "s_server wants a certificate, and gets none" "TLSv1.3
checked: it is 127.0.0.1, says CN=Workbench Root (keys/ca.pem)
client: no answer: tlsv13 alert certificate required" "facts $free_port"
    fi
fi

choose_port
if need nginx nginx-light; then
    if start_nginx "$free_port" "server { listen 127.0.0.1:$free_port ssl; ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $keys/server-ecdsa.pem; ssl_certificate_key $keys/server-ecdsa-key.pem; root $folder; }"; then
        meet nginx "$free_port"
        expect "nginx: a page that is not there" "404" "ours $free_port /x 2>/dev/null | sed -n '1s/.* \(404\).*/\1/p'"
    fi
fi

choose_port
if need node nodejs; then
    node -e "
const fs = require('fs'), https = require('https'), [folder, port] = process.argv.slice(1);
https.createServer({ cert: fs.readFileSync('keys/server-ecdsa.pem'), key: fs.readFileSync('keys/server-ecdsa-key.pem') },
    (request, answer) => fs.createReadStream(folder + (request.url === '/' ? '/index.html' : request.url)).pipe(answer)
).listen(port, '127.0.0.1');" "$folder" "$free_port" &
    pids="$pids $!"
    await_port tcp "$free_port" && meet "node's https, in chunks" "$free_port"
fi

# Python closes without a close_notify unless it is asked for one.
choose_port
if need python3 python3; then
    python3 -c "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('keys/server-ecdsa.pem', 'keys/server-ecdsa-key.pem')
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    with context.wrap_socket(listener.accept()[0], server_side=True) as client:
        client.recv(1000)
        client.sendall(b'HTTP/1.0 200 OK\r\n\r\nhalf of a')" "$free_port" &
    pids="$pids $!"
    await_port tcp "$free_port" && expect "an answer that is cut off is reported" \
        "client: the answer is not whole: 9 bytes of content have come, but not its end: the connection was cut: the server has sent no close_notify" \
        "facts $free_port | grep ^client"
fi

if need tshark tshark; then
    ../common/wire/wire --rtt 1 --pcap "$folder/pcap" -- ./server -- ./client --keylog "$folder/log" >"$folder/out" 2>&1
    status=$?
    if [ $status -eq 3 ]; then
        need wire-on-this-machine "see make doctor"
    else
        shark() { tshark -r "$folder/pcap" -d tcp.port==8004,tls "$@" 2>/dev/null; }
        expect "tshark without the key log reads no HTTP" "" "shark -Y http"
        expect "tshark with the key log of our client" "GET /
200" "for what in 'request -e http.request.method -e http.request.uri' 'response -e http.response.code'; do
            shark -o tls.keylog_file:$folder/log -T fields -E separator=' ' -Y http.\$what; done"
        expect "tshark finds nothing malformed" "" "shark -Y '_ws.malformed || _ws.expert.severity == error'"
    fi
fi
finish
