# soak.sh: every server for SOAK_SECONDS, all at once, under good and hostile load. A good client
# plays its round over and over and must never fail; hostile clients (see hostile.c) do to the same
# server what the good one does, mutilated. In the end the server, and what it needs beside it, must
# have no more descriptors than in the beginning, no more memory than after the first fifth, and stop
# as they should; no process may be left.
#
#   sh common/test/soak.sh 02-http1 08-pooling/proxy
#   make soak SOAK_SECONDS=60 SAN=address,undefined     (a sanitizer keeps freed memory: only
#                                                        descriptors are judged then)

SOAK_SECONDS=${SOAK_SECONDS:-600}
root=$(cd "$(dirname "$0")/../.." && pwd)

# One line for each server: its folder, and a name if there is more than one | what it needs beside
# it ("beside NAME PROGRAM" starts a program, $NAME is its port then) | the server | a good round: one
# that needs nothing but its answers, whatever else goes on, and that adds nothing that would have to
# be kept (so that of 10 repeats its charges).
# shellcheck disable=SC2016 # the variables are those of the row and of the client
servers='
01-tcp-udp                     | : | ./server | ./play --host $HOST --port $PORT segments
01-tcp-udp/nat                 | : | ./server | ./client --host $HOST --port $PORT --tries 7
01-tcp-udp/nat tcp             | : | ./server | ./client --host $HOST --port $PORT --tcp
01-tcp-udp/streams             | : | ./server | ./client --host $HOST --port $PORT /bytes/30000 /ticks/5/10/0
02-http1                       | : | ./server | ./play --host $HOST --port $PORT raw
03-http2-framing               | : | ./server | ./play --host $HOST --port $PORT frames
03-http2-framing/fanout        | beside A ../server; beside B ../server | ./proxy --backend 127.0.0.1:$A --backend 127.0.0.1:$B | ./client --host $HOST --port $PORT
03-http2-framing/fanout http1  | beside A ../server | ./proxy --http1 --backend 127.0.0.1:$A | ./client --host $HOST --port $PORT
03-http2-framing/fanout relay  | beside A ../server | ./relay --backend 127.0.0.1:$A | ./client --host $HOST --port $PORT --connections 3
03-http2-framing/fanout lookaside | : | ./lookaside | curl -sSf http://$HOST:$PORT/next http://$HOST:$PORT/next
03-http2-framing/grpc          | : | ./server | for method in list health stream "work 5 1"; do ./client --host $HOST --port $PORT $method; done
03-http2-framing/grpc rest     | : | ./rest | curl -sSf http://$HOST:$PORT/todos http://$HOST:$PORT/todos
04-tls                         | : | ./server | ./play --host $HOST --port $PORT handshake
04-tls/http3                   | : | ./server | ./client --host $HOST --port $PORT
04-tls/login                   | : | ./server --scrypt-n 2 | echo white rabbit|./client --host $HOST --port $PORT --jar $JAR login alice; ./client --host $HOST --port $PORT --jar $JAR me; ./client --host $HOST --port $PORT --jar $JAR logout
04-tls/login store             | beside A ./store | ./server --scrypt-n 2 --store-at 127.0.0.1:$A | echo white rabbit|./client --host $HOST --port $PORT --jar $JAR login alice; ./client --host $HOST --port $PORT --jar $JAR me; ./client --host $HOST --port $PORT --jar $JAR logout
04-tls/sidecar                 | beside A ./app | ./sidecar --app 127.0.0.1:$A | ./client --host $HOST --port $PORT --count 5 hello/
04-tls/termination             | beside A ../../02-http1/server | ./proxy --upstream 127.0.0.1:$A | curl -sSf --cacert ../keys/ca.pem --resolve localhost:$PORT:$HOST https://localhost:$PORT/
05-polling-sse                 | : | ./server | ./play --host $HOST --port $PORT frames
05-polling-sse/pubsub          | : | ./broker | for qos in 0 1 2; do ./client --host $HOST --port $PORT --qos $qos; done
06-threading-models            | : | ./server | ./client --host $HOST --port $PORT --url /cheap --connections 4 --seconds 1
07-socket-sharding             | : | ./server | for i in 1 2 3 4 5 6 7 8; do curl -sSf http://$HOST:$PORT/; done
08-pooling                     | : | ./server | ./play --host $HOST --port $PORT nplus1
08-pooling/balancer            | beside A ./backend; beside B ./backend | ./balancer --backend 127.0.0.1:$A --backend 127.0.0.1:$B | for i in 1 2 3 4; do curl -sSf http://$HOST:$PORT/ http://$HOST:$PORT/bytes/9000; done
08-pooling/balancer layer4     | beside A ./backend | ./balancer --layer 4 --backend 127.0.0.1:$A | for i in 1 2 3 4; do curl -sSf http://$HOST:$PORT/ http://$HOST:$PORT/bytes/9000; done
08-pooling/proxy               | beside A ./origin | ./proxy --cache-mb 1 --upstream 127.0.0.1:$A | for page in etag=a no-store=1 "cc=max-age=1&size=9000"; do curl -sSf "http://$HOST:$PORT/page?$page"; done
09-nagle                       | : | ./server | ./play --host $HOST --port $PORT telnet
10-idempotency                 | : | ./server | for i in 1 2 3 4 5 6 7 8; do ./client --host $HOST --port $PORT --amount $i --key soak-$i; done
'

# Starts a program on a port of 127.0.0.1 that the kernel chooses; when it is ready, that is $port.
# shellcheck disable=SC2317 # the rows call it
start() {
    rm -f "$log.ready"
    mkfifo "$log.ready" # a new one each time: of the one before another program may hold an end
    HOST=127.0.0.1 READY_FD=9 "$@" --port 0 9>"$log.ready" >/dev/null 2>>"$log.errors" &
    pids="$! $pids"
    read -r port <"$log.ready"
}

# shellcheck disable=SC2317
beside() {
    variable=$1
    shift
    start "$@"
    eval "$variable=$port"
}

# soak.sh --serve LOG NEEDS SERVER: a row's server where it is recorded, on the wire.
if [ "$1" = --serve ]; then
    log=$2
    eval "$3"
    eval "exec $4"
fi

logs=$(mktemp -d)
trap 'kill $jobs 2>/dev/null; wait; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
unset READY_FD WIRE_PACKET_LOG STRICT # on loopback claims that need packets are skipped
export HOST=127.0.0.1 PORT JAR SOAK_RUN="$logs" # the last one marks the processes of this run

# Of all of a row's servers.
descriptors() { for pid in $pids; do find "/proc/$pid/fd" -mindepth 1 2>/dev/null; done | wc -l; }
resident() { for pid in $pids; do cat "/proc/$pid/status"; done | awk '/^VmRSS/ { sum += $2 } END { print sum }'; }

# record FOLDER NAME NEEDS SERVER ROUND: what the good client says, packet by packet.
record() (
    log=$logs/$2 JAR=$logs/$2.jar
    cd "$root/$1" && "$root/common/wire/wire" --mtu 9000 --pcap "$log.pcap" -- \
        sh "$root/common/test/soak.sh" --serve "$log" "$3" "$4" -- sh -ec "$5" >"$log.recorded" 2>&1
    : >"$log.errors"
)

# soak FOLDER NAME NEEDS SERVER ROUND: writes one line into the log: what it has seen.
soak() {
    log=$logs/$2 pids="" good=0 failed=0 settled="" status=0
    JAR=$log.jar
    cd "$root/$1" || exit 1
    trap 'kill $hostile $pids 2>/dev/null' EXIT
    trap 'exit 1' TERM
    eval "$3"
    eval "start $4"
    PORT=$port
    sh -ec "$5" >/dev/null 2>&1
    at_first=$(descriptors)
    until [ -e "$logs/go" ]; do sleep 0.2; done # all have been recorded
    began=$(date +%s)
    "$root/common/build/hostile" --clients 2 --port "$port" --seconds "$SOAK_SECONDS" "$log.pcap" 2>"$log.hostile" &
    hostile=$!
    while [ $(($(date +%s) - began)) -lt "$SOAK_SECONDS" ]; do
        if sh -ec "$5" >"$log.client" 2>&1; then
            good=$((good + 1))
        else
            failed=$((failed + 1))
            cp "$log.client" "$log.failed"
        fi
        [ -n "$settled" ] || [ $(($(date +%s) - began)) -lt $((SOAK_SECONDS / 5)) ] || settled=$(resident)
    done
    wait $hostile || failed=$((failed + 1))
    # A server forgets a client that has left, at the latest when no client would still wait for an
    # answer.
    for i in $(seq 40); do
        at_last=$(descriptors)
        [ "$at_last" -gt "$at_first" ] || break
        sleep 1
    done
    memory=$(resident)
    for pid in $pids; do # the last one that was started is the first to stop
        kill "$pid"
        wait "$pid" || status=$?
    done
    pids="" hostile=""
    verdict=flat
    [ "$at_last" -le "$at_first" ] || verdict="descriptors leak"
    [ -n "$SAN" ] || [ "${memory:-0}" -le $((${settled:-0} * 11 / 10 + 512)) ] || verdict="memory grows"
    [ $failed -eq 0 ] || verdict="a good client failed"
    [ $status -eq 0 ] || verdict="exit status $status"
    printf '  %-19s %6d %6d %8s KB %8s KB %5s %5s  %s\n' "$2" "$good" "$failed" "${settled:-?}" "${memory:-?}" \
        "$at_first" "$at_last" "$verdict" >"$log.line"
    [ "$verdict" = flat ] && return 0
    for file in recorded errors hostile failed; do
        [ ! -s "$log.$file" ] || { echo "  --- $2, $file:" && tail -n 30 "$log.$file"; }
    done >>"$log.line"
    return 1
}

jobs="" bad=0
while read -r folder name line; do
    case " $* " in *" $folder "*) ;; *) continue ;; esac
    [ "$name" = "|" ] || line=${line#* } # there is a name
    variation=${folder#*/}
    [ "$variation" != "$folder" ] || variation=""
    short=${folder%%-*}${variation:+-$variation}
    [ "$name" = "|" ] || short="$short-$name"
    needs=${line%% | *} line=${line#* | }
    server=${line%% | *} round=${line#* | }
    if [ ! -x "$root/$folder/${server%% *}" ]; then
        echo "  $short is left out: it is not built here"
        continue
    fi
    record "$folder" "$short" "$needs" "$server" "$round"
    soak "$folder" "$short" "$needs" "$server" "$round" &
    jobs="$jobs $!"
done <<END
$servers
END
: >"$logs/go"
for job in $jobs; do
    wait "$job" || bad=1
done
jobs=""
unset SOAK_RUN # grep is no process of this run
printf '  %d seconds           good failed    settled   in the end   descriptors\n' "$SOAK_SECONDS"
cat "$logs"/*.line
for i in $(seq 40); do # what was killed takes a moment to end
    left=$(grep -lzs "^SOAK_RUN=$logs\$" /proc/[0-9]*/environ | cut -d/ -f3)
    [ -n "$left" ] || break
    sleep 0.5
done
for process in $left; do
    echo "  a process is left: $process $(tr '\0' ' ' <"/proc/$process/cmdline")" && bad=1
done
exit $bad
