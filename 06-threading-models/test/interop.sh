# interop.sh: foreign clients against all models of our server. Each request is answered, and no
# connection is lost that the client means to keep.
. ../common/test/peers.sh

# The status codes, or whatever else is asked for with -w, of curl's requests.
codes() { curl -s -m 20 -o /dev/null -w '%{http_code} ' "$@"; }
folder=$(mktemp -d)

./server --list-models >"$folder/models"
while read -r model serves about <&3; do
    clients=20 workers=2
    case $serves in # how many connections at once
    one) clients=1 ;;
    workers) workers=20 ;;
    esac
    start_server ./server --model "$model" --workers $workers
    url=http://127.0.0.1:$port
    if need curl curl; then
        expect "$model: curl" "cheap" "curl -sS -m 20 $url/cheap"
        expect "$model: curl, who" "model: $model" "curl -sS -m 20 $url/who | head -n 1"
        expect "$model: curl, HEAD" "200 0 " "codes -I -w '%{http_code} %{size_download} ' $url/cheap"
        expect "$model: curl, HTTP/1.0" "200 1" \
            "curl -s -m 20 -0 -o /dev/null -w '%{http_code} %{num_connects}' $url/cheap"
        expect "$model: curl, a connection for 200 requests" "1" \
            "curl -s -m 20 -w '%{num_connects}\n' -o /dev/null '$url/cheap?[1-200]' | grep -c 1"
        expect "$model: curl, what is refused" "404 400 403 405 413 " \
            "codes $url/nothing; codes $url/io; codes $url/crash; codes -X POST $url/; codes -d x=y $url/"
        expect "$model: curl, a file that the server does not want" "413" \
            "head -c 300000 /dev/zero | curl -s -m 20 -o /dev/null -w '%{http_code}' -H Expect: --data-binary @- $url/"
        expect "$model: curl, a request that waits and one that computes" "waited
burnt" "curl -sS -m 20 '$url/io?ms=50' '$url/cpu?ms=50'"
    fi
    if need ab apache2-utils; then
        lines() { grep -E '^(Complete|Failed|Keep-Alive|Non-2xx)' | sed 's/  */ /g'; }
        expect "$model: ab, a connection for each request" "Complete requests: 500
Failed requests: 0" "ab -q -n 500 -c $clients $url/cheap | lines"
        expect "$model: ab -k, connections that are kept" "Complete requests: 2000
Failed requests: 0
Keep-Alive requests: 2000" "ab -q -k -n 2000 -c $clients $url/cheap | lines"
    fi
    if need wrk wrk; then
        expect "$model: wrk, a second of requests: no errors" "yes" \
            "wrk -t1 -c$clients -d1s $url/cheap | tee $folder/wrk | grep -q 'requests in' && ! grep -E 'Socket errors|Non-2xx' $folder/wrk && echo yes"
    fi
    if need nc netcat-openbsd; then
        expect "$model: nc, three requests at once" "cheap
waited
burnt" "printf 'GET /cheap HTTP/1.1\r\nHost: h\r\n\r\nGET /io?ms=5 HTTP/1.1\r\nHost: h\r\n\r\nGET /cpu?ms=5 HTTP/1.0\r\n\r\n' |
            nc -N 127.0.0.1 $port | grep -E '^(cheap|waited|burnt)'"
    fi
    if need python3 python3; then
        expect "$model: python's http.client keeps its connection" "200 cheap 200 waited 404 Not Found 200 burnt" \
            "python3 -c 'import http.client
c = http.client.HTTPConnection(\"127.0.0.1\", $port, timeout=20)
said, socks = [], set()
for path in \"/cheap\", \"/io?ms=5\", \"/nothing\", \"/cpu?ms=5\":
    c.request(\"GET\", path)
    r = c.getresponse()
    said += [str(r.status), r.read().decode().strip()]
    socks.add(c.sock)
print(*said, \"\" if len(socks) == 1 else \"on more than one connection\")' | sed 's/ *\$//'"
    fi
done 3<"$folder/models"

# Our load generator against nginx: pages of several kinds, and answers that are errors.
if need nginx nginx-light; then
    choose_port && their_port=$free_port
    head -c 300000 /dev/zero >"$folder/long"
    start_nginx "$their_port" "server { listen 127.0.0.1:$their_port; keepalive_requests 100; root $folder;
        location = /short { return 200 'short\n'; }
        location = /close { keepalive_timeout 0; return 200 'and that was all\n'; }
        location = /empty { return 204; }
        location = /busy { return 503; } }"
    # Asks 500 times; says how many answers there were, and which errors.
    ask() {
        ./client --port "$their_port" --url "$1" --connections 5 --requests 500 --seconds 20 |
            sed -n 's/.* answers a second (50[0-4] .*/all/p; s/.* answers a second (0 .*/none/p; s/.*errors; the first: //p'
    }
    for page in short close empty long; do
        expect "our client, nginx: /$page" "all" "ask /$page"
    done
    expect "our client, nginx: a 503, a 404" "none
the answer has status 503
none
the answer has status 404" "ask /busy; ask /none"
fi
rm -rf "$folder"
finish
