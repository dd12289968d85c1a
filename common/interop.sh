# interop.sh: what tshark says of a capture that wire made.
. ../common/peers.sh

if need tshark tshark; then
    file=$(mktemp --suffix=.pcap)
    log=$(./wire --rtt 10 --verbose --pcap "$file" -- build/peer echo-server -- build/peer --count 3 ping-pong 2>&1)
    if [ $? -eq 3 ]; then
        need wire-on-this-machine "see make doctor"
    else
        packets=$(echo "$log" | awk '/to the (server|client)/ { n += $5 } END { print n }')
        read_capture() { tshark -r "$file" "$@" 2>/dev/null; }
        expect "tshark counts the packets that wire counted" "$packets" "read_capture | wc -l"
        expect "tshark reads the handshake" "SYN
SYN ACK
ACK" "read_capture -c 3 -T fields -e tcp.flags.syn -e tcp.flags.ack |
            sed 's/^1.0/SYN/; s/^1.1/SYN ACK/; s/^0.1/ACK/; s/^True.False/SYN/; s/^True.True/SYN ACK/; s/^False.True/ACK/'"
        expect "tshark finds nothing malformed" "" "read_capture -Y '_ws.malformed || _ws.expert.severity == error'"
        expect "tshark finds no bad checksum" "" \
            "read_capture -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -Y 'tcp.checksum.status == 0 || ip.checksum.status == 0'"
    fi
    rm -f "$file"
fi
finish
