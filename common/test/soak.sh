# soak.sh: every server for SOAK_SECONDS, all at once, under good and hostile load. A good client
# plays scenes of the lesson over and over and must never fail; hostile clients (see hostile.c)
# do to the same server what the good one does, mutilated. In the end the server must have no more
# descriptors than in the beginning, no more memory than after the first fifth, and stop as it
# should.
#
#   sh common/test/soak.sh 02-http1 09-nagle
#   make soak SOAK_SECONDS=60 SAN=address,undefined     (a sanitizer keeps freed memory: only
#                                                        descriptors are judged then)

SOAK_SECONDS=${SOAK_SECONDS:-600}
logs=$(mktemp -d)
trap 'kill $jobs 2>/dev/null; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
unset READY_FD WIRE_PACKET_LOG

descriptors() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

# The good client of each lesson: such as needs nothing but its answers, whatever else goes on.
# (That of 10 repeats its charges: new ones would have to be kept.)
# shellcheck disable=SC2016 # HOST and PORT are the client's
good_clients='
01-tcp-udp           ./play --host $HOST --port $PORT segments
02-http1             ./play --host $HOST --port $PORT raw
03-http2-framing     ./play --host $HOST --port $PORT frames
04-tls               ./play --host $HOST --port $PORT handshake
05-polling-sse       ./play --host $HOST --port $PORT frames
06-threading-models  ./client --host $HOST --port $PORT --url /cheap --connections 4 --seconds 1
07-socket-sharding   for i in 1 2 3 4 5 6 7 8; do curl -sSf http://$HOST:$PORT/ || exit 1; done
08-pooling           ./play --host $HOST --port $PORT nplus1
09-nagle             ./play --host $HOST --port $PORT telnet
10-idempotency       for i in 1 2 3 4 5 6 7 8; do ./client --host $HOST --port $PORT --amount $i --key soak-$i || exit 1; done
'

# soak LESSON COMMAND: writes one line into the log: what it has seen.
soak() {
    lesson=$1 command=$2 good=0 failed=0 pid="" port="" settled=""
    export HOST PORT
    cd "$lesson" || exit 1
    # What the good client says, packet by packet.
    ../common/wire/wire --mtu 9000 --pcap "$logs/$lesson.pcap" -- ./server -- sh -c "$command" >/dev/null 2>&1
    mkfifo "$logs/$lesson.fifo"
    READY_FD=9 ./server --port 0 9>"$logs/$lesson.fifo" >/dev/null 2>"$logs/$lesson.errors" &
    pid=$!
    read -r port <"$logs/$lesson.fifo"
    trap 'kill $pid 2>/dev/null' EXIT
    HOST=127.0.0.1 PORT=$port
    sh -c "$command" >/dev/null 2>&1
    at_first=$(descriptors $pid)
    began=$(date +%s)
    ../common/build/hostile --port "$port" --seconds "$SOAK_SECONDS" "$logs/$lesson.pcap" 2>"$logs/$lesson.hostile" &
    hostile=$!
    while [ $(($(date +%s) - began)) -lt "$SOAK_SECONDS" ]; do
        if sh -c "$command" >"$logs/$lesson.client" 2>&1; then
            good=$((good + 1))
        else
            failed=$((failed + 1))
            cp "$logs/$lesson.client" "$logs/$lesson.failed"
        fi
        [ -n "$settled" ] || [ $(($(date +%s) - began)) -lt $((SOAK_SECONDS / 5)) ] || settled=$(resident $pid)
    done
    wait $hostile || failed=$((failed + 1))
    # The server forgets a client that has left, at the latest when no client would still wait for an
    # answer.
    for i in $(seq 40); do
        at_last=$(descriptors $pid)
        [ "$at_last" -gt "$at_first" ] || break
        sleep 1
    done
    memory=$(resident $pid)
    kill $pid
    wait $pid
    status=$?
    trap - EXIT
    verdict=flat
    [ "$at_last" -le "$at_first" ] || verdict="descriptors leak"
    [ -n "$SAN" ] || [ "${memory:-0}" -le $((${settled:-0} * 11 / 10 + 512)) ] || verdict="memory grows"
    [ $failed -eq 0 ] || verdict="a good client failed"
    [ $status -eq 0 ] || verdict="exit status $status"
    printf '  %-22s %6d %6d %8s KB %8s KB %5s %5s   %s\n' "$lesson" "$good" "$failed" "${settled:-?}" "${memory:-?}" \
        "$at_first" "$at_last" "$verdict" >"$logs/$lesson.line"
    [ "$verdict" = flat ] && return 0
    for file in errors hostile failed; do
        [ ! -s "$logs/$lesson.$file" ] || { echo "  --- $lesson, $file:" && tail -n 30 "$logs/$lesson.$file"; }
    done >>"$logs/$lesson.line"
    return 1
}

jobs=""
for lesson in "$@"; do
    soak "$lesson" "$(echo "$good_clients" | sed -n "s/^$lesson  *//p")" &
    jobs="$jobs $!"
done
bad=0
for job in $jobs; do
    wait "$job" || bad=1
done
jobs=""
printf '  %d seconds              good failed    settled   in the end   descriptors\n' "$SOAK_SECONDS"
cat "$logs"/*.line
exit $bad
