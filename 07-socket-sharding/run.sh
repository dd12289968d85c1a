# run.sh: the scenes of lesson 07. Each line is a link, and what plays on it.
. ../common/scene.sh

scene bind
scene spread
scene order
scene herd
scene backlog --rtt 20 --trace -- --workers 1 --backlog 2
scene stuck
scene takeover
scene sticky
scene syn_retries --rtt 20
scene syn_queue --rtt 20
finish
