# interop.sh: apps in Python and node behind the sidecar, unchanged; curl, openssl and nginx as the
# other end of mutual TLS, in both directions; and two programs that read the metrics: Prometheus's own
# parser for Python and, where it is installed, promtool.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Pods at loopback addresses of their own, as in the scenes.
here=127.200.$(($$ / 250 % 250)).$(($$ % 250 + 1)) there=127.201.$(($$ / 250 % 250)).$(($$ % 250 + 1))

# start_pod ADDRESS NAME APP OPTIONS...: a sidecar; $port is the one for its app.
start_pod() {
    pod=$1 name=$2 its_app=$3
    shift 3
    start_server ./sidecar --host "$pod" --inbound-host "$pod" --inbound-port 8114 --admin-port 8124 \
        --name "$name" --app "$its_app" --keys "$folder/keys" --services "$folder/services" "$@"
}
services() { { cat; echo end; } >"$folder/new" && mv "$folder/new" "$folder/services"; }

cat >"$folder/app.py" <<'PYTHON'
import http.server, sys, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[1]
    def do_GET(self):
        text = ('python ' + self.path + ' ' + str(self.headers['X-Forwarded-Client-Cert']) + '\n').encode()
        self.send_response(200)
        if self.protocol_version == 'HTTP/1.1': self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_POST(self):
        text = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import sys, urllib.request
# What any program of Python does that is told of a proxy.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({'http': 'http://' + sys.argv[1]}))
print(opener.open('http://hello/from-python').read().decode(), end='')
PYTHON
cat >"$folder/app.js" <<'NODE'
const http = require('http');
const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part)).on('end', () => {
        response.write('node ' + request.url + ' '); // no length: in chunks
        response.end(Buffer.concat(parts).length + '\n');
    });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
NODE
cat >"$folder/ask.js" <<'NODE'
const [host, port] = process.argv[2].split(':');
require('http').get({host, port, path: '/from-node', headers: {Host: 'hello'}},
    answer => answer.pipe(process.stdout));
NODE

services <<END
hello $there:8114
END
start_pod "$here" shop 127.0.0.1:1
shop=$port
get() { curl -s --max-time 20 "$@"; }
# curl as another sidecar's client, with shop's certificate.
as_shop() { get --cacert "$folder/keys/ca.pem" --cert "$folder/keys/shop.pem" --key "$folder/keys/shop-key.pem" \
    --resolve "hello:8114:$there" "$@"; }

# Claim 4.28, ch. 18.5, HOLDS: the app behind a sidecar can be in any language.
if need python3 python3 && need curl curl; then
    start_theirs python3 "$folder/app.py" HTTP/1.1
    start_pod "$there" hello "127.0.0.1:$theirs" --allow shop
    hello=${pids##* }
    seq 30000 >"$folder/blob"
    who="spiffe://workbench.test/shop"
    expect "curl, two sidecars, an app in Python" "python /a URI=$who" "get -H 'Host: hello' http://$here:$shop/a"
    expect "curl that takes the sidecar for a proxy" "python /b URI=$who" "get -x $here:$shop http://hello/b"
    expect "a client in Python" "python /from-python URI=$who" "python3 $folder/ask.py $here:$shop"
    expect "content, up and down" "$(cksum <"$folder/blob")" \
        "get -H 'Host: hello' --data-binary @$folder/blob http://$here:$shop/ | cksum"
    expect "ten on one connection" "1 0 0 0 0 0 0 0 0 0 " \
        "get -H 'Host: hello' -w '%{num_connects} ' -o /dev/null 'http://$here:$shop/[1-10]'"
    expect "HTTP/1.0" "python /c URI=$who" "get -0 -H 'Host: hello' http://$here:$shop/c"
    expect "curl with mutual TLS" "python /d URI=$who" "as_shop https://hello:8114/d"
    expect "curl without a certificate" "refused" \
        "get --cacert $folder/keys/ca.pem --resolve hello:8114:$there https://hello:8114/ || echo refused"
    expect "curl does not take the sidecar for another name" "60" \
        "as_shop --resolve other:8114:$there https://other:8114/; echo \$?"
    expect "metrics for curl" "text/plain; version=0.0.4; charset=utf-8" \
        "get -o /dev/null -w '%{content_type}' http://$there:8124/metrics"
    # promtool comes with a server that begins to run when it is installed: so it is not asked for.
    if command -v promtool >/dev/null; then
        expect "promtool check metrics" "" "get http://$there:8124/metrics | promtool check metrics"
    fi
    if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
        cat >"$folder/read.py" <<'PYTHON'
import sys
from prometheus_client.parser import text_fd_to_metric_families
for family in text_fd_to_metric_families(sys.stdin):
    if family.type == 'histogram' and not any(sample.labels.get('le') == '+Inf' for sample in family.samples):
        print(family.name, 'has no last bucket')
    if family.type == 'unknown' or not family.documentation:
        print(family.name, 'has no type, or no help')
print('read')
PYTHON
        expect "Prometheus's parser for Python" "read" "get http://$there:8124/metrics | /usr/bin/python3 $folder/read.py"
    else
        need prometheus_client python3-prometheus-client # no program, so it says what to do
    fi
    if need openssl openssl; then
        shake() { echo | timeout 10 openssl s_client -connect "$there:8114" -CAfile "$folder/keys/ca.pem" "$@" 2>&1; }
        expect "openssl s_client" "Verify return code: 0 (ok)" \
            "shake -cert $folder/keys/shop.pem -key $folder/keys/shop-key.pem | grep -m 1 -o 'Verify return code.*'"
        expect "openssl asks for TLS 1.2: refused" "70" \
            "shake -tls1_2 | grep -o 'alert number [0-9]*' | sed 's/.* //'"
        expect "the certificate has one URI" "URI:spiffe://workbench.test/hello" \
            "openssl x509 -in $folder/keys/hello.pem -noout -ext subjectAltName | grep -o 'URI:[^,]*'"
    fi
    kill "$hello" && wait "$hello"

    start_theirs python3 "$folder/app.py" HTTP/1.0
    start_pod "$there" hello "127.0.0.1:$theirs"
    hello=${pids##* }
    expect "an app that ends its answers by closing" "python /e URI=$who" "get -H 'Host: hello' http://$here:$shop/e"
    kill "$hello" && wait "$hello"
fi

if need node nodejs && need curl curl; then
    start_theirs node "$folder/app.js"
    start_pod "$there" hello "127.0.0.1:$theirs"
    hello=${pids##* }
    expect "curl, two sidecars, an app in node" "node /f 0" "get -H 'Host: hello' http://$here:$shop/f"
    expect "node in chunks, for HTTP/1.0" "node /g 5" "get -0 -H 'Host: hello' -d hello http://$here:$shop/g"
    expect "a client in node" "node /from-node 0" "node $folder/ask.js $here:$shop"
    kill "$hello" && wait "$hello"
fi

if need nginx nginx-light && need curl curl; then
    choose_port
    # nginx in place of the other sidecar, with the certificate of hello; and in place of ours.
    tls="ssl_protocols TLSv1.3; ssl_certificate $folder/keys/hello.pem; ssl_certificate_key $folder/keys/hello-key.pem;
        ssl_client_certificate $folder/keys/ca.pem; ssl_verify_client on;"
    proxy="proxy_pass https://$there:8114; proxy_ssl_certificate $folder/keys/shop.pem;
        proxy_ssl_certificate_key $folder/keys/shop-key.pem; proxy_ssl_trusted_certificate $folder/keys/ca.pem;
        proxy_ssl_verify on; proxy_ssl_name hello; proxy_ssl_protocols TLSv1.3; proxy_set_header Host hello;"
    if start_nginx "$free_port" "
        server { listen $there:$free_port ssl; $tls location / { return 200 \"nginx \$ssl_client_verify \$uri\\n\"; } }
        server { listen 127.0.0.1:$free_port; location / { $proxy } }"; then
        services <<END
hello $there:$free_port
END
        await "the file is read" "get http://$here:8124/metrics | grep -q ':$free_port'"
        expect "our sidecar, and nginx with mutual TLS" "nginx SUCCESS /h" "get -H 'Host: hello' http://$here:$shop/h"
        expect "three requests, one connection to nginx" "1" \
            "get -H 'Host: hello' -o /dev/null 'http://$here:$shop/[1-3]'
            get http://$here:8124/metrics | grep -c 'sidecar_upstream_connections.*:$free_port\"} 1'"
        start_theirs python3 "$folder/app.py" HTTP/1.1
        start_pod "$there" hello "127.0.0.1:$theirs" --allow shop
        expect "nginx with mutual TLS, and our sidecar" "python /i URI=$who" "get http://127.0.0.1:$free_port/i"
    fi
fi
# The app asks 10.0.0.2, port 80, where nobody listens; a rule in its pod's network sends that to its
# sidecar, as Istio's rules do. In wire's namespaces an ordinary user may make such rules.
# Claim 4.79, ch. 18.5, HOLDS: the sidecar intercepts what the app sends (iptables redirects it).
if need nft nftables && need curl curl; then
    cat >"$folder/redirect.sh" <<'SHELL'
nft 'add table ip mesh
    add chain ip mesh out { type nat hook output priority -100; }
    add rule ip mesh out tcp dport 80 redirect to :8104' && curl -s --max-time 10 http://10.0.0.2/headers
SHELL
    services <<END
stock 10.0.0.2:8114
END
    doing="an app whose connections are redirected"
    ../../common/wire/wire --rtt 5 --node shop --node stock -- stock: ./app --host 127.0.0.1 \
        -- stock: ./sidecar --quiet --name stock --host 127.0.0.1 --inbound-host 10.0.0.2 --keys "$folder/keys" \
        -- shop: ./sidecar --quiet --name shop --host 127.0.0.1 --redirected --keys "$folder/keys" \
        --services "$folder/services" -- shop: sh "$folder/redirect.sh" >"$folder/redirected" 2>&1
    if [ $? -eq 3 ]; then
        echo "skipped $doing: this machine allows no wire" && skipped=$((skipped + 1))
    else
        expect "$doing" "Host: 10.0.0.2
X-Forwarded-Client-Cert: URI=spiffe://workbench.test/shop" "grep -e '^Host' -e Cert $folder/redirected"
    fi
fi

said=$folder/app
start_server ./app --name stock
app=$server said=$folder/stock
start_server ./sidecar --name stock --app "127.0.0.1:$port" --keys "$folder/keys"
stock=$server said=$folder/shop
printf 'stock 127.0.0.1:%s\nend\n' "$(echo "$ports" | sed -n 's/^inbound //p')" >"$folder/two"
start_server ./sidecar --name shop --keys "$folder/keys" --services "$folder/two"
await "the file is read" "./client --port $port --status stock/ | grep -q 200"
./client --port "$port" --count 3 "stock/?ms=100" >/dev/null
if need curl curl; then
    expect "the time of the requests in the metrics, in seconds" "yes" \
        "curl -s --max-time 20 http://127.0.0.1:$(echo "$ports" | sed -n 's/^admin //p')/metrics |
            awk '/duration_seconds_count/ { count = \$2 } /duration_seconds_sum/ { sum = \$2 } END { print (count >= 4 && sum >= 0.3 && sum < 100 ? \"yes\" : sum) }'"
fi
stop_server
expect "the sidecar that asks says what it has done" "handshakes: inbound 0, outbound 1" "sed -n 's/^stopped:.*, hand/hand/p' $said"
expect "and its log has each request" "outbound, stock GET /?ms=100: 200, try 1
... and 2 more" "grep -A 1 '/?ms=100' $said | sed 's/.* ms  //; s/^  *//'"
server=$stock said=$folder/stock
stop_server
expect "the one that is asked, too" "handshakes: inbound 1, outbound 0" "sed -n 's/^stopped:.*, hand/hand/p' $said"
expect "and its log, too" "inbound, spiffe://workbench.test/shop GET /?ms=100: 200
... and 2 more" "grep -A 1 '/?ms=100' $said | sed 's/.* ms  //; s/^  *//'"
server=$app said=$folder/app
stop_server
expect "and the app" "stopped: requests 4" "tail -n 1 $said"
finish
