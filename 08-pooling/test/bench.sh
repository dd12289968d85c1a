# bench.sh: what the pool costs, whether it is fair, and what a query costs this server.
#
# acquire and release of a pool with one thread, beside a bare mutex: at most 5 times that.
# Both are measured in turn, and of each the shortest round counts. Eight threads on four
# connections: the longest wait is at most 10 times the median. CPU time (user and system) of the
# server's process for a query on one connection, one at a time and 64 under way at once; beside
# Redis, which is as small and well known for it.
. ../common/test/peers.sh

RUNS=${RUNS:-5}
QUERIES=${QUERIES:-100000}
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f12,13 | tr ' ' '+'; }

# measure NAME PID COMMAND: appends the server's CPU nanoseconds for one of $queries to
# $folder/NAME.
measure() {
    before=$(($(cpu_ticks "$2")))
    eval "$3" >"$folder/log" 2>&1 || cat "$folder/log"
    after=$(($(cpu_ticks "$2")))
    echo $(((after - before) * (1000000000 / $(getconf CLK_TCK)) / queries)) >>"$folder/$1"
}

median() { sort -n "$folder/$1" | sed -n "$(((RUNS + 1) / 2))p"; }

build/bench_pool lock
echo
start_server ./server --quiet --query-ms 5 --cores 4
build/bench_pool fair --port "$port"
echo

start_server ./server --quiet
ours=${pids##* }
theirs=""
if need redis-server redis-server && need redis-benchmark redis-tools; then
    choose_port && redis_port=$free_port
    redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$folder" >/dev/null &
    theirs=$!
    pids="$pids $theirs"
    await_port tcp "$redis_port" || exit 1
fi
for run in $(seq "$RUNS"); do
    for window in 1 64; do
        queries=$((window == 1 ? QUERIES : QUERIES * 20))
        measure "ours-$window" "$ours" "build/bench_pool queries --port $port --count $queries --window $window"
        [ -z "$theirs" ] || measure "theirs-$window" "$theirs" \
            "redis-benchmark -p $redis_port -c 1 -P $window -n $queries -q get user:7"
    done
done
printf '%-44s %11s %11s\n' "CPU time of a query, median of $RUNS" ours redis
for window in 1 64; do
    printf '%-44s %8d ns' "  $window under way on one connection" "$(median "ours-$window")"
    [ -z "$theirs" ] || printf ' %8d ns' "$(median "theirs-$window")"
    echo
done
