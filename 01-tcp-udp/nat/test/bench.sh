# bench.sh: what a STUN server needs for one question over UDP: CPU time, user and system, as the
# kernel counts it. Side by side with coturn, a fresh one of each, in turn; the median of RUNS.
. ../../common/test/peers.sh

RUNS=${RUNS:-3} QUESTIONS=${QUESTIONS:-100000}
need turnserver coturn || exit 0
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# measure ours|theirs OPTIONS...: starts that server, and appends a figure to $folder/ours or theirs.
measure() {
    whose=$1
    shift
    if [ "$whose" = ours ]; then
        start_server ./server --quiet
    else
        choose_port && port=$free_port
        turnserver -n -S -m 1 -L 127.0.0.1 -p "$port" --no-tls --no-dtls --no-cli --log-file stdout \
            --simple-log --pidfile "$folder/pid" >/dev/null 2>&1 &
        pids="$pids $!"
        await_port tcp "$port" || exit 1
    fi
    pid=${pids##* }
    build/asker --port "$port" --pid "$pid" --questions "$QUESTIONS" "$@" >>"$folder/$whose" || exit 1
    kill "$pid" && wait "$pid" 2>/dev/null
}

printf '  %-36s %9s %12s %7s\n' "median of $RUNS, CPU time a question" ours coturn ratio
for at_once in 1 32; do
    rm -f "$folder/ours" "$folder/theirs"
    for run in $(seq "$RUNS"); do
        measure ours --at-once $at_once
        measure theirs --at-once $at_once
    done
    echo "$(median <"$folder/ours") $(median <"$folder/theirs")" |
        awk -v n=$at_once '{ printf "  %-36s %6s us %9s us %7.2f\n", n " at once", $1, $2, $1 / $2 }'
done
