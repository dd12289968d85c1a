# bench.sh: CPU time for each request through two sidecars, and through two nginx that do the same:
# plain HTTP in, mutual TLS 1.3 on kept connections between them, plain HTTP to the app. User and system
# time of both processes together, as the kernel counts it; in turn; the median of RUNS. The app is a
# third nginx, which is not counted. One process each, the same certificates for both.
. ../../common/test/peers.sh

RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-2} CONNECTIONS=${CONNECTIONS:-16}
need nginx nginx-light && need wrk wrk || exit 0
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
choose_port
free=$free_port
here=127.202.$(($$ / 250 % 250)).$(($$ % 250 + 1)) there=127.203.$(($$ / 250 % 250)).$(($$ % 250 + 1))

# one_nginx NAME ADDRESS PORT DIRECTIVES: sets $its to the process that does the work.
one_nginx() {
    mkdir -p "$folder/$1"
    cat >"$folder/$1/nginx.conf" <<END
daemon off; master_process off; pid $folder/$1/pid; error_log $folder/$1/error;
events { worker_connections 1000; }
http {
    access_log off; keepalive_requests 1000000000; keepalive_timeout 60;
    client_body_temp_path $folder/$1/1; proxy_temp_path $folder/$1/2; fastcgi_temp_path $folder/$1/3;
    uwsgi_temp_path $folder/$1/4; scgi_temp_path $folder/$1/5;
    $4
}
END
    nginx -p "$folder/$1" -c "$folder/$1/nginx.conf" -e "$folder/$1/error" 2>/dev/null &
    its=$!
    pids="$pids $its"
    await "nginx at $2:$3" "curl -sk -o /dev/null http://$2:$3/ || ! kill -0 $its"
}

printf 'stock %s:8114\nend\n' "$there" >"$folder/services"
sidecar() {
    start_server ./sidecar --quiet --host "$1" --inbound-host "$1" --inbound-port 8114 --admin-port 8124 --name "$2" \
        --app "127.0.0.1:$free" --keys "$folder/keys" --services "$folder/services"
}
one_nginx app 127.0.0.1 "$free" "server { listen 127.0.0.1:$free; location / { return 200 \"hello, world\\n\"; } }"
sidecar "$there" stock
our_in=${pids##* }
sidecar "$here" shop
our_out=${pids##* } our_port=$port
one_nginx in "$there" "$free" "upstream app { server 127.0.0.1:$free; keepalive 64; keepalive_requests 1000000000; }
    server { listen $there:$free ssl; ssl_protocols TLSv1.3; ssl_certificate $folder/keys/stock.pem;
        ssl_certificate_key $folder/keys/stock-key.pem; ssl_client_certificate $folder/keys/ca.pem; ssl_verify_client on;
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection \"\";
            proxy_set_header X-Forwarded-For \$remote_addr; proxy_set_header X-Request-Id \$request_id; } }"
their_in=$its
one_nginx out "$here" "$free" "upstream peer { server $there:$free; keepalive 64; keepalive_requests 1000000000; }
    server { listen $here:$free; location / { proxy_pass https://peer; proxy_http_version 1.1;
        proxy_set_header Connection \"\"; proxy_set_header Host stock; proxy_ssl_certificate $folder/keys/shop.pem;
        proxy_ssl_certificate_key $folder/keys/shop-key.pem; proxy_ssl_trusted_certificate $folder/keys/ca.pem;
        proxy_ssl_verify on; proxy_ssl_name stock; proxy_ssl_protocols TLSv1.3;
        proxy_set_header X-Forwarded-For \$remote_addr; proxy_set_header X-Request-Id \$request_id; } }"
their_out=$its

ticks() { awk '{ sum += $14 + $15 } END { print sum }' "/proc/$1/stat" "/proc/$2/stat"; }

# cost PORT PID PID: microseconds of CPU time for each request
cost() {
    before=$(ticks "$2" "$3")
    requests=$(wrk -t 1 -c "$CONNECTIONS" -d "${SECONDS_EACH}s" -H 'Host: stock' "http://$here:$1/" |
        tee "$folder/wrk" | sed -n 's/^ *\([0-9]*\) requests in.*/\1/p')
    if grep -q 'Non-2xx\|Socket errors' "$folder/wrk"; then
        cat "$folder/wrk" >&2
        exit 1
    fi
    echo "$before $(ticks "$2" "$3") $requests" |
        awk -v hz="$(getconf CLK_TCK)" '{ printf "%.1f\n", ($2 - $1) / hz * 1e6 / $3 }'
}

for run in $(seq "$RUNS"); do
    cost "$our_port" "$our_out" "$our_in" >>"$folder/ours"
    cost "$free" "$their_out" "$their_in" >>"$folder/theirs"
done
median() { sort -n "$1" | sed -n "$(((RUNS + 1) / 2))p"; }
printf '  %-44s %10s %10s %7s\n' "CPU time for a request (median of $RUNS)" ours nginx ratio
echo "$(median "$folder/ours") $(median "$folder/theirs")" |
    awk '{ printf "  %-44s %7.1f us %7.1f us %7.2f\n", "two proxies with mutual TLS between them", $1, $2, $1 / $2 }'
