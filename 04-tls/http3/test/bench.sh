# bench.sh: what HTTP/3 costs a server: ours beside nginx (which has a QUIC of its own), and both beside
# HTTP/1.1 with TLS over TCP (lesson 04's server, and nginx); what share of it is our own code; and how a
# page loads at several rates of loss.
#   REQUESTS=20000 BYTES=60000000 SEEDS="1 2 3 4 5" make bench
. ../../common/test/peers.sh

command -v nginx >/dev/null || { echo "this needs nginx: apt-get install nginx-light" && exit 0; }
REQUESTS=${REQUESTS:-5000} BYTES=${BYTES:-50000000} SEEDS=${SEEDS:-1 2 3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# CPU time so far of the process $1, in microseconds.
cpu_us() { awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"; }

# Each asks port $1 for path $2, $3 times, so many at once: $4. Says how often the answer was 200.
over_quic() { build/load --port "$1" --requests "$3" --at-once "$4" --path "$2" | cut -d ' ' -f 1; }
over_tcp() {
    curl -s -Z --parallel-max "$4" --http1.1 --cacert ../keys/ca.pem -o /dev/null -w '%{http_code}\n' \
        "https://localhost:$1$2#[1-$3]" | grep -c 200
}

# row NAME PID over_quic|over_tcp PORT SMALL LARGE: what a request and a megabyte take.
row() {
    before=$(cpu_us "$2")
    one=$($3 "$4" "$5" "$REQUESTS" 1)
    between=$(cpu_us "$2")
    many=$($3 "$4" "$5" "$REQUESTS" 32)
    after=$(cpu_us "$2")
    large=$($3 "$4" "$6" 1 1)
    end=$(cpu_us "$2")
    [ "$one $many $large" = "$REQUESTS $REQUESTS 1" ] || echo "  $1: not all was answered: $one $many $large"
    awk -v name="$1" -v one=$((between - before)) -v many=$((after - between)) -v large=$((end - after)) \
        -v requests="$REQUESTS" -v bytes="$BYTES" 'BEGIN {
            printf "  %-28s %8.1f us %12.1f us %12.0f us\n", name, one / requests, many / requests, large / bytes * 1e6 }'
}

mkdir "$folder/www" && printf 'hello, world\n' >"$folder/www/index.html"
head -c "$BYTES" /dev/zero >"$folder/www/large"
quic=
nginx -V 2>&1 | grep -q http_v3_module && quic=yes
choose_port
start_nginx "$free_port" "server { ${quic:+listen 127.0.0.1:$free_port quic;} listen 127.0.0.1:$free_port ssl;
    keepalive_requests 1000000; ssl_protocols TLSv1.3; root $folder/www;
    ssl_certificate $PWD/../keys/server-ecdsa.pem; ssl_certificate_key $PWD/../keys/server-ecdsa-key.pem; }"
theirs=$!

echo "CPU time of the server                a request    32 at once     a megabyte"
start_server ../server --quiet --keys ../keys
row "TLS over TCP, lesson 04" "$!" over_tcp "$port" /transfers "/bytes?n=$BYTES"
row "TLS over TCP, nginx" "$theirs" over_tcp "$free_port" / /large
start_server ./server --quiet
ours=$!
row "HTTP/3, ours" "$ours" over_quic "$port" / "/img/1?size=$BYTES"
if [ -n "$quic" ]; then
    row "HTTP/3, nginx" "$theirs" over_quic "$free_port" / /large
else
    echo "  (this nginx has no HTTP/3)"
fi

# share NAME ARGUMENTS...: where our server's time goes meanwhile: perf's samples of the kernel, the
# libraries, and the program itself.
share() {
    echo "of our server's samples, $1:"
    shift
    perf record -q -F 2000 -o "$folder/perf" -p "$ours" >/dev/null 2>&1 &
    perf=$!
    sleep 0.3 # perf has no way to say that it is ready; what it misses is only a part of the load
    over_quic "$port" "$@" >/dev/null
    kill -INT $perf && wait $perf
    perf report -i "$folder/perf" --sort dso --stdio 2>/dev/null | awk '/^ .*%/ { print "   ", $0 }' | head -n 6
}

if command -v perf >/dev/null; then
    share "32 requests at once" / "$((REQUESTS * 10))" 32
    share "downloads" "/img/1?size=$BYTES" 3 1
else
    echo "(perf would say what share our own code has of it: apt-get install linux-perf)"
fi
[ -n "$quic" ] || { finish >/dev/null && exit 0; }

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
sed -i "1i user root; # wire's namespace knows no other user
s/127.0.0.1:$free_port/8287/g" "$folder/nginx.conf"

echo "100 images of 4,000 bytes, round trip 40 ms: median of the seeds $SEEDS"
echo "  loss      HTTP/2 (TCP, Reno)    HTTP/3, ours    HTTP/3, nginx"
median() { sort -n | awk '{ value[NR] = $1 } END { printf NR ? "%.0f" : "-", value[int((NR + 1) / 2)] }'; }
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
    printf '  %3s %%  %14s ms %16s ms %13s ms\n' $loss "$(median <"$folder/two")" "$(median <"$folder/three")" \
        "$(median <"$folder/theirs")"
done
finish >/dev/null
