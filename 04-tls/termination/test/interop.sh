# interop.sh: the proxy between clients and servers that no one here wrote.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seq 30000 >"$folder/blob"

if need python3 python3 && need curl curl; then
    get() { curl -s --max-time 20 --cacert ../keys/ca.pem "$@"; }
    cat >"$folder/upstream.py" <<'PYTHON'
import http.server, os, sys
os.chdir(sys.argv[1])
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def send_text(self, text):
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_POST(self):
        text = (self.headers['X-Forwarded-For'] + ' ' + self.headers['X-Forwarded-Proto'] + '\n').encode()
        self.send_text(text + self.rfile.read(int(self.headers['Content-Length'])))
    def do_OPTIONS(self):
        self.send_text(str(self.headers).encode())
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
    start_theirs python3 "$folder/upstream.py" "$folder"
    start_server ./proxy --upstream "127.0.0.1:$theirs"
    here="https://localhost:$port"
    expect "curl, our proxy, python's server" "$(cksum <"$folder/blob")" "get $here/blob | cksum"
    expect "the proxy adds the address of the client" "127.0.0.1 https
hello" "get -H 'X-Forwarded-For: 6.6.6.6' -d hello $here/"
    expect "much goes through the proxy" "$( (echo "127.0.0.1 https"; cat "$folder/blob") | cksum)" \
        "get --data-binary @$folder/blob $here/ | cksum"
    expect "what the server sees of a request" "Max-Forwards: 4
Via: 1.1 workbench
X-Forwarded-For: 127.0.0.1
X-Forwarded-Proto: https" "get -X OPTIONS -H 'Max-Forwards: 5' -H 'X_Forwarded_For: 6.6.6.6' -H 'Connection: X-A' -H 'X-A: 1' \
        -H 'Connection: X-B' -H 'X-B: 1' -H 'User-Agent:' -H 'Accept:' $here/ | tr -d '\r' | grep -v '^Host\|^$' | sort"
    expect "three on one connection" "1 0 0 " \
        "get -w '%{num_connects} ' -o $folder/1 $here/blob -o $folder/2 $here/blob -o $folder/3 $here/nothing"
    expect "HTTP/1.0" "200 close" \
        "get -0 -o $folder/1 -D - $here/blob | tr -d '\r' | sed -n 's/^HTTP.* \([0-9]*\) .*/\1/p; s/^Connection: //p' | xargs"
    expect "HEAD" "200 0" "get -I -o $folder/1 -w '%{http_code} %{size_download}' $here/blob"
    expect "plain HTTP" "400" "get -o /dev/null -w '%{http_code}' http://localhost:$port/"

    said=$folder/said
    start_server ./proxy --quiet --upstream "127.0.0.1:$theirs"
    get "https://localhost:$port/blob" "https://localhost:$port/blob" >/dev/null
    get "https://localhost:$port/blob" >/dev/null
    stop_server
    said=/dev/null
    expect "the proxy says what it has done" "stopped: connections 2, requests 3" "tail -n 1 $folder/said"
fi

if need nginx nginx-light && need curl curl; then
    choose_port
    if start_nginx "$free_port" "server { listen 127.0.0.1:$free_port; root $folder;
        gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; }"; then
        start_server ./proxy --upstream "127.0.0.1:$free_port"
        here="https://localhost:$port"
        expect "curl, our proxy, nginx" "$(cksum <"$folder/blob")" "get $here/blob | cksum"
        expect "nginx, in chunks" "$(cksum <"$folder/blob")" "get --compressed $here/blob | cksum"
        expect "nginx, in chunks, which HTTP/1.0 does not know" "$(cksum <"$folder/blob")" \
            "get -0 --compressed $here/blob | cksum"
        expect "nginx, a part" "206 12" "get -r 0-11 -o $folder/1 -w '%{http_code} %{size_download}' $here/blob"
    fi
fi
finish
