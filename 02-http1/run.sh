# run.sh: the scenes of lesson 02. Each line is a link, and what plays on it.
. ../common/scene.sh

scene raw
scene reuse --rtt 30 --trace
scene pipeline --rtt 30
scene six --rtt 50
scene hosts
scene stream --rtt 20
scene smuggle
scene upload --rtt 20 --rate 20000
scene cache --rtt 20 --trace
scene overhead
scene copies
finish
