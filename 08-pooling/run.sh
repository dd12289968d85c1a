# run.sh: the scenes of lesson 08. Each line is a link, and what plays on it.
. ../common/scene.sh

scene reuse --rtt 30 --trace -- --login-ms 10
scene sharing
scene sizing --rtt 5 -- --cores 4 --query-ms 5 --quiet
scene ports
scene stale
more vanished --rtt 20 --trace
scene held -- --quiet
scene leak
scene nplus1 --rtt 10 -- --quiet
scene burst
scene lifetimes
finish
