# run.sh: the scenes of 08, balancer. Each line is a link, and what plays on it.
SERVER=balancer
. ../../common/scene.sh

scene layers --rtt 10 --trace --node web --node four --node seven --node client --balancer front --address 10.0.0.9 --to web:9001 \
    -- web: ./backend --quiet --port 9001 -- four: ./balancer --quiet --layer 4 --check-ms 0 --backend 10.0.0.1:9001 \
    -- seven: ./balancer --quiet --check-ms 0 --backend 10.0.0.1:9001 -- client: ./play
scene route -- --quiet
scene price -- --quiet
scene algorithms -- --quiet
scene sticky -- --quiet
scene failover -- --quiet
scene versions -- --quiet
scene websocket -- --quiet
more two --rtt 2 --node web --node one --address 10.0.0.2,10.0.0.100 --node two --node client -- web: ./backend --quiet --port 9001 \
    -- one: ./balancer --quiet --host 0.0.0.0 --check-ms 0 --backend 10.0.0.1:9001 \
    -- two: ./balancer --quiet --host 0.0.0.0 --check-ms 0 --backend 10.0.0.1:9001 -- client: ./play
finish
