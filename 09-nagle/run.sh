# run.sh: the scenes of lesson 09. Each line is a link, and what plays on it.
. ../common/scene.sh

scene stall
scene distance --rtt 50 --trace
scene remainder --rtt 50 --trace
scene small --rtt 50 --trace
scene telnet --rtt 20
scene quickack --rtt 50
scene bulk --rtt 20
finish
