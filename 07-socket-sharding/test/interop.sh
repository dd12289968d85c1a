# interop.sh: foreign clients against every way in which our workers get connections; and what ss
# and nginx say.
. ../common/test/peers.sh

folder=$(mktemp -d)
ways() {
    for mode in shared sharded; do
        for wait in accept epoll epoll-exclusive; do
            for as in processes threads; do echo "--mode $mode --wait $wait --as $as"; done
        done
    done
}
lines() { grep -E '^(Complete|Failed|Non-2xx)' | sed 's/  */ /g'; }
backlog=$(cat /proc/sys/net/core/somaxconn)
[ "$backlog" -le 4096 ] || backlog=4096

ways >"$folder/ways"
while read -r way; do
    # shellcheck disable=SC2086 # a list of options
    start_server ./server --workers 3 $way
    if need curl curl; then
        expect "curl, $way" "200 200 200 404 431 " \
            "curl -s -m 20 -o /dev/null -w '%{http_code} ' http://127.0.0.1:$port/ --next -s -I -o /dev/null -w '%{http_code} ' \
                http://127.0.0.1:$port/ --next -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:$port/stats --next -s -o /dev/null \
                -w '%{http_code} ' http://127.0.0.1:$port/x --next -s -o /dev/null -w '%{http_code} ' -A $(printf '%05000d' 1) http://127.0.0.1:$port/"
    fi
    if need ab apache2-utils; then
        expect "ab" "Complete requests: 1000
Failed requests: 0" "ab -l -q -n 1000 -c 10 http://127.0.0.1:$port/ | lines"
    fi
    if need wrk wrk; then
        [ "$way" = "${way%processes}" ] || expect "wrk, a second: no errors" "yes" \
            "wrk -t1 -c20 -d1s -H 'Connection: close' http://127.0.0.1:$port/ | tee $folder/wrk | grep -q 'requests in' &&
                ! grep -E 'Socket errors|Non-2xx' $folder/wrk && echo yes"
    fi
    if need ss iproute2; then
        case $way in *shared*) sockets=1 ;; *) sockets=3 ;; esac
        expect "ss: sockets that listen" "$sockets" "ss -Hltn sport = $port | wc -l"
        expect "ss: their backlog" "$backlog" "ss -Hltn sport = $port | awk '{ print \$3 }' | sort -u"
    fi
    kill "${pids##* }"
    wait "${pids##* }"
    status=$?
    expect "it stops" "0" "echo $status"
done <"$folder/ways"

# The queue that we read from TCP_INFO is the one that ss reads by itself.
if need ss iproute2 && need nc netcat-openbsd && need curl curl; then
    start_server ./server --workers 2 --stuck 2 --mode sharded
    clients=""
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        nc -d 127.0.0.1 "$port" >/dev/null &
        clients="$clients $!"
    done
    await "ten clients are connected" "test \$(ss -Htn state established dport = $port | wc -l) -ge 10"
    # A curl that comes to the stuck worker hangs: it is one more in the queue, for a while.
    await "the worker that is not stuck answers" "curl -s -m 0.3 http://127.0.0.1:$port/stats >$folder/stats"
    expect "the same accept queues as ss" "$(ss -Hltn sport = "$port" | awk '{ sum += $2 } END { print sum }')" \
        "awk 'NR > 1 { sum += \$9 } END { print sum }' $folder/stats"
    # shellcheck disable=SC2086 # a list of pids
    kill $clients
fi

# Claim 7.9, guide §8.2, NOT HERE: nginx uses socket sharding by default.
# Three workers share one listening socket, and have three with "listen ... reuseport".
if need nginx nginx-light; then
    for way in 1: 3:reuseport; do
        choose_port && their_port=$free_port
        start_nginx "$their_port" "server { listen 127.0.0.1:$their_port ${way#*:}; location / { return 200 here; } }" \
            "worker_processes 3; user $(id -un);"
        expect "7.9: nginx's listening sockets ${way#*:}" "${way%:*}" \
            "grep -c :$(printf %04X "$their_port").00000000:0000.0A /proc/net/tcp"
        kill "${pids##* }"
        wait "${pids##* }"
    done
fi

# A server can share a port with nginx's shards only if it says so (--join).
if need nginx nginx-light && need curl curl; then
    choose_port && their_port=$free_port
    if start_nginx "$their_port" "server { listen 127.0.0.1:$their_port reuseport;
        location / { return 200 'nginx \$pid\n'; } }" "worker_processes 2; user $(id -un);"; then
        expect "nginx has the port" "1" "timeout 10 ./server --port $their_port 2>/dev/null; echo \$?"
        expect "our client's first scene, against nginx" "0" "./play --port $their_port bind >$folder/bind || { cat $folder/bind; false; }; echo \$?"
        # nginx's shards: the same two addresses and ports, the same worker. (The side that closes first has to remember
        # the port for a minute. That must not be curl, so curl reads on until nginx has closed.)
        again() {
            for from in $(seq 14001 14020); do
                curl -s -m 20 -H 'Connection: close' --ignore-content-length --local-port "$from" "http://127.0.0.1:$their_port/"
            done
        }
        again >"$folder/first"
        expect "nginx: the same client port, the same worker" "$(cat "$folder/first")" again
        expect "and there are two" "2" "sort -u $folder/first | wc -l"
        : >"$folder/log"
        ./server --port "$their_port" --join --workers 2 >"$folder/log" &
        pids="$pids $!"
        await "our server is ready" "grep -q listening $folder/log"
        expect "nginx and we, on one port" "nginx
worker" "for i in \$(seq 100); do curl -s -m 20 http://127.0.0.1:$their_port/; done | cut -d' ' -f1 | sort -u"
    fi
fi
# Claim 7.41, guide §8.2, NOT HERE: SO_REUSEPORT is harder to use in Python or Node.js.
# Each needs one line. Node has it since 22.12 and 23.1; before, it cannot join.
joined() { # for a program that answers NAME and shares the port with our server
    expect "7.41: $1 and we, on one port" "$1
worker" "for i in \$(seq 100); do curl -s -m 20 http://127.0.0.1:$port/; done | cut -d' ' -f1 | sort -u"
}
if need python3 python3 && need curl curl; then
    start_server ./server --workers 2
    start_theirs python3 -u -c "
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('127.0.0.1', $port))
s.listen(100)
print($port)
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b'HTTP/1.0 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\npython\\n')
    c.close()" && joined python
fi
if need node nodejs && need curl curl; then
    start_server ./server --workers 2
    cat >"$folder/join.js" <<END
const server = require('http').createServer((request, response) => response.end('node\n'))
server.on('error', error => console.log(error.code))
server.listen({ port: $port, host: '127.0.0.1', reusePort: true }, () => console.log($port))
END
    if [ "$(node -p 'const [a, b] = process.versions.node.split(".").map(Number); a > 23 || (a == 23 && b > 0) || (a == 22 && b > 11)')" = true ]; then
        start_theirs node "$folder/join.js" && joined node
    else
        expect "7.41: this node, $(node -v), cannot join" "EADDRINUSE" "timeout 20 node $folder/join.js"
    fi
fi
rm -rf "$folder"
finish
