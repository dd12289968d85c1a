# bench.sh: what a request costs each model, side by side with nginx: CPU time (user and system)
# of all processes of the server over the requests that they served, alternating, median of five.
# Then what an idle connection costs, and what our load generator costs beside wrk.
#
# CPU time, not requests a second: wrk runs on the same cores and would hide the difference. The
# last column says how many a second there were all the same.
. ../common/test/peers.sh

for program in nginx wrk python3; do
    command -v $program >/dev/null || { echo "this needs $program: apt-get install nginx-light wrk python3" && exit 0; }
done
RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-2} CONNECTIONS=64 CROWD=1000 IDLE=1000
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
ulimit -n "$(ulimit -Hn)"

# Starts nginx with $1 workers, everything off that we do not do, and the same answer as ours.
start_nginx() {
    choose_port && their_port=$free_port
    cat >"$folder/nginx$1.conf" <<CONF
daemon off; worker_processes $1; pid $folder/pid$1; error_log $folder/error;
events { worker_connections 4000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600; server_tokens off;
    server { listen 127.0.0.1:$their_port backlog=4096;
        location / { default_type text/plain; return 200 "cheap\n"; } } }
CONF
    nginx -p "$folder" -c "$folder/nginx$1.conf" 2>/dev/null &
    pids="$pids $!"
    await_port tcp "$their_port" || exit 1
}

# ticks PID: of clock, that a process, its children, and those that have ended were busy
ticks() {
    for pid in "$1" $(cat "/proc/$1/task/$1/children"); do
        cat "/proc/$pid/stat" 2>/dev/null
    done | awk -v first="$1" '{ sum += $14 + $15 + ($1 == first ? $16 + $17 : 0) } END { print sum }'
}

requests() { sed -n 's/^ *\([0-9]*\) requests in.*/\1/p'; }

median() { sort -n "$1" | sed -n "$(((RUNS + 1) / 2))p"; }

# measure NAME PID PORT [CONNECTIONS]: appends microseconds of CPU time a request to $folder/NAME,
# requests a second to $folder/NAME.rate
measure() {
    before=$(ticks "$2")
    count=$(wrk -t1 -c"${4:-$CONNECTIONS}" -d"${SECONDS_EACH}s" "http://127.0.0.1:$3/cheap" | requests)
    # A child's time is among its parent's when that has waited for it.
    sleep 0.2
    echo "$before $(ticks "$2") $count" |
        awk -v hz="$(getconf CLK_TCK)" '{ printf "%.3f\n", ($2 - $1) / hz * 1e6 / $3 }' >>"$folder/$1"
    echo $((count / SECONDS_EACH)) >>"$folder/$1.rate"
}

# row TITLE NAME [THEIRS]
row() {
    cost=$(median "$folder/$2") rate=$(median "$folder/$2.rate")
    if [ -n "$3" ]; then
        echo "$cost $(median "$folder/$3") $rate" |
            awk -v title="$1" '{ printf "  %-34s %8.2f us %8.2f us %8.2f %10d\n", title, $1, $2, $1 / $2, $3 }'
    else
        echo "$cost $rate" | awk -v title="$1" '{ printf "  %-34s %11s %8.2f us %8s %10d\n", title, "", $1, "", $2 }'
    fi
}

servers=""
# start NAME OPTIONS: one of our models, as $NAME in the list of servers
start() {
    name=$1
    shift
    start_server ./server "$@"
    servers="$servers $name:${pids##* }:$port"
}

for workers in 1 2; do
    start_nginx $workers
    servers="$servers nginx$workers:${pids##* }:$their_port"
done
start loop --model loop
uring=$(./server --list-models | sed -n 's/^uring .*/uring/p') # not every machine allows it
[ -z "$uring" ] || start uring --model uring
start readers1 --model readers --workers 1
start readers2 --model readers --workers 2
start pool1 --model pool --workers 1
start pool2 --model pool --workers 2
start thread --model thread
start fork --model fork
start prefork --model prefork --workers $((CONNECTIONS + 1)) # wrk holds one more than it uses
for run in $(seq "$RUNS"); do
    for server in $servers; do
        pid=${server#*:}
        measure "${server%%:*}" "${pid%:*}" "${pid#*:}"
    done
done

printf '  %-34s %11s %11s %8s %10s\n' "CPU time a request (median of $RUNS)" ours nginx ratio requests/s
row "nginx, 1 worker" nginx1
row "nginx, 2 workers" nginx2
row "loop" loop nginx1
[ -z "$uring" ] || row "uring" uring nginx1
row "readers, 1 worker" readers1 nginx1
row "readers, 2 workers" readers2 nginx2
row "pool, 1 worker" pool1 nginx1
row "pool, 2 workers" pool2 nginx2
row "thread, 64 of them" thread nginx2
row "fork, 64 processes" fork nginx2
row "prefork, 65 processes" prefork nginx2
for server in $servers; do
    case $server in
    nginx1:* | loop:* | uring:*)
        pid=${server#*:}
        for run in $(seq "$RUNS"); do
            measure "${server%%:*}-crowd" "${pid%:*}" "${pid#*:}" $CROWD
        done
        ;;
    esac
done
row "nginx, 1 worker, $CROWD connections" nginx1-crowd
row "loop, $CROWD connections" loop-crowd nginx1-crowd
[ -z "$uring" ] || row "uring, $CROWD connections" uring-crowd nginx1-crowd
echo "  single is not there: it would serve only one of the $CONNECTIONS connections"

printf '\n  %-34s\n' "system calls a request (scene system_calls)"
../common/wire/wire -- ./server -- ./play system_calls | sed -n 's/^  \(loop\|uring\)  *[^ 0-9]* *\([0-9.]*\)$/  \1 \2/p' |
    while read -r name calls; do printf '  %-34s %11s\n' "$name" "$calls"; done

# ---- idle connections ----------------------------------------------------------------------

cat >"$folder/idle.py" <<'PYTHON'
import glob, socket, sys
port, pid, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def family():
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid] + children.read().split()
    except OSError:
        return [pid]
def sum_up(name, field): # in kB; a page that several processes share is divided among them
    total = 0
    for member in family():
        with open(f"/proc/{member}/{name}") as lines:
            total += next(int(line.split()[1]) for line in lines if line.startswith(field))
    return total
def connect():
    c = socket.create_connection(("127.0.0.1", port), timeout=20)
    c.sendall(b"GET /cheap HTTP/1.1\r\nHost: a\r\n\r\n")
    assert c.recv(1000).startswith(b"HTTP/1.1 200 ")
    return c
warm = [connect() for i in range(10)] # what only the first ones cost is not theirs
before = sum_up("smaps_rollup", "Pss:"), sum_up("status", "VmSize:")
idle = [connect() for i in range(count)]
after = sum_up("smaps_rollup", "Pss:"), sum_up("status", "VmSize:")
print(*((b - a) * 1024 // count for a, b in zip(before, after)))
PYTHON

# idle TITLE PID PORT
idle() {
    python3 "$folder/idle.py" "$3" "$2" $IDLE >"$folder/idle" || return
    read -r resident virtual <"$folder/idle"
    printf '  %-34s %9d B %9d KB\n' "$1" "$resident" $((virtual / 1024))
}

printf '\n  %-34s %11s %12s\n' "memory for each of $IDLE idle connections" resident virtual
# Others, fresh ones: what was measured above has left its traces.
stop_all
pids="" servers=""
start_nginx 1
idle "nginx, 1 worker" "${pids##* }" "$their_port"
for model in loop readers pool thread fork; do
    start_server ./server --model $model --workers 2 --idle-ms 600000
    idle "$model" "${pids##* }" "$port"
done
start_server ./server --model prefork --workers $((IDLE + 20)) --idle-ms 600000
idle "prefork (its processes are there before)" "${pids##* }" "$port"

# ---- the load generator --------------------------------------------------------------------

start_server ./server --model loop
url=http://127.0.0.1:$port/cheap

# generate NAME COMMAND...: the CPU time of a program that makes load, and how much that was.
generate() {
    name=$1
    shift
    python3 - "$@" >"$folder/out" <<'PYTHON'
import os, re, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
used = os.times()
count = int("".join(re.search(r"(\d+) requests|answers a second \((\d+)", done.stdout).groups("")))
print((used.children_user + used.children_system) * 1e6 / count, count)
PYTHON
    cut -d' ' -f1 "$folder/out" >>"$folder/$name"
    cut -d' ' -f2 "$folder/out" | awk -v s="$SECONDS_EACH" '{ print int($1 / s) }' >>"$folder/$name.rate"
}

for run in $(seq "$RUNS"); do
    generate wrk wrk -t1 -c$CONNECTIONS -d"${SECONDS_EACH}s" "$url"
    generate client ./client --port "$port" --url /cheap --connections $CONNECTIONS --seconds "$SECONDS_EACH"
done
printf '\n  %-34s %11s %11s %8s %10s\n' "CPU time a request, of the client" ours wrk ratio requests/s
row "./client --url" client wrk
