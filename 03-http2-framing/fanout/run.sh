# run.sh: the scenes of 03, fanout. Each line is a link, and what plays on it.
SERVER=proxy
. ../../common/scene.sh

scene one-backend -- --quiet
scene solutions -- --quiet
scene pool-or-multiplex --node web --rtt 90 --node multiplex --node pool --node small --node client \
    -- web: ../server --quiet --port 9001 -- multiplex: ./proxy --quiet --backend 10.0.0.1:9001 \
    -- pool: ./proxy --quiet --http1 --backend 10.0.0.1:9001 -- small: ./proxy --quiet --http1 --pool 4 --backend 10.0.0.1:9001 \
    -- client: ./play
finish
