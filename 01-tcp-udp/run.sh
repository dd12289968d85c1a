# run.sh: the scenes of lesson 01. Each line is a link, and what plays on it.
. ../common/scene.sh

scene handshake --rtt 50 --trace
scene boundaries
scene loss --rtt 20 --loss 10
scene flow --rtt 20 --trace -- --rcvbuf 8192
scene segments --rtt 20 --trace
scene queries --rtt 40 --loss 20 --seed 13 --trace
scene damage --rtt 20 --corrupt 10 --reorder 20
scene slow_start --node client --rtt 100 --drop tcp:8001:90 --node server -- server: ./server -- client: ./play
scene descriptors
more flood --rtt 20 --rate 8000 --queue 40
finish
