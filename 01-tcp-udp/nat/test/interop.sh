# interop.sh: programs that no one here wrote, with our server and our client: coturn's tools and
# server, Debian's stun client (RFC 3489), and two Chromium, each behind a NAT.
. ../../common/test/peers.sh

wire=../../common/wire/wire
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
start_server ./server --quiet
ours=$port

# Whether this machine allows the wire; else what needs it is skipped.
allows_wire() {
    $wire --node a --node b -- a: ./server --quiet -- b: true >/dev/null 2>&1
    [ $? -eq 3 ] || return 0
    echo "skipped what needs packets: this machine allows no wire"
    skipped=$((skipped + 1))
    return 1
}

# behind KIND COMMAND: runs a command on a node behind a NAT of that kind. The server is at 10.0.0.1.
behind() {
    $wire --nat home --kind "$1" --node inside --behind home --node stun --address 10.0.0.1,10.0.0.2 --rtt 2 \
        -- stun: ./server --quiet --no-relay -- inside: sh -c "$2"
}

# kind_behind OPTIONS: what ./client says of a NAT with these options.
kind_behind() {
    # shellcheck disable=SC2086 # words
    $wire --nat home $1 --node inside --behind home --node stun --address 10.0.0.1,10.0.0.2 --rtt 2 \
        -- stun: ./server --quiet -- inside: ./client --host 10.0.0.1 --wait 60 | sed -n 's/   */: /g; /^mapping:/p; /^filtering:/p; /^kind /p'
}

if allows_wire; then
    expect "./client behind a restricted cone: what each line means" "mapping: endpoint-independent: every peer sees us there
filtering: address-dependent: hosts that we have sent to
kind of NAT: restricted cone: in the older words of RFC 3489" "kind_behind '--kind address-restricted'"
    expect "./client behind a symmetric NAT" "mapping: address and port-dependent: each peer sees another port
filtering: address and port-dependent: ports that we have sent to
kind of NAT: symmetric: in the older words of RFC 3489" "kind_behind '--kind symmetric'"
    expect "./client behind a NAT without an old name" "mapping: address-dependent: each host sees another port
filtering: endpoint-independent: anybody may send in
kind of NAT: symmetric: in the older words of RFC 3489" "kind_behind '--mapping address --filtering endpoint'"
fi

if need turnutils_stunclient coturn; then
    expect "turnutils_stunclient learns its address, and our other one" "2" \
        "timeout 20 turnutils_stunclient -p $ours 127.0.0.1 | grep -cE 'UDP reflexive addr: 127.0.0.1:|Other addr: : 127.0.0.2:'"
fi
if need turnutils_natdiscovery coturn && allows_wire; then
    for kind in "full-cone Independent Independent" "address-restricted Independent Address.Dependent" \
        "port-restricted Independent Address.and.Port.Dependent" \
        "symmetric Address.and.Port.Dependent Address.and.Port.Dependent"; do
        # shellcheck disable=SC2086 # three words
        set -- $kind
        expect "turnutils_natdiscovery behind a NAT: $1" "2" \
            "behind $1 'timeout 60 turnutils_natdiscovery -m -f 10.0.0.1 -p 8101' | grep -cE 'NAT with (Endpoint )?($2 Mapping|$3 Filtering)'"
    done
fi
if need stun stun-client && allows_wire; then
    for kind in "full-cone Independent.Mapping,.Independent.Filter" "address-restricted Independent.Mapping,.Address.Dependent.Filter" \
        "port-restricted Independent.Mapping,.Port.Dependent.Filter" "symmetric Dependent.Mapping"; do
        # shellcheck disable=SC2086 # two words
        set -- $kind
        expect "stun (RFC 3489) behind a NAT: $1" "1" "behind $1 'timeout 60 stun 10.0.0.1:8101' | grep -cE '^Primary: $2'"
    done
fi
if need turnserver coturn; then
    choose_port && theirs=$free_port
    turnserver -n -S -L 127.0.0.1 -L 127.0.0.2 -p "$theirs" --no-tls --no-dtls --no-cli --log-file stdout \
        --simple-log --pidfile "$folder/pid" >"$folder/turnserver" 2>&1 &
    pids="$pids $!"
    await_port tcp "$theirs"
    expect "./client asks coturn, over UDP" "1" "./client --port $theirs --wait 1000 | grep -c 'the same: no NAT'"
    expect "./client asks coturn, over TCP" "1" "./client --port $theirs --tcp | grep -c 'the same: no NAT'"
    mkdir "$folder/peers"
    : >"$folder/answer"
    ./peer --port "$theirs" --folder "$folder/peers" answer </dev/null >"$folder/answer" 2>&1 &
    expect "two ./peer find each other with coturn" "2" \
        "until grep -q connected: $folder/answer; do sleep 0.02; done | timeout 60 ./peer --port $theirs --folder $folder/peers offer >$folder/offer 2>&1
        cat $folder/answer $folder/offer | grep -c connected:"
fi

modules=../../05-polling-sse/node_modules
if need chromium chromium && need node nodejs; then
    if [ ! -d $modules/playwright-core ]; then
        echo "skipped playwright-core is not there: (cd $(cd $modules/.. 2>/dev/null && pwd) && npm install --no-save playwright-core@1.57)"
        if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    elif allows_wire; then
        doing="two Chromium"
        mkdir "$folder/texts"
        export NODE_PATH="$PWD/$modules" CHROMIUM
        CHROMIUM=$(command -v chromium)
        timeout 180 $wire --loss 5 --nat home --node alice --behind home --nat office --node bob --behind office \
            --node stun --address 10.0.0.1,10.0.0.2 -- stun: ./server --quiet \
            -- bob: node test/browser.js answer "$folder/texts" 10.0.0.1:8101 \
            -- alice: node test/browser.js offer "$folder/texts" 10.0.0.1:8101 >"$folder/log" 2>&1
        cat "$folder/log"
        passed=$((passed + $(grep -c '^ok ' "$folder/log")))
        failed=$((failed + $(grep -c '^FAILED ' "$folder/log")))
        expect "the browsers have seen all they were to see" "6" "grep -c '^ok ' $folder/log"
    fi
fi
said=$folder/said
start_server ./server --quiet
bash -c "printf x >/dev/udp/127.0.0.1/$port"
for option in "--wait 10000" --tcp --tcp; do
    # shellcheck disable=SC2086 # one word or two
    ./client --port "$port" $option >/dev/null
done
stop_server
expect "the server says what it has done" \
    "stopped: datagrams 6, answers 5, malformed 1; over TCP 2
relayed: bytes 0, datagrams 0, dropped 0" "tail -n 2 $said"
finish
