# interop.sh: what tshark says of a capture that wire made, and an XML parser of a picture.
. test/peers.sh

if need tshark tshark; then
    file=$(mktemp --suffix=.pcap)
    log=$(./wire/wire --rtt 10 --verbose --pcap "$file" -- build/peer echo-server -- build/peer --count 3 ping-pong 2>&1)
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

if need python3 python3; then
    screen='\033[1m─ a<b & c ─\033[0m\n  bar  \033[36m██▌\033[0m 2.5\n'
    expect "Python reads a picture: words and bars are in their columns" "path M16 53h8
text 32 56 a<b & c
path M96 53h8
text 32 24 bar
rect 72 16
rect 88 4
text 104 24 2.5" "printf '$screen' | sh tools/picture.sh --draw 'a<b' | python3 -c '
import sys, xml.etree.ElementTree as xml
for e in list(xml.parse(sys.stdin).getroot())[7:]:
    print(e.tag[28:], *filter(None, [*map(e.get, (\"d\", \"x\", \"textLength\", \"width\")), e.text]))'"
fi
finish
