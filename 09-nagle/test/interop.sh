# interop.sh: foreign clients against our server. A request is four bytes of length and a body; the
# answer is one byte.
. ../common/test/peers.sh

start_server ./server
if need nc netcat-openbsd; then
    expect "nc" "K" "printf '\000\000\000\005hello' | nc -q1 127.0.0.1 $port"
    expect "nc, three requests at once" "KKK" \
        "printf '\000\000\000\000\000\000\000\001x\000\000\000\002yz' | nc -q1 127.0.0.1 $port"
fi
if need socat socat; then
    expect "socat, a request in two parts" "K" \
        "(printf '\000\000'; sleep 0.2; printf '\000\001x') | socat -t2 - TCP:127.0.0.1:$port"
    expect "socat, too long" "!" "printf '\177\377\377\377' | socat -t2 - TCP:127.0.0.1:$port"
fi
finish
