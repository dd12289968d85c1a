# bench.sh: what a request costs the proxy: CPU time (user and system, as the kernel counts it), side by
# side with HAProxy and nginx in the same mode, one process and one thread each. h2load asks, ../server
# answers; the proxies take turns; the median of RUNS. REQUESTS and RUNS may be given.
. ../../common/test/peers.sh

RUNS=${RUNS:-3} REQUESTS=${REQUESTS:-100000}
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
need h2load nghttp2-client || exit 0
tick_us=$((1000000 / $(getconf CLK_TCK)))

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }
cpu_us() { # of a process with one thread: to the nanosecond where the kernel counts it so
    if [ -r "/proc/$1/schedstat" ]; then
        awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"
    else
        awk -v us="$tick_us" '{ print ($14 + $15) * us }' "/proc/$1/stat"
    fi
}

# start WHO MODE BACKEND: starts a proxy; sets $front and $pid.
start() {
    choose_port
    front=$free_port
    case $1 in
    ours)
        # shellcheck disable=SC2046 # an option or nothing
        start_server ./proxy --quiet --backend "127.0.0.1:$3" $([ "$2" = h1 ] && echo --http1)
        front=$port
        ;;
    haproxy)
        cat >"$folder/haproxy.cfg" <<END
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
listen proxy
    bind 127.0.0.1:$front proto h2
    server one 127.0.0.1:$3 $([ "$2" = h2 ] && echo proto h2)
END
        haproxy -db -f "$folder/haproxy.cfg" >/dev/null 2>&1 &
        pids="$pids $!"
        await_port tcp "$front"
        ;;
    nginx) # it has HTTP/2 to a backend for gRPC only
        start_nginx "$front" "upstream behind { server 127.0.0.1:$3; keepalive 100; }
            server { listen 127.0.0.1:$front http2; keepalive_requests 100000000; location / {
            proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ''; } }"
        ;;
    esac
    pid=${pids##* }
}

# measure WHO MODE CLIENTS STREAMS SIZE: appends the microseconds a request to $folder/WHO.
measure() {
    start_server ../server --quiet --streams 1000
    behind=$port backend=${pids##* }
    start "$1" "$2" "$behind"
    url="http://127.0.0.1:$front/img/1?size=$5"
    h2load -n 1000 -c "$3" -m "$4" "$url" >/dev/null
    before=$(cpu_us "$pid")
    good=$(h2load -n "$REQUESTS" -c "$3" -m "$4" "$url" | sed -n 's/.* \([0-9]*\) succeeded.*/\1/p')
    after=$(cpu_us "$pid")
    [ "$good" = "$REQUESTS" ] || echo "  $1 has answered ${good:-none} of $REQUESTS requests" >&2
    awk -v us=$((after - before)) -v n="${good:-0}" 'BEGIN { printf "%.2f\n", n ? us / n : 0 }' >>"$folder/$1"
    kill "$pid" "$backend"
    wait "$pid" "$backend" 2>/dev/null
}

# compare TITLE MODE CLIENTS STREAMS SIZE
compare() {
    rm -f "$folder/ours" "$folder/haproxy" "$folder/nginx"
    for run in $(seq "$RUNS"); do
        measure ours "$2" "$3" "$4" "$5"
        [ -z "$haproxy" ] || measure haproxy "$2" "$3" "$4" "$5"
        [ -z "$nginx" ] || [ "$2" = h2 ] || measure nginx "$2" "$3" "$4" "$5"
    done
    for who in ours haproxy nginx; do
        [ ! -f "$folder/$who" ] || printf '%s ' "$(median <"$folder/$who")"
        [ -f "$folder/$who" ] || printf -- '- '
    done | awk -v title="$1" '
        function us(text) { return text == "-" ? text : sprintf("%.2f", text) }
        { printf "  %-38s %8s %8s %8s us %8s\n", title, us($1), us($2), us($3), us($2 > 0 ? $1 / $2 : "-") }'
}

haproxy=yes nginx=yes
need haproxy haproxy || haproxy=""
need nginx nginx-light || nginx=""
printf '  %-38s %8s %8s %8s    %8s\n' "CPU a request, median of $RUNS" ours haproxy nginx "ratio"
compare "to HTTP/2, 10 clients x 10, 100 bytes" h2 10 10 100
compare "to HTTP/2, 10 clients x 1, 100 bytes" h2 10 1 100
compare "to HTTP/1.1, 10 x 10, 100 bytes" h1 10 10 100
compare "to HTTP/1.1, 10 x 1, 100 bytes" h1 10 1 100
REQUESTS=$((REQUESTS / 10))
compare "to HTTP/2, 10 x 10, 100 KB" h2 10 10 100000
compare "to HTTP/1.1, 10 x 10, 100 KB" h1 10 10 100000
