# bench.sh: what a broker needs: CPU time for each message that it delivers (user and system, as the
# kernel counts it), and memory for each client that waits. Side by side with mosquitto, a fresh one
# of each for each figure, in turn; the median of RUNS.
#
# In bursts, 100 messages come with one write(), and what is for one subscriber leaves with one send().
# Paced, the next message comes when all have the one before: each delivery is a send() of its own,
# which is the kernel's work and the same for both.
. ../../common/test/peers.sh

RUNS=${RUNS:-3} CLIENTS=${CLIENTS:-10000}
need mosquitto mosquitto || exit 0
ulimit -n "$(ulimit -Hn)"
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# measure ours|theirs OPTIONS...: starts that broker, and appends a figure to $folder/ours or theirs.
measure() {
    whose=$1
    shift
    if [ "$whose" = ours ]; then
        start_server ./broker --quiet
    else
        choose_port && port=$free_port
        printf 'listener %d 127.0.0.1\nallow_anonymous true\nlog_type error\n' "$port" >"$folder/mosquitto.conf"
        mosquitto -c "$folder/mosquitto.conf" >/dev/null 2>&1 &
        pids="$pids $!"
        await_port tcp "$port" || exit 1
    fi
    pid=${pids##* }
    build/crowd --port "$port" --pid "$pid" "$@" >>"$folder/$whose" || exit 1
    kill "$pid" && wait "$pid" 2>/dev/null
}

# compare TITLE UNIT OPTIONS...
compare() {
    title=$1 unit=$2
    shift 2
    rm -f "$folder/ours" "$folder/theirs"
    for run in $(seq "$RUNS"); do
        measure ours "$@"
        measure theirs "$@"
    done
    echo "$(median <"$folder/ours") $(median <"$folder/theirs")" |
        awk -v title="$title" -v unit="$unit" '{ printf "  %-48s %9s %s %9s %s %7.2f\n", title, $1, unit, $2, unit, $1 / $2 }'
}

printf '  %-48s %12s %12s %7s\n' "median of $RUNS" ours mosquitto ratio
compare "QoS 0, 1,000 subscribers, bursts of 100" us --subscribers 1000 --qos 0 --burst 100 --messages 500
compare "QoS 0, 1,000 subscribers, paced" us --subscribers 1000 --qos 0 --burst 1 --messages 100
compare "QoS 1, 100 subscribers, bursts of 100" us --subscribers 100 --qos 1 --burst 100 --messages 3000
compare "QoS 1, 100 subscribers, paced" us --subscribers 100 --qos 1 --burst 1 --messages 500
compare "memory a client, $CLIENTS of them idle" B --subscribers "$CLIENTS" --messages 0
