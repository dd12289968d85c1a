# bench.sh: the CPU time of one request, for our server and for nginx: user and system time of the
# server's process, divided by the requests that it served. The two take turns; the figure is the
# median of five. Then the memory of 10,000 idle connections.
#
# CPU time, not requests a second: wrk runs on the same cores and would hide the difference.
. ../common/test/peers.sh

for program in nginx wrk; do
    command -v $program >/dev/null || { echo "this needs $program: apt-get install nginx-light wrk" && exit 0; }
done
RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-2}
choose_port && their_port=$free_port
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

# nginx with one worker, without the functions that our server does not have, and with the same
# answer as ours; for files both have sendfile().
cat >"$folder/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $folder/pid; error_log $folder/error;
events { worker_connections 1000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 60; server_tokens off;
    sendfile on;
    server { listen 127.0.0.1:$their_port; location / { default_type text/plain; return 200 "hello, world\n"; }
        location /file/ { alias $folder/www/; } } }
CONF
cat >"$folder/pipeline.lua" <<'LUA'
init = function(args)
    local one = wrk.format("GET", "/")
    many = string.rep(one, 16)
end
request = function() return many end
LUA

mkdir "$folder/www" && head -c 1048576 /dev/urandom >"$folder/www/1mb"
chmod -R a+rX "$folder" # nginx's worker is another user
start_server ./server --quiet --files "$folder/www"
ours=${pids##* }
nginx -p "$folder" -c "$folder/nginx.conf" 2>/dev/null &
pids="$pids $!"
await_port tcp "$their_port" || exit 1
worker=$(pgrep -P $!)

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# cost PID URL [wrk options]: microseconds of CPU time a request
cost() {
    pid=$1 url=$2
    shift 2
    before=$(ticks "$pid")
    requests=$(wrk -t1 -c64 -d"${SECONDS_EACH}s" "$@" "$url" | sed -n 's/^ *\([0-9]*\) requests in.*/\1/p')
    echo "$before $(ticks "$pid") $requests" | awk -v hz="$(getconf CLK_TCK)" '{ printf "%.3f\n", ($2 - $1) / hz * 1e6 / $3 }'
}

median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

compare() {
    title=$1 path=$2
    shift 2
    : >"$folder/ours" && : >"$folder/theirs"
    for run in $(seq "$RUNS"); do
        cost "$ours" "http://127.0.0.1:$port$path" "$@" >>"$folder/ours"
        cost "$worker" "http://127.0.0.1:$their_port$path" "$@" >>"$folder/theirs"
    done
    echo "$(median "$RUNS" <"$folder/ours") $(median "$RUNS" <"$folder/theirs")" |
        awk -v title="$title" '{ printf "  %-34s %8.2f us %8.2f us %8.2f\n", title, $1, $2, $1 / $2 }'
}

printf '  %-34s %11s %11s %8s\n' "CPU time a request (median of $RUNS)" ours nginx ratio
compare "wrk -t1 -c64" /
compare "a file of 1 MB" /file/1mb
compare "a short answer, 16 pipelined" / -s "$folder/pipeline.lua"

# 10,000 connections, each with one request, and then silent.
command -v python3 >/dev/null || { echo "  10,000 idle connections: this needs python3" && exit 0; }
ulimit -n "$(ulimit -Hn)"
python3 - "$port" "$ours" <<'PYTHON'
import resource, socket, sys
port, pid, count = int(sys.argv[1]), sys.argv[2], 10000
def memory():
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < count + 50:
    sys.exit("  10,000 idle connections: ulimit -Hn does not allow them")
before, idle = memory(), []
for i in range(count):
    idle.append(socket.create_connection(("127.0.0.1", port)))
    idle[-1].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert idle[-1].recv(1000).startswith(b"HTTP/1.1 200 ")
print(f"  {count} idle connections: {(memory() - before) * 1024 // count} bytes of resident memory each")
PYTHON
