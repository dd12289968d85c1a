# interop.sh: what tshark, ping, traceroute, iperf3 and coturn say of the wire, and an XML parser of a
# picture.
# shellcheck disable=SC2016 # $VARIABLES in single quotes are for the programs on the wire
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

# The wire's nodes and boxes, seen by instruments that no one here wrote.
folder=$(mktemp -d)
wire_in_background() { # NAME OPTIONS...: its output in $folder/NAME
    output=$folder/$1
    shift
    ./wire/wire "$@" >"$output" 2>&1 &
    jobs_here="$jobs_here $!"
}
wait_for_jobs() {
    doing="the wires in the background"
    # shellcheck disable=SC2086 # a list of pids
    wait $jobs_here
    jobs_here=""
}

if ./wire/wire --rtt 0 -- build/peer idle-server -- true >/dev/null 2>&1; then
    if need turnutils_natdiscovery coturn && need ss iproute2; then
        # On two addresses and two ports; --rfc5780 only where it is not the default.
        stun='turnserver -n -S --no-cli --no-tls --no-dtls -L 10.0.0.2 -L 10.0.0.3 --pidfile /dev/null --log-file /dev/null \
            $(turnserver --help | grep -o "^ --rfc5780") >/dev/null 2>&1 &
            until ss -lun | grep -q 10.0.0.3:3479; do kill -0 $! && sleep 0.05; done
            trap "kill $!; exit 0" TERM; echo 3478 >&$READY_FD; wait; wait'
        for kind in full-cone address-restricted port-restricted symmetric; do
            wire_in_background $kind --nat home --kind $kind --node a --behind home --node stun --address 10.0.0.2,10.0.0.3 \
                -- stun: sh -c "$stun" -- a: sh -c 'turnutils_natdiscovery -m 10.0.0.2; turnutils_natdiscovery -f 10.0.0.2'
        done
        wait_for_jobs
        verdict() { grep -o '[A-Z][A-Za-z ]* \(Mapping\|Filtering\)!' "$folder/$1" | sed 's/^NAT with //'; }
        expect "natdiscovery about a full cone" "Endpoint Independent Mapping!
Endpoint Independent Filtering!" "verdict full-cone"
        expect "natdiscovery about an address-restricted one" "Endpoint Independent Mapping!
Address Dependent Filtering!" "verdict address-restricted"
        expect "natdiscovery about a port-restricted one" "Endpoint Independent Mapping!
Address and Port Dependent Filtering!" "verdict port-restricted"
        expect "natdiscovery about a symmetric one" "Address and Port Dependent Mapping!
Address and Port Dependent Filtering!" "verdict symmetric"
    fi
    if need iperf3 iperf3 && need ss iproute2; then
        iperf='iperf3 -s >/dev/null & until ss -ltn | grep -q :5201; do kill -0 $! && sleep 0.05; done
            trap "kill $!; exit 0" TERM; echo 5201 >&$READY_FD; wait; wait'
        # Behind a NAT, on a link of 8 Mbit/s: up, down, and UDP.
        wire_in_background iperf --nat home --node a --behind home --rate 8000 --node b \
            -- b: sh -c "$iperf" -- a: sh -c 'iperf3 -f k -c $B_HOST -t 4; iperf3 -f k -R -c $B_HOST -t 4;
                for try in 1 2 3; do ! iperf3 -f k -u -b 4M -l 1000 -c $B_HOST -t 2 || break; done'
        wait_for_jobs # (its UDP begins with one datagram and a time limit: a busy machine takes a second try)
        # 8000 kbit/s with 1448 bytes of data in packets of 1500 are 7723; a machine without a core to spare takes longer.
        expect "iperf3 measures the rate of the link, up and down" "up
down" "awk '/receiver/ && /Kbits/ && n < 2 && (\$7 < 1500 || \$7 > 7800) { print \$7 }
            /receiver/ && /Kbits/ && n < 2 { print n++ ? \"down\" : \"up\" }' $folder/iperf"
        expect "iperf3's UDP comes through" "yes" "grep -o '([0-9.]*%)  receiver' $folder/iperf | tr -d '(' |
            awk '{ print (\$1 + 0 <= 5 ? \"yes\" : \$1) }'"
        sed -n 's/^.*\(receiver\)/    &/p' "$folder/iperf"
    fi
    if need ping iputils-ping && need traceroute traceroute; then
        wire_in_background ping --nat home --node a --behind home --rtt 20 --node b --rtt 30 -- b: build/peer idle-server \
            -- a: sh -c 'ping -c 3 -i 0.2 $B_HOST; traceroute -n -q 1 $B_HOST; traceroute -I -n -q 1 $B_HOST'
        wait_for_jobs
        expect "ping goes through a NAT, over both links" "3 received, 0% packet loss" "grep -o '3 received, 0% packet loss' $folder/ping"
        expect "ping's shortest round trip is that of both links" "yes" \
            "awk -F'[=/ ]+' '/^rtt/ { print (\$6 >= 50 ? \"yes\" : \$6) }' $folder/ping"
        expect "traceroute sees the NAT, and the node behind it, by UDP and by ICMP" "1 10.0.0.101
2 10.0.0.1
1 10.0.0.101
2 10.0.0.1" "awk '\$1 ~ /^[12]\$/ { print \$1, \$2 }' $folder/ping"
    fi
    if need tshark tshark; then
        capture=$folder/capture
        read_capture() { tshark -r "$capture" "$@" 2>/dev/null; }
        # All that a box rewrites: UDP, TCP, ICMP errors of both kinds, a balancer.
        ./wire/wire --pcap "$capture" --nat home --hairpin --node a --behind home --node m --address 10.0.0.2,10.0.0.3 \
            --node c --balancer front --address 10.0.0.9 --to c:7002 -- c: build/nat_peer greeter -- m: build/nat_peer mirror -- a: sh -c '
            build/nat_peer probe; build/nat_peer refused; HOST=10.0.0.9 build/nat_peer refused; build/nat_peer gone; build/nat_peer hairpin;
            build/nat_peer call 10.0.0.9 7002 20;
            build/nat_peer flows 500; command -v traceroute >/dev/null && traceroute -n $M_HOST' >/dev/null 2>&1
        expect "tshark names the two ends of each hop" "a > home
c > front
front > c
front > home
home > a
home > front" "read_capture -Y 'tcp' -T fields -e frame.interface_name | sort -u"
        expect "tshark finds no wrong checksum in what the boxes have rewritten" "" \
            "read_capture -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
            -Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0'"
        expect "and it did look" "yes" "[ \$(read_capture -o udp.check_checksum:TRUE -Y 'udp.checksum.status == 1 && !icmp' | wc -l) -gt 2000 ] && echo yes"
        expect "tshark: the same connection on both sides of a balancer" "20 SYNs, 20 numbers" \
            "read_capture -o tcp.relative_sequence_numbers:FALSE -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 0 && frame.interface_name == \"front > c\"' -T fields -e tcp.seq >$folder/behind
             read_capture -o tcp.relative_sequence_numbers:FALSE -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 0 && frame.interface_name == \"a > home\"' -T fields -e tcp.seq >$folder/before
             cmp $folder/before $folder/behind && echo \"\$(wc -l <$folder/before) SYNs, \$(sort -u $folder/before | wc -l) numbers\""
    fi
else
    need wire-on-this-machine "see make doctor"
fi
rm -rf "$folder"

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
