# interop.sh: programs that no one here wrote, with our broker and with our client: mosquitto's clients
# and broker, Python's paho-mqtt, node's mqtt, and tshark, which looks at the bytes.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
start_server ./broker --quiet
ours=$port

# Waits until the broker on port $1 has a subscriber to what $2 is about: it answers a probe under that
# topic. $3: the file that the subscriber writes to.
await_subscriber() {
    await "a subscriber is there" "./client --quiet --port $1 pub $2 probe && grep -q probe $3"
}

# heard PORT TOPIC SUBSCRIBER...: starts a subscriber, waits until it is there, runs $publish, and
# shows what the subscriber has got besides the probes, up to the word "end".
heard() {
    heard_port=$1 topic=$2
    shift 2
    : >"$folder/heard"
    timeout 30 "$@" >"$folder/heard" 2>&1 &
    subscriber=$!
    await_subscriber "$heard_port" "$topic" "$folder/heard"
    eval "$publish"
    ./client --quiet --port "$heard_port" --qos 1 pub "$topic" end
    await "the end is heard" "grep -q end $folder/heard"
    kill $subscriber 2>/dev/null
    wait $subscriber 2>/dev/null
    grep -v -e probe -e end "$folder/heard"
}

if need mosquitto_pub mosquitto-clients; then
    for qos in 0 1 2; do
        expect "mosquitto_pub -r and mosquitto_sub, QoS $qos" "home/kitchen hello $qos" \
            "mosquitto_pub -p $ours -t home/kitchen -m 'hello $qos' -q $qos -r; timeout 10 mosquitto_sub -p $ours -t 'home/+' -v -C 1 -q $qos"
        expect "mosquitto_pub to ./client, QoS $qos" "t$qos from mosquitto" \
            "publish='mosquitto_pub -p $ours -t t$qos -m \"from mosquitto\" -q $qos'; heard $ours t$qos ./client --quiet --port $ours --qos $qos sub t$qos"
        expect "./client to mosquitto_sub, QoS $qos" "u$qos from us" \
            "publish='./client --quiet --port $ours --qos $qos pub u$qos \"from us\"'; heard $ours u$qos mosquitto_sub -p $ours -t u$qos -v -q $qos"
    done
    expect "mosquitto_sub -c: a session, QoS 2" "one two" \
        "timeout 10 mosquitto_sub -p $ours -i keeps -c -t kept -q 2 -E
        mosquitto_pub -p $ours -t kept -m one -q 2; mosquitto_pub -p $ours -t kept -m two -q 2
        timeout 10 mosquitto_sub -p $ours -i keeps -c -t kept -q 2 -C 2 | tr '\n' ' ' | sed 's/ $//'"
    # timeout passes ALRM on as KILL.
    expect "mosquitto_sub is killed, and its will is published" "wills gone" \
        "timeout -s KILL 30 mosquitto_sub -p $ours -t nothing --will-topic wills --will-payload gone >$folder/dying 2>&1 & dying=\$!
        await_subscriber $ours nothing $folder/dying
        publish='kill -ALRM \$dying; await \"its will\" \"grep -q gone $folder/heard\"'
        heard $ours wills ./client --quiet --port $ours sub wills"
    expect "mosquitto_sub is taken over by ./client, and its will is published" "wills taken" \
        "timeout 20 mosquitto_sub -p $ours -i same -t nothing --will-topic wills --will-payload taken & other=\$!
        await 'it is there' \"timeout 5 mosquitto_sub -p $ours -t '\\\$SYS/broker/clients/connected' -C 1 | grep -qx 2\"
        publish='./client --quiet --port $ours --id same --clean pub nothing x; kill \$other'
        heard $ours wills ./client --quiet --port $ours sub wills"
    expect "mosquitto_sub shares the work" "6" \
        "for i in 1 2; do timeout 10 mosquitto_sub -p $ours -t '\$share/g/work' -q 1 -C 3 >$folder/w\$i & workers=\"\$workers \$!\"; done
        await 'two workers' \"timeout 5 mosquitto_sub -p $ours -t '\\\$SYS/broker/clients/connected' -C 1 | grep -qx 3\"
        for i in 1 2 3 4 5 6; do mosquitto_pub -p $ours -t work -m \$i -q 1; done; wait \$workers; cat $folder/w1 $folder/w2 | sort -u | wc -l"
fi

if need mosquitto mosquitto; then
    choose_port && theirs=$free_port
    printf 'listener %d 127.0.0.1\nallow_anonymous true\n' "$theirs" >"$folder/mosquitto.conf"
    mosquitto -c "$folder/mosquitto.conf" >/dev/null 2>&1 &
    pids="$pids $!"
    if await_port tcp "$theirs"; then
        for qos in 0 1 2; do
            expect "our client with the broker mosquitto, QoS $qos" "t$qos hello" \
                "publish='./client --quiet --port $theirs --qos $qos pub t$qos hello'; heard $theirs t$qos ./client --quiet --port $theirs --qos $qos sub t$qos"
        done
        expect "mosquitto retains for our client" "r kept" \
            "./client --quiet --port $theirs --qos 1 --retain pub r kept; timeout 10 ./client --quiet --port $theirs --count 1 sub r"
        expect "mosquitto keeps a session for our client" "s two" \
            "timeout 10 ./client --quiet --port $theirs --id anna --qos 2 --count 1 sub s >/dev/null & first=\$!
            await 'the first message' './client --quiet --port $theirs --qos 2 pub s one; ! kill -0 \$first 2>/dev/null'
            ./client --quiet --port $theirs --qos 2 pub s two; timeout 10 ./client --quiet --port $theirs --id anna --qos 2 --count 20 sub s | grep -m 1 two"
        expect "mosquitto publishes our client's will" "w lost" \
            "timeout -s KILL 30 ./client --quiet --port $theirs --will-topic w --will lost sub nothing >$folder/dying 2>&1 & dying=\$!
            await_subscriber $theirs nothing $folder/dying
            publish='kill -ALRM \$dying; await \"its will\" \"grep -q lost $folder/heard\"'
            heard $theirs w ./client --quiet --port $theirs sub w"
    fi
fi

cat >"$folder/client.py" <<'PYTHON'
import faulthandler, sys, threading, paho.mqtt.client as mqtt
faulthandler.dump_traceback_later(45)  # says what it waits for, if it does not end
port = int(sys.argv[1])
def connect(client):
    connected = threading.Event()
    client.on_connect = lambda *rest: connected.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert connected.wait(10)
def client(name, clean):
    if hasattr(mqtt, "CallbackAPIVersion"):  # 2.x
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id=name, clean_session=clean)
    return mqtt.Client(client_id=name, clean_session=clean)
class Subscriber:
    def __init__(self, name, clean, filters):
        self.got, self.changed, self.up, self.down = [], threading.Condition(), threading.Event(), threading.Event()
        self.client = client(name, clean)
        self.client.on_message = self.message
        self.client.on_subscribe = lambda *rest: self.up.set()
        self.client.on_disconnect = lambda *rest: self.down.set()
        connect(self.client)
        if filters:
            self.client.subscribe(filters)
            assert self.up.wait(10)
    def message(self, _client, _data, message):
        with self.changed:
            self.got.append(f"{message.topic}={message.payload.decode()}{'(retained)' if message.retain else ''}")
            self.changed.notify()
    def await_count(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, 10), self.got
        return " ".join(self.got)
    def end(self):
        self.client.disconnect()
        self.client.loop_stop()
publisher = Subscriber("paho-p", True, None)
def publish(topic, text, qos, retain=False):
    publisher.client.publish(topic, text, qos, retain).wait_for_publish(10)
s = Subscriber("paho-s", False, [("p/#", 2), ("wills", 1)])
for qos in 0, 1, 2:
    publish("p/x", f"q{qos}", qos)
print(s.await_count(3))
s.end()
publish("p/x", "away1", 1); publish("p/x", "away2", 2)
s = Subscriber("paho-s", False, None)
print(s.await_count(2))
publish("p/r", "kept", 1, True)
r = Subscriber("paho-r", True, [("p/r", 1)])
print(r.await_count(1))
publish("p/r", "", 1, True)
s.await_count(4)
first = client("paho-same", True)
first.will_set("wills", "taken over", 1)
down = threading.Event()
first.on_disconnect = lambda *rest: down.set()
first.reconnect_delay_set(60, 60)
connect(first)
second = Subscriber("paho-same", True, [("x", 0)])
assert down.wait(10)
print(s.await_count(5).split()[-2:])
second.end(); s.end(); r.end(); publisher.end()
big = Subscriber("paho-big", True, [("big", 2)])
big.client.publish("big", "x" * 250000, 2).wait_for_publish(10)
print(len(big.await_count(1)))
big.end()
import os
os._exit(0)
PYTHON
python=python3
"$python" -c "import paho.mqtt" 2>/dev/null || python=/usr/bin/python3 # Debian's
if need python3 python3; then
    if "$python" -c "import paho.mqtt" 2>/dev/null; then
        expect "Python's paho-mqtt: QoS, session, retained, takeover and will, a large message" "p/x=q0 p/x=q1 p/x=q2
p/x=away1 p/x=away2
p/r=kept(retained)
['wills=taken', 'over']
250004" "timeout 60 $python -u -W ignore $folder/client.py $ours"
    else
        need paho-mqtt python3-paho-mqtt # no program, so it says what to do
    fi
fi

cat >"$folder/client.js" <<'JS'
const mqtt = require(process.cwd() + '/../node_modules/mqtt'), port = +process.argv[2];
const next = (client, name) => new Promise(resolve => client.once(name, (...all) => resolve(all)));
async function open(clientId, options) {
    const client = mqtt.connect({ host: '127.0.0.1', port, protocolVersion: 4, clientId, reconnectPeriod: 0, ...options });
    client.got = [];
    client.on('message', (topic, payload, packet) => { client.got.push(`${topic}=${payload}${packet.retain ? '(retained)' : ''}`); client.emit('more'); });
    const [connack] = await next(client, 'connect');
    client.present = connack.sessionPresent;
    return client;
}
const count = async (client, wanted) => { while (client.got.length < wanted) await next(client, 'more'); return client.got.join(' '); };
const publish = (client, topic, text, options) => client.publishAsync(topic, text, options);
(async () => {
    const publisher = await open('js-p');
    let s = await open('js-s', { clean: false });
    console.log(JSON.stringify((await s.subscribeAsync({ 'j/#': { qos: 2 }, 'wills': { qos: 1 } })).map(one => one.qos)));
    for (const qos of [0, 1, 2]) await publish(publisher, 'j/x', `q${qos}`, { qos });
    console.log(await count(s, 3));
    await s.endAsync();
    await publish(publisher, 'j/x', 'away1', { qos: 1 }); await publish(publisher, 'j/x', 'away2', { qos: 2 });
    s = await open('js-s', { clean: false });
    console.log(s.present, await count(s, 2));
    await publish(publisher, 'j/r', 'kept', { qos: 1, retain: true });
    const r = await open('js-r');
    await r.subscribeAsync('j/r', { qos: 1 });
    console.log(await count(r, 1));
    await publish(publisher, 'j/r', '', { qos: 1, retain: true });
    await count(s, 4);
    const first = await open('js-same', { will: { topic: 'wills', payload: 'taken', qos: 1 } });
    const closed = next(first, 'close');
    const second = await open('js-same');
    await closed;
    console.log((await count(s, 5)).split(' ').pop());
    await s.unsubscribeAsync('j/#');
    await second.subscribeAsync('big', { qos: 2 });
    await publish(publisher, 'big', 'x'.repeat(250000), { qos: 2 });
    console.log((await count(second, 1)).length);
    process.exit();
})();
JS
if need node nodejs; then
    if [ -d ../node_modules/mqtt ]; then
        expect "node's mqtt: QoS, session, retained, takeover and will, a large message" "[2,1]
j/x=q0 j/x=q1 j/x=q2
true j/x=away1 j/x=away2
j/r=kept(retained)
wills=taken
250004" "timeout 60 node $folder/client.js $ours"
    else
        echo "skipped node's mqtt is not there: (cd $(dirname "$PWD") && npm install --no-save mqtt@5)"
        if [ -n "$STRICT" ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
    fi
fi

if need tshark tshark; then
    ../../common/wire/wire --rtt 1 --pcap "$folder/packets" -- ./broker --quiet -- ./client --qos 2 >/dev/null 2>&1
    if [ $? -eq 3 ]; then
        echo "skipped what tshark sees: this machine allows no wire"
        skipped=$((skipped + 1))
    else
        # msgtype: CONNECT 1, CONNACK 2, SUBSCRIBE 8, SUBACK 9, PUBLISH 3, PUBREC 5, PUBREL 6, PUBCOMP 7,
        # DISCONNECT 14
        expect "tshark decodes all packets, and complains of none" "1 14 2 3 3 5 5 6 6 7 7 8 9 0" \
            "tshark -r $folder/packets -d tcp.port==8105,mqtt -T fields -e mqtt.msgtype 2>/dev/null | tr ',' '\n' | grep . | sort | tr '\n' ' '
            tshark -r $folder/packets -d tcp.port==8105,mqtt -Y '_ws.malformed || mqtt && _ws.expert.severity >= 6291456' 2>/dev/null | wc -l"
    fi
fi
said=$folder/said
start_server ./broker --quiet
./client --port "$port" pub t one >/dev/null
./client --port "$port" pub t two >/dev/null
./client --port "$port" --qos 1 >"$folder/packets"
stop_server
expect "the broker says what it has done" "stopped: connections 3, messages in 3, out 1, dropped 0" "tail -n 1 $said"
expect "the client shows each packet" '-> CONNECT
<- CONNACK accepted
-> SUBSCRIBE
<- SUBACK id 1
-> PUBLISH QoS 1 "workbench/hello", 24 bytes id 2
<- PUBACK id 2
<- PUBLISH QoS 1 "workbench/hello", 24 bytes id 1
workbench/hello hello from the publisher
-> PUBACK id 1
-> DISCONNECT' "sed 's/  */ /g; s/ \$//' $folder/packets"
finish
