# bench.sh: what a cache hit costs: CPU time (user and system, as the kernel counts it) of our proxy and
# of nginx in the same run, in front of the same origin; and the memory of many small objects.
. ../../common/test/peers.sh

RUNS=${RUNS:-3} SECONDS_EACH=${SECONDS_EACH:-3} OBJECTS=${OBJECTS:-100000}
need nginx nginx-light && need wrk wrk && need curl curl || exit 0
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT
median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# hit PORT PID TARGET: microseconds of CPU time for each hit.
hit() {
    before=$(ticks "$2")
    requests=$(wrk -t1 -c32 -d"${SECONDS_EACH}s" "http://127.0.0.1:$1$3" | awk '/requests in/ { print $1 }')
    after=$(ticks "$2")
    echo "$before $after $requests $(getconf CLK_TCK)" | awk '{ printf "%.2f\n", ($2 - $1) / $4 * 1e6 / $3 }'
}

start_server ./origin --quiet
origin=$port
start_server ./proxy --quiet --cache-mb 512 --upstream "127.0.0.1:$origin"
ours=$port ours_pid=${pids##* }
choose_port && theirs=$free_port
start_nginx "$theirs" "proxy_cache_path $folder/cache keys_zone=c:64m; open_file_cache max=1000; keepalive_requests 100000000;
    server { listen 127.0.0.1:$theirs; location / { proxy_pass http://127.0.0.1:$origin; proxy_cache c; } }" || exit 1
theirs_pid=${pids##* }
printf '  %-40s %9s %9s %7s\n' "median of $RUNS, CPU of a hit" ours nginx ratio
for size in 100 10000; do
    target="/hit?cc=max-age=3600&size=$size"
    for whose in $ours $theirs; do curl -s -o /dev/null "http://127.0.0.1:$whose$target"; done
    rm -f "$folder/ours" "$folder/theirs"
    for _ in $(seq "$RUNS"); do
        hit "$ours" "$ours_pid" "$target" >>"$folder/ours"
        hit "$theirs" "$theirs_pid" "$target" >>"$folder/theirs"
    done
    echo "$(median <"$folder/ours") $(median <"$folder/theirs")" |
        awk -v size="$size bytes" '{ printf "  %-40s %6.2f us %6.2f us %7.2f\n", size, $1, $2, $1 / $2 }'
done
before=$(awk '/^VmRSS/ { print $2 }' "/proc/$ours_pid/status")
cat >"$folder/many.lua" <<'LUA'
local number = 0
request = function() number = number + 1 return wrk.format(nil, "/o" .. number .. "?cc=max-age=3600") end
LUA
# wrk stops by time: it asks until there are enough, then the proxy says how many it has.
while [ "${stored:-0}" -lt "$OBJECTS" ]; do
    stored=$((${stored:-0} + $(wrk -t1 -c1 -d10s -s "$folder/many.lua" "http://127.0.0.1:$ours" | awk '/requests in/ { print $1 }')))
    sed -i "s/^local number = .*/local number = $stored/" "$folder/many.lua"
done
after=$(awk '/^VmRSS/ { print $2 }' "/proc/$ours_pid/status")
echo "$before $after $stored" | awk '{ printf "  memory of %d objects of 45 bytes: %.1f MB, %.0f bytes each\n", $3, ($2 - $1) / 1024, ($2 - $1) * 1024 / $3 }'
