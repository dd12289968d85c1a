# peers.sh: what every interop.sh is made of: programs that no one here wrote, and our server.
#
#   . ../common/test/peers.sh
#   start_server ./server          # now $port
#   if need nc netcat-openbsd; then
#       expect "nc over TCP" "hello" 'echo hello | nc -q1 127.0.0.1 $port'
#   fi
#   finish
#
# Each "need PROGRAM PACKAGE" is also how `make doctor` knows what an interop.sh wants.

passed=0 failed=0 skipped=0 pids="" doing="its beginning"
# Asked to stop, because it takes too long: says what it was at, and what came before.
trap 'echo "FAILED  $doing: it does not end" && failed=$((failed + 1)) && finish; exit 1' TERM

# Says what cannot be tried here; with STRICT=1 that is a failure.
missing() {
    echo "skipped $1"
    if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
}

# True if the program is there; else what needs it is skipped.
need() {
    command -v "$1" >/dev/null && return 0
    missing "$1 is not there: apt-get install $2"
    return 1
}

# expect NAME OUTPUT COMMAND: the command's output, trailing newlines aside, is OUTPUT.
expect() {
    doing=$1
    got=$(eval "$3" 2>&1)
    if [ "$got" = "$2" ]; then
        echo "ok      $1"
        passed=$((passed + 1))
    else
        printf 'FAILED  %s\n    command:  %s\n    expected: %s\n    got:      %s\n' "$1" "$3" "$2" "$got"
        failed=$((failed + 1))
    fi
}

# await NAME CONDITION: waits until the shell command CONDITION is true, for a few seconds at most;
# then it is a test that failed.
await() {
    doing=$1 tries=0
    until eval "$2"; do
        tries=$((tries + 1))
        if [ $tries -ge 500 ]; then
            printf 'FAILED  %s\n    waited in vain for: %s\n' "$1" "$2"
            failed=$((failed + 1))
            return 1
        fi
        sleep 0.02
    done
}

# Starts a server of ours on a port that the kernel chooses; sets $port when it is ready. In $ports are
# all its ports, as it names them. What it prints goes to the file $said.
said=/dev/null
start_server() {
    ready=$(mktemp)
    READY_FD=9 "$@" --port 0 9>"$ready" >"$said" &
    server=$!
    pids="$pids $server"
    await "$* is ready" "[ -s $ready ] || ! kill -0 $server"
    ports=$(cat "$ready")
    read -r port <"$ready"
    rm "$ready"
}

# Stops the server that was started last. The last lines in $said are what it says of its work.
stop_server() {
    kill "$server"
    wait "$server"
    pids=${pids% "$server"}
}

# Starts a program that prints its port in its first line, and goes on; sets $theirs, or counts a
# test that failed and shows what the program said.
start_theirs() {
    ready=$(mktemp) errors=$(mktemp)
    "$@" >"$ready" 2>"$errors" &
    pids="$pids $!" theirs=1 # a free port
    await "$1 says its port" "[ -s $ready ] || ! kill -0 $!"
    if ! read -r theirs <"$ready"; then
        echo "FAILED  $1 does not start:"
        cat "$errors"
        failed=$((failed + 1)) theirs=1
    fi
    rm "$ready" "$errors"
    [ "$theirs" != 1 ]
}

# choose_port: sets $free_port to a port that no TCP or UDP socket of this machine has, and that the kernel
# gives to no client (ip(7): ip_local_port_range): for a program that cannot choose a port itself.
# Each call sets another one.
choose_port() {
    free_port=${free_port:-$((20000 + $$ * 7919 % 10000))}
    while
        free_port=$((20000 + (free_port - 19999) % 10000))
        grep -Eq "^ *[0-9]+: [0-9A-F]+:$(printf %04X $free_port) " /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
    do :; done
}

# await_port tcp|udp PORT: waits until a program has the port of 127.0.0.1: for servers that do not
# say when they are ready.
await_port() {
    await "a program has $1 port $2" "grep -q '$(printf ':%04X 00000000:0000' "$2")' /proc/net/$1"
}

# start_nginx PORT DIRECTIVES [MAIN]: nginx in $folder, with these directives in its http block, and
# those of MAIN outside of it (else one process does all). True when a program has the port.
start_nginx() {
    cat >"$folder/nginx.conf" <<END
daemon off; pid $folder/pid; error_log $folder/error; ${3:-master_process off;}
events { worker_connections 1000; }
http {
    access_log off; client_body_temp_path $folder/1; proxy_temp_path $folder/2; fastcgi_temp_path $folder/3;
    uwsgi_temp_path $folder/4; scgi_temp_path $folder/5;
    $2
}
END
    nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/error" 2>/dev/null &
    pids="$pids $!"
    await_port tcp "$1"
}

# Stops all programs that were started. One that has ended may have left its number to another
# program of this machine: so only children of this shell.
stop_all() {
    for pid in $pids; do
        ! grep -qsx "PPid:	$$" "/proc/$pid/status" || kill "$pid"
    done
    wait
}

finish() {
    stop_all
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
}
