# interop.sh: programs that no one here wrote: mosquitto's clients and broker.
. ../../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
start_server ./broker --quiet
ours=$port

if need mosquitto_pub mosquitto-clients; then
    for qos in 0 1 2; do
        expect "mosquitto_pub -r and mosquitto_sub, QoS $qos" "home/kitchen hello $qos" \
            "mosquitto_pub -p $ours -t home/kitchen -m 'hello $qos' -q $qos -r; timeout 10 mosquitto_sub -p $ours -t 'home/+' -v -C 1 -q $qos"
    done
fi
finish
