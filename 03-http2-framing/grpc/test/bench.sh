# bench.sh: what a call costs a server: CPU time (user and system, all threads, as the kernel counts it),
# side by side with node's @grpc/grpc-js and Python's grpcio (the C++ core, with a handler in Python), a
# fresh server for each figure, in turn; the median of RUNS. The list of to-dos grows in all of them.
. ../../common/test/peers.sh

RUNS=${RUNS:-3}
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
python=python3
"$python" -c "import grpc" 2>/dev/null || python=/usr/bin/python3 # Debian's

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# measure WHO CALLS OPTIONS...: starts that server, appends a figure to $folder/WHO.
measure() {
    who=$1 calls=$2
    shift 2
    case $who in
    ours) start_server ./server --quiet && theirs=$port ;;
    node) start_theirs node test/peer.js server ;;
    core) start_theirs "$python" test/peer.py server ;;
    esac || exit 1
    build/load --port "$theirs" --pid "${pids##* }" --calls "$calls" "$@" >>"$folder/$who" || exit 1
    kill "${pids##* }" && wait "${pids##* }" 2>/dev/null
}

# compare TITLE CALLS CALLS_OF_THEIRS OPTIONS...
compare() {
    title=$1 calls=$2 fewer=$3
    shift 3
    rm -f "$folder/ours" "$folder/node" "$folder/core"
    for run in $(seq "$RUNS"); do
        measure ours "$calls" "$@"
        [ -z "$node" ] || measure node "$fewer" "$@"
        [ -z "$core" ] || measure core "$fewer" "$@"
    done
    for who in ours node core; do
        [ ! -f "$folder/$who" ] || median <"$folder/$who"
        [ -f "$folder/$who" ] || echo -
    done | paste -s - | awk -v title="$title" '
        function us(digits, text) { return text == "-" ? "-   " : sprintf("%." digits "f us", text) }
        function ratio(text) { return text > 0 ? sprintf("%.3f", $1 / text) : "-" }
        { printf "  %-32s%10s%11s%11s%7s%7s\n", title, us(2, $1), us(1, $2), us(1, $3), ratio($2), ratio($3) }'
}

node=yes core=yes
[ -d node_modules/@grpc/grpc-js ] || node=""
"$python" -c "import grpc" 2>/dev/null || core=""
printf '  %-32s%10s%11s%11s%14s\n' "CPU of the server, median of $RUNS" ours grpc-js grpcio "ratio to each"
compare "a call, one after the other" 20000 2000
compare "a call, 50 at once" 100000 5000 --at-once 50
compare "a message of a stream, both ways" 1000000 10000 --stream

# Memory of our server while 100,000 messages pass, after the list of to-dos is full.
start_server ./server --quiet
pid=${pids##* }
build/load --port "$port" --pid "$pid" --calls 10000 --stream >/dev/null
before=$(sed -n 's/VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
build/load --port "$port" --pid "$pid" --calls 100000 --stream >/dev/null
after=$(sed -n 's/VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
echo "  our memory before and after 100,000 messages each way: $before kB, $after kB"
