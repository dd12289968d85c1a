# run.sh: the scenes of 05, pubsub. Each line is a link, and what plays on it.
SERVER=broker
. ../../common/scene.sh

scene qos --rtt 10
scene pipeline -- --quiet
scene backlog -- --quiet
scene topics -- --quiet
scene order -- --quiet
scene duplicates -- --quiet
scene correlate --rtt 10
scene overload -- --quiet
scene rooms -- --quiet
scene cost --rtt 20 -- --quiet
finish
