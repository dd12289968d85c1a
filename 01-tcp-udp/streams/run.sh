# run.sh: the scenes of 01, streams. Each line is a link, and what plays on it.
. ../../common/scene.sh

scene independent --rtt 100 -- --quiet
scene migrate --rtt 40 --rate 10000 --node phone --address 10.0.0.1,10.0.0.11 --node elsewhere --node server -- server: ./server -- phone: ./play
scene spoof -- --quiet
scene loss --rtt 10 --rate 20000 --queue 400 --node client --node clean --node lossy --loss 3 -- clean: ./server --quiet -- lossy: ./server --quiet -- client: ./play
finish
