# bench.sh: what the wire costs: bulk TCP through it without limits, and its CPU time.
for i in 1 2 3 4 5; do
    ./wire/wire --mtu 1500 -- build/peer sink-server -- build/peer --count 400 bulk | grep Gbit
done | sort -n | sed -n '3s/^/wire, no limits, median of 5: /p'
./wire/wire --rtt 50 -- build/peer echo-server -- build/peer ping-pong | sed -n 's/^median/wire, --rtt 50, median of 100 round trips in ms:/p'
