# run.sh: the scenes of 05, pubsub. Each line is a link, and what plays on it.
SERVER=broker
. ../../common/scene.sh

scene qos --rtt 10
finish
