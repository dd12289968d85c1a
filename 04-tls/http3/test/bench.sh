# bench.sh: what HTTP/3 costs a server, ours beside nginx (which has a QUIC of its own), and beside
# lesson 04's server over TCP; and how a page loads at several rates of loss.
#   REQUESTS=20000 BYTES=100000000 SEEDS="1 2 3 4 5" make bench
. ../../common/test/peers.sh

REQUESTS=${REQUESTS:-5000} BYTES=${BYTES:-50000000} SEEDS=${SEEDS:-1 2 3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# CPU time so far of the process $1, in microseconds.
cpu_us() { awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"; }

# row NAME PID PORT SMALL LARGE: what a request and a megabyte take.
row() {
    before=$(cpu_us "$2")
    one=$(build/load --port "$3" --requests "$REQUESTS" --at-once 1 --path "$4" | cut -d ' ' -f 1)
    between=$(cpu_us "$2")
    many=$(build/load --port "$3" --requests "$REQUESTS" --at-once 32 --path "$4" | cut -d ' ' -f 1)
    after=$(cpu_us "$2")
    large=$(build/load --port "$3" --requests 1 --at-once 1 --path "$5" | cut -d ' ' -f 1)
    end=$(cpu_us "$2")
    [ "$one $many $large" = "$REQUESTS $REQUESTS 1" ] || echo "  $1: not all was answered: $one $many $large"
    awk -v name="$1" -v one=$((between - before)) -v many=$((after - between)) -v large=$((end - after)) \
        -v requests="$REQUESTS" -v bytes="$BYTES" 'BEGIN {
            printf "  %-28s %8.1f us %12.1f us %12.0f us\n", name, one / requests, many / requests, large / bytes * 1e6 }'
}

echo "CPU time of the server                a request    32 at once     a megabyte"
start_server ./server --quiet
ours=$! # start_server's last background process
row "HTTP/3, ours" "$ours" "$port" / "/img/1?size=$BYTES"
if nginx -V 2>&1 | grep -q http_v3_module; then
    mkdir "$folder/www" && printf 'hello, world\n' >"$folder/www/index.html"
    head -c "$BYTES" /dev/zero >"$folder/www/large"
    choose_port
    start_nginx "$free_port" "server { listen 127.0.0.1:$free_port quic; listen 127.0.0.1:$free_port ssl; keepalive_requests 1000000;
        ssl_certificate $PWD/../keys/server-ecdsa.pem; ssl_certificate_key $PWD/../keys/server-ecdsa-key.pem;
        root $folder/www; }"
    row "HTTP/3, nginx" "$!" "$free_port" / /large
else
    echo "  (this nginx has no HTTP/3)"
fi

# What our own code takes of it.
if command -v perf >/dev/null; then
    perf record -q -o "$folder/perf" -p "$ours" >/dev/null 2>&1 &
    perf=$!
    build/load --port "$port" --requests "$REQUESTS" --at-once 32 >/dev/null
    kill -INT $perf && wait $perf
    echo "of our server's samples, by program and library:"
    perf report -i "$folder/perf" --sort dso --stdio 2>/dev/null | awk '/%/ { print "   ", $0 }' | head -n 6
fi

# nginx as the server on the wire: it does not say when it is ready, so this script does.
head -c 4000 /dev/zero >"$folder/www/image"
cat >"$folder/on-the-wire" <<'SH'
nginx -p "$FOLDER" -c "$FOLDER/nginx.conf" -e "$FOLDER/error" & server=$!
trap 'kill $server' TERM
until grep -q ':205F 00000000:0000' /proc/net/udp; do sleep 0.05; done
echo 8287 >&"$READY_FD"
wait $server
exit 0
SH
sed -i "s/127.0.0.1:$free_port/8287/g" "$folder/nginx.conf"

echo "100 images of 4,000 bytes, round trip 40 ms: median of the seeds $SEEDS"
echo "  loss      HTTP/2 (TCP, Reno)    HTTP/3, ours    HTTP/3, nginx"
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
paths=$(seq -f '/img/%g?size=4000' 100)
for loss in 0 1 3 5; do
    : >"$folder/two"
    : >"$folder/three"
    : >"$folder/theirs"
    # shellcheck disable=SC2016 # the inner shell expands them
    for seed in $SEEDS; do
        link="--rtt 40 --loss $loss --seed $seed"
        load='build/load --host $HOST --port $PORT --servername workbench.test --requests 100 --at-once 100 --path'
        # shellcheck disable=SC2086 # options are words
        paths=$paths ../../common/wire/wire $link -- ../../03-http2-framing/server --quiet \
            -- sh -c 's=$(date +%s%N); ../../03-http2-framing/client --host $HOST --port $PORT $paths >/dev/null
                echo $((($(date +%s%N) - s) / 1000000 - 40))' 2>/dev/null | grep -E '^[0-9]+$' >>"$folder/two"
        # shellcheck disable=SC2086
        ../../common/wire/wire $link -- ./server --quiet -- sh -c "$load '/img/1?size=4000'" 2>/dev/null |
            sed -n 's/^100 //p' >>"$folder/three"
        # shellcheck disable=SC2086
        FOLDER=$folder ../../common/wire/wire $link -- sh "$folder/on-the-wire" -- sh -c "$load /image" 2>/dev/null |
            sed -n 's/^100 //p' >>"$folder/theirs"
    done
    printf '  %3s %%  %14.0f ms %16.0f ms %13.0f ms\n' $loss "$(median <"$folder/two")" "$(median <"$folder/three")" \
        "$(median <"$folder/theirs")"
done
finish >/dev/null
