# run.sh: the scenes of 04, http3. Each line is a link, and what plays on it.
. ../../common/scene.sh

scene frames -- --quiet
scene setup --node server --rtt 50 --node client -- server: ../server --quiet -- \
    server: ./server --no-retry --port 8305 --quiet -- server: ./server --quiet -- client: ./play
scene independent --rate 10000 --node server --rtt 100 --node client -- server: ./interleaved -- \
    server: ./server --quiet -- client: ./play
finish
