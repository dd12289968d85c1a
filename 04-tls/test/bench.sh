# bench.sh: what TLS costs our server, side by side with nginx, and with the bare cryptography: CPU
# time of the server's own process (user and system), alternating, median of five. The same
# certificate (P-256), group (X25519) and cipher (AES-256-GCM) for both, TLS 1.3, one process each.
#
# nginx sends a file of which all is in memory, we send bytes of our own.
. ../common/test/peers.sh

command -v nginx >/dev/null || { echo "this needs nginx: apt-get install nginx-light" && exit 0; }
RUNS=${RUNS:-5} HANDSHAKES=${HANDSHAKES:-3000} MEGABYTES=${MEGABYTES:-1024}
choose_port && their_port=$free_port
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

start_server ./server --quiet
ours=${pids##* }
head -c 64M /dev/zero >"$folder/64M"
echo "hello, world" >"$folder/index.html"
cp keys/server-ecdsa.pem keys/server-ecdsa-key.pem "$folder"
chmod -R a+rX "$folder"
cat >"$folder/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $folder/pid; error_log $folder/error;
events { worker_connections 1000; }
http { access_log off; keepalive_timeout 60; server_tokens off; open_file_cache max=10;
    server { listen 127.0.0.1:$their_port ssl; root $folder;
        ssl_certificate $folder/server-ecdsa.pem; ssl_certificate_key $folder/server-ecdsa-key.pem;
        ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519; ssl_session_tickets on; } }
CONF
nginx -p "$folder" -c "$folder/nginx.conf" 2>/dev/null &
pids="$pids $!"
await_port tcp "$their_port" || exit 1
theirs=$(pgrep -P $!)

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# cost PID PORT UNITS [--count N] WHAT...: microseconds of CPU time for each unit
cost() {
    pid=$1 at=$2 units=$3
    shift 3
    before=$(ticks "$pid")
    build/load --port "$at" "$@" || exit 1
    echo "$before $(ticks "$pid") $units" |
        awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f\n", ($2 - $1) / hz * 1e6 / $3 }'
}

median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

# compare TITLE UNITS OUR-ARGUMENTS THEIR-ARGUMENTS
compare() {
    : >"$folder/ours" && : >"$folder/theirs"
    for run in $(seq "$RUNS"); do
        # shellcheck disable=SC2086 # arguments are words
        cost "$ours" "$port" "$2" $3 >>"$folder/ours"
        # shellcheck disable=SC2086
        cost "$theirs" "$their_port" "$2" $4 >>"$folder/theirs"
    done
    our_median=$(median "$RUNS" <"$folder/ours")
    echo "$our_median $(median "$RUNS" <"$folder/theirs")" |
        awk -v title="$1" '{ printf "  %-34s %8.1f us %8.1f us %8.2f\n", title, $1, $2, $1 / $2 }'
}

printf '  %-34s %11s %11s %8s\n' "CPU time (median of $RUNS)" ours nginx ratio
compare "a full handshake" "$HANDSHAKES" "--count $HANDSHAKES full" "--count $HANDSHAKES full"
full=$our_median
compare "a resumed handshake" "$HANDSHAKES" "--count $HANDSHAKES resumed" "--count $HANDSHAKES resumed"
compare "a megabyte" "$MEGABYTES" "--count $((MEGABYTES / 64)) get /bytes?n=67108864" \
    "--count $((MEGABYTES / 64)) get /64M"

# What no server can do without: a signature, a key for this handshake, and the common secret. And
# what OpenSSL makes of it, in memory, with nothing around it.
for run in $(seq "$RUNS"); do build/load --count 2000 bare; done |
    awk '{ print $1 + $2 + $3, $0 }' | median "$RUNS" |
    awk -v full="$full" '{
        printf "\n  a full handshake: sign %.1f + make a key %.1f + derive %.1f = %.1f us;", $2, $3, $4, $1
        printf " ours is %.2f times that\n", full / $1
        printf "  OpenSSL alone, in memory: %.1f us; ours is %.2f times that\n", $5, full / $5 }'
