# bench.sh: durable charges a second, at 1, 16 and 128 clients: ours, against how often the disk
# can sync, against Redis (appendfsync always, SET NX) and PostgreSQL (INSERT ... ON CONFLICT DO
# NOTHING, a connection for each client), all on the file system of this folder. Then how long
# a journal of a million records takes to be read.
#
# All of them wait for the disk before they answer, and let many clients share a sync. They
# alternate, so that what disturbs the machine disturbs all; medians of RUNS.
. ../common/test/peers.sh

RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-1} RECORDS=${RECORDS:-1000000}
postgres_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
folder=$(mktemp -d "$PWD/bench.XXXXXX")
trap 'stop_all; rm -rf "$folder"' EXIT

# ---- the three -------------------------------------------------------------------------------

start_server ./server --quiet --process-ms 0 --journal "$folder/journal"
ours=${pids##* }

choose_port && theirs=$free_port
if need redis-server redis-server; then
    redis-server --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --appendonly yes \
        --appendfsync always --save '' --auto-aof-rewrite-percentage 0 --daemonize no >"$folder/redis.log" &
    pids="$pids $!" redis=1
    until redis-cli -s "$folder/redis.sock" ping >/dev/null 2>&1; do
        kill -0 $! 2>/dev/null || { cat "$folder/redis.log" && exit 1; }
        sleep 0.05
    done
    # Over TCP, as ours: Redis listens there when it is told to.
    redis-cli -s "$folder/redis.sock" config set port "$theirs" >/dev/null
fi

# PostgreSQL refuses to be run by root.
as=""
[ "$(id -u)" -ne 0 ] || as="setpriv --reuid nobody --regid nogroup --clear-groups"

# shellcheck disable=SC2086 # $as is words
if [ -x "$postgres_bin/initdb" ]; then
    mkdir "$folder/pg"
    [ "$(id -u)" -ne 0 ] || { chmod 755 "$folder" && chown nobody "$folder/pg"; }
    if (cd "$folder/pg" && $as "$postgres_bin/initdb" -D "$folder/pg/data" -U bench -A trust) >"$folder/pg.log" 2>&1; then
        (cd "$folder/pg" && exec $as "$postgres_bin/postgres" -D "$folder/pg/data" -k "$folder/pg" -c listen_addresses=127.0.0.1 \
            -c port=$((theirs + 1)) -c max_connections=200 -c fsync=on -c synchronous_commit=on \
            -c wal_sync_method=fdatasync >>"$folder/pg.log" 2>&1) &
        pids="$pids $!" postgres=1
        sql() { "$postgres_bin/psql" -q -h 127.0.0.1 -p $((theirs + 1)) -U bench postgres "$@"; }
        until sql -c 'select 1' >/dev/null 2>&1; do
            kill -0 $! 2>/dev/null || { cat "$folder/pg.log" && exit 1; }
            sleep 0.1
        done
        sql -c 'create table charges (key text primary key, amount bigint, currency text, source text, created timestamptz default now())'
        echo "insert into charges (key, amount, currency, source) values (gen_random_uuid()::text, 500, 'eur', 'tok_visa') on conflict do nothing" >"$folder/insert.sql"
    else
        echo "skipped PostgreSQL: its user cannot write to $folder" && tail -n 3 "$folder/pg.log"
    fi
else
    echo "skipped PostgreSQL is not there: apt-get install postgresql"
fi

# ---- how fast they are -----------------------------------------------------------------------

disk() { build/disk --file "$folder/disk" --seconds "$SECONDS_EACH" "$@"; }
charge() { build/load --port "$port" --seconds "$SECONDS_EACH" --clients "$1"; }
set_nx() {
    count=$((SECONDS_EACH * (500 + 500 * $1))) # a guess: redis-benchmark has no clock
    redis-benchmark -h 127.0.0.1 -p "$theirs" -c "$1" -n $count -r 1000000000 --csv \
        set key:__rand_int__ amount-500-currency-eur-source-tok_visa-and-the-rest nx 2>/dev/null |
        sed -n 's/^"set [^"]*","\([0-9]*\).*/\1/p'
}
insert() {
    "$postgres_bin/pgbench" -h 127.0.0.1 -p $((theirs + 1)) -U bench -n -M prepared -c "$1" -j 1 \
        -T "$SECONDS_EACH" -f "$folder/insert.sql" postgres 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'
}
median() { sort -n "$1" | sed -n "$(((RUNS + 1) / 2))p"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'; }

for run in $(seq "$RUNS"); do
    disk >>"$folder/disk.n"
    disk --append >>"$folder/append.n"
    disk --reserve >>"$folder/reserve.n"
    for clients in 1 16 128; do
        charge $clients >>"$folder/ours.$clients"
        [ -z "$redis" ] || set_nx $clients >>"$folder/redis.$clients"
        [ -z "$postgres" ] || insert $clients >>"$folder/postgres.$clients"
    done
done

disk=$(median "$folder/disk.n")
printf '  fdatasync a second: %d over zeros, as the journal does it\n%22s%d over reserved space\n%22s%d at the end of a file\n\n' \
    "$disk" "" "$(median "$folder/reserve.n")" "" "$(median "$folder/append.n")"
printf '  %-24s %10s %12s %10s %12s\n' "durable charges a second" ours "ours / disk" Redis PostgreSQL
for clients in 1 16 128; do
    one=$(median "$folder/ours.$clients")
    printf '  %-24s %10s %12s %10s %12s\n' "$clients clients" "$one" "$(ratio "$one" "$disk")" \
        "$([ -z "$redis" ] || median "$folder/redis.$clients")" \
        "$([ -z "$postgres" ] || median "$folder/postgres.$clients")"
done

# ---- recovery --------------------------------------------------------------------------------

kill "$ours"
wait "$ours"
rm -f "$folder"/journal*
start_server ./server --quiet --process-ms 0 --journal "$folder/journal"
build/load --port "$port" --clients 128 --charges "$RECORDS" >/dev/null
kill "${pids##* }"
wait "${pids##* }"
began=$(date +%s.%N)
start_server ./server --quiet --process-ms 0 --journal "$folder/journal"
ended=$(date +%s.%N)
memory() { sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/${pids##* }/status"; }
echo "$began $ended $(stat -c %s "$folder/journal") $(memory VmRSS) $(memory VmHWM)" |
    awk -v n="$RECORDS" '{ printf "\n  %d records, %.0f MB: read in %.2f s; %.0f MB of memory, at most %.0f MB\n",
        n, $3 / 1e6, $2 - $1, $4 / 1024, $5 / 1024 }'
