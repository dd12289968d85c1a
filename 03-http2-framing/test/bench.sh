# bench.sh: what a request and an idle connection cost this server.
#
# CPU time (user and system) of the server process for one request, beside nghttpd's in the same
# run: throughput would be the load generator's, which sits on the same processors. And resident
# memory of a connection that has exchanged SETTINGS and is silent since.
. ../common/test/peers.sh

RUNS=5
REQUESTS=${REQUESTS:-500000}
CONNECTIONS=${CONNECTIONS:-9900} # the server takes 10,000
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f12,13 | tr ' ' '+'; }

# cpu_ns PID PORT: CPU nanoseconds that the server spends on one of h2load's requests.
cpu_ns() {
    before=$(($(cpu_ticks "$1")))
    h2load -t1 -c8 -m32 -n "$REQUESTS" "http://127.0.0.1:$2/" >"$folder/log" 2>&1
    after=$(($(cpu_ticks "$1")))
    grep -q " $REQUESTS succeeded" "$folder/log" || echo "not all requests succeeded" >&2
    echo $(((after - before) * (1000000000 / $(getconf CLK_TCK)) / REQUESTS))
}

median() { sort -n "$1" | sed -n "$(((RUNS + 1) / 2))p"; }

bench_requests() {
    choose_port
    printf 'hello, world\n' >"$folder/index.html"
    start_server ./server --quiet
    ours=${pids##* }
    nghttpd --no-tls -n1 -d "$folder" "$free_port" >/dev/null 2>&1 &
    theirs=$!
    pids="$pids $theirs"
    await_port tcp "$free_port" || return
    i=0
    while [ $i -lt $RUNS ]; do
        cpu_ns "$ours" "$port" >>"$folder/ours"
        cpu_ns $theirs "$free_port" >>"$folder/theirs"
        i=$((i + 1))
    done
    a=$(median "$folder/ours") b=$(median "$folder/theirs")
    printf '%-44s %8s\n' "CPU time of a request, median of $RUNS runs" "ns"
    printf '%-44s %8d\n%-44s %8d\n' "this server" "$a" "nghttpd" "$b"
    echo "$a $b" | awk '{ printf "%-44s %8.2f\n", "ratio", $1 / $2 }'
}

# Opens the connections, waits until each has exchanged SETTINGS, and reads VmRSS before and after.
bench_memory() {
    start_server ./server --quiet
    python3 - "$port" "${pids##* }" "$CONNECTIONS" <<'END'
import socket, sys
port, pid, count = map(int, sys.argv[1:])
def resident():
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if "VmRSS" in line)
settings, acknowledge = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), bytes([0, 0, 0, 4, 1, 0, 0, 0, 0])
def connect():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + acknowledge)
    received = b""
    while acknowledge not in received:
        received += s.recv(4096)
    return s
first = connect()
before = resident()
idle = [connect() for _ in range(count)]
after = resident()
print(f"{'resident bytes of an idle connection':44} {(after - before) * 1024 // count:8}")
print(f"{'  (of so many)':44} {count:8}")
END
}

if need h2load nghttp2-client && need nghttpd nghttp2-server; then
    bench_requests
fi
if need python3 python3; then
    bench_memory
fi
