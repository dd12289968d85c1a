# run.sh: the scenes of 04, http3. Each line is a link, and what plays on it.
. ../../common/scene.sh

scene frames -- --quiet
scene setup --node server --rtt 100 --node client -- server: ../server --quiet -- \
    server: ./server --no-retry --port 8305 --quiet -- server: ./server --quiet -- client: ./play
scene independent --rate 10000 --node server --rtt 100 --node client -- server: ./interleaved -- \
    server: ./server --quiet -- client: ./play
scene page_load --node clean --rtt 20 --node lossy --rtt 20 --rate 100000 --queue 1000 --loss 3 --node client -- \
    clean: ../../03-http2-framing/server --quiet -- clean: ./server --quiet -- \
    lossy: ../../03-http2-framing/server --quiet -- lossy: ./server --quiet -- client: ./play
scene price -- --quiet
scene blocked --node server --rtt 40 --node client -- \
    server: ../server --quiet --alt-svc 'h3=":8304";ma=3600' -- server: ./server --quiet -- client: ./play
scene wire -- --quiet
finish
