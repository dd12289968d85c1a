# interop.sh: programs that no one here wrote. There is no other program that speaks this protocol;
# but a real QUIC client that comes here has to get QUIC's own answer (version negotiation), and
# what is said over TCP can be said by hand.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A first packet of QUIC version 1, with ids of 8 bytes, as far as other versions may read it.
quic_packet() {
    printf '\303\0\0\0\1\010abcdefgh\010ijklmnop'
    head -c 1200 /dev/zero
}

if need nc netcat-openbsd; then
    start_server ./server --quiet
    expect "nc over TCP: the pieces of two answers" "00010005414243444501010003414243" \
        "printf '/bytes/5\n/bytes/3\n' | timeout 5 nc -N 127.0.0.1 $port | od -An -v -tx1 | tr -d ' \n'"
fi

if need tshark tshark && need socat socat; then
    quic_packet >"$folder/packet"
    timeout 20 ../../common/wire/wire --rtt 2 --pcap "$folder/packets" -- ./server --quiet -- \
        sh -c "timeout 2 socat -t 1 -b 1500 -u OPEN:$folder/packet UDP4:10.0.0.2:8201; sleep 0.3" >/dev/null 2>&1
    if [ $? -eq 3 ]; then
        echo "skipped what tshark sees: this machine allows no wire"
        skipped=$((skipped + 1))
    else
        expect "tshark: the answer to QUIC version 1 is version negotiation, and its ids are right" \
            "0x00000000 0x73747231 696a6b6c6d6e6f70 6162636465666768" \
            "tshark -r $folder/packets -d udp.port==8201,quic -Y 'quic.version == 0' -T fields -e quic.version \
                -e quic.supported_version -e quic.dcid -e quic.scid 2>/dev/null | tr '\t' ' ' | sort -u"
    fi
fi

if need chromium chromium; then
    READY_FD=9 ./server --port 0 9>"$folder/port" >"$folder/log" &
    pids="$pids $!"
    await "the server is ready" "[ -s $folder/port ]"
    read -r port <"$folder/port"
    expect "Chromium speaks QUIC to this server, and is told the version" "yes" \
        "timeout 30 chromium --headless --no-sandbox --disable-gpu --user-data-dir=$folder/profile --enable-quic \
            --origin-to-force-quic-on=127.0.0.1:$port --dump-dom https://127.0.0.1:$port/ >/dev/null 2>&1
        grep -q \"QUIC's version negotiation\" $folder/log && echo yes"
fi
said=$folder/said
start_server ./server --quiet --retry
bash -c "for i in 1 2 3 4 5 6 7 8 9 10; do printf x >/dev/udp/127.0.0.1/$port; done"
./client --port "$port" /bytes/3000 >/dev/null
./client --port "$port" >"$folder/table"
bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && printf '/bytes/5\\n' >&3 && head -c 9 <&3" >/dev/null
stop_server
# Each of the two connections has had a Retry, each of the ten strange packets is counted. On a busy machine the
# client sends a first packet again, and gets one more Retry.
expect "the server says what it has done" "stopped: connections 2, over TCP 1, retries: 2 or more, strange packets: 10 or more" \
    "tail -n 1 $said | sed -E 's/retries ([2-9]|[1-9][0-9]+),/retries: 2 or more,/; s/packets [1-9][0-9]+\$/packets: 10 or more/'"
expect "the client's table: the first byte is there before all are" "6 rows" \
    "awk '/^\\/bytes\\/30000  *30000 / && \$3 < \$5 { rows++ } END { print rows, \"rows\" }' $folder/table"
../../common/wire/wire --rtt 20 --loss 10 -- ./server --quiet -- ./client >"$folder/lossy" 2>&1
if [ $? -eq 3 ]; then
    echo "skipped the client's figures where packets are lost: this machine allows no wire"
    skipped=$((skipped + 1))
else
    # 180,000 bytes in packets of 1,472 at most: more than 120 have to come.
    expect "where packets are lost, fewer have come than were numbered, and streams had gaps" "yes" \
        "awk '/numbered/ { come = \$7; all = \$5 } /^\\/bytes/ && \$7 > 0 { gaps++ }
            END { print (come > 120 && come < all && gaps ? \"yes\" : come \" of \" all \", \" gaps+0 \" gaps\") }' $folder/lossy"
fi
finish
