# bench.sh: how fast a download is over UDP, beside the kernel's TCP with Reno on the same wire, with
# 0, 1, 3 and 10 % lost; the median of RUNS seeds. And the server's CPU time for a megabyte, on loopback.
# It takes about four minutes; RUNS=3 for a quick look.
. ../../common/test/peers.sh

RUNS=${RUNS:-9}

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# goodput LOSS BYTES [--tcp]: Mbit/s, the median over the seeds.
goodput() {
    loss=$1 bytes=$2
    shift 2
    for seed in $(seq "$RUNS"); do
        timeout 100 ../../common/wire/wire --rtt 40 --rate 20000 --loss "$loss" --seed "$seed" -- ./server --quiet -- \
            build/goodput --bytes "$bytes" "$@" | grep -E '^[0-9.]+$' || exit 1
    done | median
}

printf '  %-12s %14s %14s %7s\n' "lost" "UDP, streams" "TCP, Reno" ratio
for case in ${CASES:-"0 4000000" "1 2000000" "3 1000000" "10 300000"}; do
    # shellcheck disable=SC2086 # two numbers
    set -- $case
    echo "$1 $(goodput "$1" "$2") $(goodput "$1" "$2" --tcp)" |
        awk '{ printf "  %-12s %9.2f Mbit %9.2f Mbit %7.2f\n", $1 " %", $2, $3, $2 / $3 }'
done

# CPU time of the server in ms for each MB: user and system, as the kernel counts it.
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$1/stat"; }

cost() {
    start_server ./server --quiet
    pid=${pids##* }
    before=$(cpu_ms "$pid")
    for run in 1 2 3 4 5; do build/goodput --port "$port" --bytes 40000000 "$@" >/dev/null || exit 1; done
    echo "$before $(cpu_ms "$pid")" | awk '{ print ($2 - $1) / 200 }'
    kill "$pid" && wait "$pid" 2>/dev/null
}

echo "$(cost) $(cost --tcp)" |
    awk '{ printf "  %-12s %9.2f ms   %9.2f ms   %7.2f\n", "CPU for 1 MB", $1, $2, $1 / $2 }'
