# interop.sh: foreign clients against our server, and our client against foreign servers.
. ../common/test/peers.sh

start_server ./server
if need nc netcat-openbsd; then
    expect "nc over TCP" "hello" "printf 'hello\n' | nc -q1 127.0.0.1 $port"
    expect "nc over UDP, a command and its newline" "received 1 dropped 0" "echo drops | nc -u -w1 127.0.0.1 $port"
    expect "nc over UDP" "hello" "printf hello | nc -u -w1 127.0.0.1 $port"
fi
if need socat socat; then
    expect "socat over TCP, windows line ends" "hello" "printf 'hello\r\n' | socat -t2 - TCP:127.0.0.1:$port"
    expect "socat over TCP, half-closed" "lingering
the other half was still open" "printf 'linger 200\n' | socat -t5 - TCP:127.0.0.1:$port"
    expect "socat over UDP" "#7 hello" "printf '#7 hello' | socat -T1 - UDP:127.0.0.1:$port"
fi
if need curl curl; then
    expect "curl, telnet" "hello" "(echo hello; sleep 0.3) | curl -s -m1 telnet://127.0.0.1:$port"
    # An echo service sends an HTTP request back, line by line: curl must not take it for an answer.
    expect "curl, HTTP" "curl: (1) Received HTTP/0.9 when not allowed" \
        "curl -sS -m2 http://127.0.0.1:$port/"
fi
if need socat socat; then
    # A foreign echo service for TCP and UDP needs one port number that is free for both. Our
    # server finds such a number, and stops.
    start_server ./server
    kill "${pids##* }"
    wait "${pids##* }"
    socat "TCP-LISTEN:$port,fork,reuseaddr,bind=127.0.0.1" EXEC:cat &
    pids="$pids $!"
    socat "UDP4-RECVFROM:$port,fork,bind=127.0.0.1" EXEC:cat &
    pids="$pids $!"
    await_port tcp "$port"
    await_port udp "$port"
    expect "our client against socat" 'TCP -> 6 bytes "hello\n"
TCP <- 6 bytes "hello\n"
TCP <- the end of the stream
UDP -> 5 bytes "hello"
UDP <- 5 bytes "hello"' "./client --port $port | sed -n '/->|<-/s/[0-9.]*:[0-9]* //gp' -E"
fi
finish
