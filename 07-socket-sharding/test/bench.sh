# bench.sh: what a connection costs: each is made, asks once, is answered and closed (wrk with
# "Connection: close"). Ours against nginx in the like mode, in turns, median of five:
#
#   one shared socket      ours --wait epoll-exclusive, which is what nginx does by itself
#   sharded                nginx with "listen ... reuseport"
#
# and beside them the two other ways to wait of our server, which nginx does not have. Columns: connections
# a second, in thousands (wrk runs on the same CPUs: this is what the machine can do with both);
# CPU time of all workers, user and system, for one connection; connections in a second of the
# workers' CPU time, ours over nginx's: 1 or more is the goal.
. ../common/test/peers.sh

for program in nginx wrk; do
    command -v $program >/dev/null || { echo "this needs $program: apt-get install nginx-light wrk" && exit 0; }
done
RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-1}
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

# start_nginx WORKERS [reuseport]: all is off that our server does not do. Sets $theirs, its master.
start_nginx() {
    choose_port && their_port=$free_port
    cat >"$folder/nginx.conf" <<CONF
daemon off; worker_processes $1; pid $folder/pid; error_log $folder/error;
events { worker_connections 1000; }
http { access_log off; keepalive_timeout 0; server_tokens off; server { listen 127.0.0.1:$their_port $2;
    location / { default_type text/plain; return 200 "worker 1 pid 12345 tid 12345\n"; } } }
CONF
    nginx -p "$folder" -c "$folder/nginx.conf" 2>/dev/null &
    theirs=$!
    pids="$pids $theirs"
    await_port tcp "$their_port" || exit 1
}

# Clock ticks of CPU time that the children of process $1 have used.
ticks() {
    for child in $(pgrep -P "$1"); do
        awk '{ print $14 + $15 }' "/proc/$child/stat"
    done | awk '{ sum += $1 } END { print sum }'
}

# cost PID PORT: "connections-a-second microseconds-of-CPU-time-each"
cost() {
    before=$(ticks "$1")
    wrk -t1 -c64 -d"${SECONDS_EACH}s" -H 'Connection: close' "http://127.0.0.1:$2/" >"$folder/wrk"
    sed -n 's/^ *\([0-9]*\) requests in \([0-9.]*\)s.*/\1 \2/p' "$folder/wrk" |
        awk -v ticks=$(($(ticks "$1") - before)) -v hz="$(getconf CLK_TCK)" \
            '{ printf "%.0f %.3f\n", $1 / $2, ticks / hz * 1e6 / $1 }'
}

# The median of column $2 of file $1.
median() { awk -v column="$2" '{ print $column }' "$1" | sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# compare TITLE WORKERS SERVER-OPTIONS [NGINX-WORD]: with "-" for the last, ours alone.
compare() {
    # shellcheck disable=SC2086 # a list of options
    start_server ./server --quiet --workers "$2" --as processes $3
    ours=${pids##* }
    [ "$4" = - ] || start_nginx "$2" "$4"
    rm -f "$folder/ours" "$folder/theirs"
    cost "$ours" "$port" >/dev/null # to warm up
    for run in $(seq "$RUNS"); do
        cost "$ours" "$port" >>"$folder/ours"
        [ "$4" = - ] || cost "$theirs" "$their_port" >>"$folder/theirs"
    done
    set -- "$1" "$2" "$(median "$folder/ours" 1)" "$(median "$folder/ours" 2)" "$4"
    [ "$5" = - ] || set -- "$@" "$(median "$folder/theirs" 1)" "$(median "$folder/theirs" 2)"
    echo "$@" | awk -v title="$1" -v workers="$2" -v rate="$3" -v cpu="$4" -v their_rate="${6:-0}" -v their_cpu="${7:-0}" '
        { printf "  %-26s %7d %8.1f k %8.2f us", title, workers, rate / 1000, cpu
          if (their_cpu > 0) printf " %8.1f k %8.2f us %7.2f", their_rate / 1000, their_cpu, their_cpu / cpu
          printf "\n" }'
    stop_all
    pids=""
}

printf '  %-26s %7s %10s %11s %10s %11s %7s\n' "median of $RUNS" workers "ours a s" "CPU each" "nginx a s" "CPU each" ratio
for workers in 1 2; do
    compare "shared, epoll-exclusive" $workers "--mode shared --wait epoll-exclusive" ""
    compare "sharded, epoll" $workers "--mode sharded --wait epoll" reuseport
    compare "shared, epoll" $workers "--mode shared --wait epoll" -
    compare "shared, accept" $workers "--mode shared --wait accept" -
    compare "sharded, accept" $workers "--mode sharded --wait accept" -
done
