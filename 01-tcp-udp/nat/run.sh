# run.sh: the scenes of 01, nat. Each line is a network, and what plays on it. On a host behind a
# NAT runs ./play --lend, which lends its network to the scene.
. ../../common/scene.sh

stun="--node stun --address 10.0.0.1,10.0.0.2"
lend="./play --lend"
play="-- stun: ./server --quiet -- stun: ./play"
# Alice at home, Bob in his office.
two_houses="--nat home --node alice --behind home --nat office --node bob --behind office"
two_peers="-- alice: $lend -- bob: $lend"
# A NAT of each kind on the left, and on the right.
left="--nat f1 --kind full-cone --node fa --behind f1 --nat r1 --kind address-restricted --node ra --behind r1
    --nat p1 --kind port-restricted --node pa --behind p1 --nat s1 --kind symmetric --node sa --behind s1"
right="--nat f2 --kind full-cone --node fb --behind f2 --nat r2 --kind address-restricted --node rb --behind r2
    --nat p2 --kind port-restricted --node pb --behind p2 --nat s2 --kind symmetric --node sb --behind s2"

# shellcheck disable=SC2086 # these are words
{
    scene mapped --trace --nat home --node alice --behind home --node carol --behind home $stun --rtt 10 \
        -- alice: $lend -- carol: $lend -- stun: ./server -- stun: ./play
    scene types --nat f --kind full-cone --node fred --behind f --nat r --kind address-restricted --node rita --behind r \
        --nat p --kind port-restricted --node pat --behind p --nat s --kind symmetric --node sam --behind s $stun --rtt 2 \
        -- fred: $lend -- rita: $lend -- pat: $lend -- sam: $lend $play
    scene punch $left $right $stun --rtt 2 -- fa: $lend -- ra: $lend -- pa: $lend -- sa: $lend \
        -- fb: $lend -- rb: $lend -- pb: $lend -- sb: $lend $play
    scene same-router --nat home --node alice --behind home --node carol --behind home $stun --rtt 2 \
        -- alice: $lend -- carol: $lend $play
    scene ice --trace $two_houses $stun --rtt 20 $two_peers $play
    scene relay --nat p1 --node pa --behind p1 --rtt 10 --nat p2 --node pb --behind p2 --rtt 10 --nat s1 --kind symmetric \
        --node sa --behind s1 --rtt 10 --nat s2 --kind symmetric --node sb --behind s2 --rtt 10 $stun --rtt 40 \
        -- pa: $lend -- pb: $lend -- sa: $lend -- sb: $lend $play
    scene direct --nat home --node alice --behind home --rtt 20 --nat office --node bob --behind office --rtt 20 \
        --node near --rtt 4 --node far --rtt 60 $two_peers -- near: ./server --quiet -- far: ./server --quiet -- far: ./play
    scene signal $two_houses $stun --rtt 10 $two_peers $play
    scene idle --nat home --udp-timeout 0.7 --node alice --behind home --nat office --kind address-restricted --node bob \
        --behind office $stun --rtt 2 $two_peers $play
}
finish
