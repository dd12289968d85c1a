# run.sh: the scenes of lesson 05. Each line is a link, and what plays on it.
. ../common/scene.sh

scene techniques --rtt 20 -- --rate 0 --first-id 1 --quiet
scene handle --rtt 20 -- --rate 0 --first-id 1
scene resume --rtt 20 -- --rate 0 --first-id 1 --ring 20 --retry-ms 100
scene frames -- --rate 0 --quiet
scene tokens --rtt 20 -- --rate 0 --token-ms 12
scene crowd -- --rate 0 --quiet
scene slow -- --rate 0 --quiet --retry-ms 100
scene chunks -- --quiet
scene unnumbered --rtt 20 -- --rate 0 --first-id 1 --quiet
more waiting -- --rate 0 --quiet
finish
