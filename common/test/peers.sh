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

passed=0 failed=0 skipped=0 pids=""

# True if the program is there; else what needs it is skipped (with STRICT=1: failed).
need() {
    command -v "$1" >/dev/null && return 0
    echo "skipped $1 is not there: apt-get install $2"
    if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    return 1
}

# expect NAME OUTPUT COMMAND: the command's output, trailing newlines aside, is OUTPUT.
expect() {
    got=$(eval "$3" 2>&1)
    if [ "$got" = "$2" ]; then
        echo "ok      $1"
        passed=$((passed + 1))
    else
        printf 'FAILED  %s\n    command:  %s\n    expected: %s\n    got:      %s\n' "$1" "$3" "$2" "$got"
        failed=$((failed + 1))
    fi
}

# Starts a server of ours on a port that the kernel chooses; sets $port when it is ready.
start_server() {
    fifo=$(mktemp -u) && mkfifo "$fifo"
    READY_FD=9 "$@" --port 0 9>"$fifo" >/dev/null &
    pids="$pids $!"
    read -r port <"$fifo"
    rm "$fifo"
}

# await_port tcp|udp PORT: waits until somebody has the port of 127.0.0.1: for servers that do not
# say when they are ready.
await_port() {
    hex=$(printf ':%04X 00000000:0000' "$2")
    tries=0
    until grep -q "$hex" "/proc/net/$1"; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || { echo "nobody has $1 port $2" && return 1; }
        sleep 0.02
    done
}

# start_nginx PORT DIRECTIVES [MAIN]: nginx in $folder, with these directives in its http block, and
# those of MAIN outside of it (else one process does all). True when somebody has the port.
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

finish() {
    # shellcheck disable=SC2086 # a list of pids
    [ -z "$pids" ] || kill $pids 2>/dev/null
    wait
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
}
