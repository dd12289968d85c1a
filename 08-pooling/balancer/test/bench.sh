# bench.sh: what a balancer needs: CPU time for a request, user and system, as the kernel counts it. Side
# by side with nginx and HAProxy in the same mode, one worker each, the same two backends, in turn; the
# median of RUNS. Then many connections at once, and the memory for each pair of legs.
. ../../common/test/peers.sh

RUNS=${RUNS:-3} SECONDS_EACH=${SECONDS_EACH:-1} PAIRS=${PAIRS:-8000}
need wrk wrk && need nginx nginx-light && need haproxy haproxy || exit 0
ulimit -n "$(ulimit -Hn)"
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
module=/usr/lib/nginx/modules/ngx_stream_module.so
tick_us=$((1000000 / $(getconf CLK_TCK)))

start_server ./backend --quiet
first=$port
start_server ./backend --quiet
second=$port

# Each starts a balancer, and sets $port and $pid.
ours() { # LAYER
    start_server ./balancer --quiet --layer "$1" --backend "127.0.0.1:$first" --backend "127.0.0.1:$second"
    pid=${pids##* }
}

nginx_in() { # stream|http
    choose_port && port=$free_port
    upstream="upstream u { server 127.0.0.1:$first; server 127.0.0.1:$second; keepalive 64; }"
    if [ "$1" = http ]; then
        start_nginx "$port" "keepalive_requests 100000000; $upstream
            server { listen 127.0.0.1:$port; location / { proxy_pass http://u; proxy_http_version 1.1;
                proxy_set_header Connection ''; proxy_set_header X-Forwarded-For \$remote_addr; } }"
    else
        start_nginx "$port" "" "master_process off; load_module $module;
            stream { upstream u { server 127.0.0.1:$first; server 127.0.0.1:$second; }
                server { listen 127.0.0.1:$port; proxy_pass u; } }"
    fi
    pid=${pids##* }
}

haproxy_in() { # tcp|http
    choose_port && port=$free_port
    printf 'global\n nbthread 1\n maxconn 9000\ndefaults\n mode %s\n option forwardfor\n timeout connect 5s\n timeout client 30s\n timeout server 30s\nlisten l\n bind 127.0.0.1:%d\n server a 127.0.0.1:%d\n server b 127.0.0.1:%d\n' \
        "$1" "$port" "$first" "$second" >"$folder/haproxy.cfg"
    haproxy -db -f "$folder/haproxy.cfg" >/dev/null 2>&1 &
    pids="$pids $!" pid=$!
    await_port tcp "$port"
}

ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }

# measure NAME HEADER...: CPU time in microseconds for a request, into $folder/NAME.
measure() {
    name=$1
    shift
    before=$(ticks)
    requests=$(wrk -t1 -c32 -d"$SECONDS_EACH" "$@" "http://127.0.0.1:$port/" | awk '/requests in/ { print $1 }')
    echo "$before $(ticks) $requests" | awk -v us="$tick_us" '{ print ($2 - $1) * us / $3 }' >>"$folder/$name"
    kill "$pid" && wait "$pid" 2>/dev/null
}

median() { sort -n "$1" | sed -n "$(((RUNS + 1) / 2))p"; }

# compare TITLE LAYER NGINX HAPROXY HEADER...
compare() {
    title=$1 layer=$2 nginx_mode=$3 haproxy_mode=$4
    shift 4
    rm -f "$folder"/cpu-*
    for _ in $(seq "$RUNS"); do
        ours "$layer" && measure cpu-ours "$@"
        nginx_in "$nginx_mode" && measure cpu-nginx "$@"
        haproxy_in "$haproxy_mode" && measure cpu-haproxy "$@"
    done
    echo "$(median "$folder/cpu-ours") $(median "$folder/cpu-nginx") $(median "$folder/cpu-haproxy")" |
        awk -v title="$title" '{ printf "  %-30s %7.1f us %7.1f us %7.1f us  %5.2f %5.2f\n", title, $1, $2, $3, $1 / $2, $1 / $3 }'
}

printf '  %-30s %10s %10s %10s  %s\n' "CPU a request, median of $RUNS" ours nginx HAProxy "ours to each"
compare "layer 7, connections kept" 7 http http
compare "layer 7, a connection for each" 7 http http -H "Connection: close"
if [ -e $module ]; then
    compare "layer 4, connections kept" 4 stream tcp
    compare "layer 4, a connection for each" 4 stream tcp -H "Connection: close"
else
    need nginx-stream libnginx-mod-stream
fi

# Many clients at once: as many as there may be descriptors for, and say so.
most=$((($(ulimit -Hn) - 200) / 2))
[ "$PAIRS" -le $most ] || PAIRS=$most
for layer in 4 7; do
    ours $layer
    before=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
    wrk -t1 -c"$PAIRS" -d4 --timeout 10 "http://127.0.0.1:$port/" >"$folder/wrk" &
    sleep 3
    after=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
    files=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
    wait $!
    errors=$(grep -i 'socket errors\|non-2xx' "$folder/wrk" || echo "no errors")
    echo "  layer $layer, $PAIRS clients: $files descriptors, $(((after - before) * 1024 / PAIRS)) bytes a pair; $errors"
    kill "$pid" && wait "$pid" 2>/dev/null
done
